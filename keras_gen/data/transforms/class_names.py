"""Class names in the order of their labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

_NUMBER = r"[-+]?(\d{1,18}\.?\d{0,18}|\.\d{1,18})"


def sorted_names(names: Iterable[str]) -> list[str]:
    """Returns unique names, in numeric order if all are numbers, otherwise in text order.

    Example:
        >>> sorted_names(["10", "9", "9"]), sorted_names(["b10", "b9"])
        (['9', '10'], ['b10', 'b9'])
    """
    found = sorted(set(names))
    if all(re.fullmatch(_NUMBER, name, re.ASCII) for name in found):
        found.sort(key=Decimal)
    return found


def without_fractions(names: Iterable[str]) -> list[str]:
    """Returns the names, with 1.0 as 1 if all are integers, since pandas writes both.

    Example:
        >>> without_fractions(["1", "1.0"]), without_fractions(["1.0", "1.5"])
        (['1', '1'], ['1.0', '1.5'])
    """
    names = list(names)
    if all(re.fullmatch(r"[-+]?\d+(\.0*)?", name, re.ASCII) for name in names):
        return [name.partition(".")[0] for name in names]
    return names
