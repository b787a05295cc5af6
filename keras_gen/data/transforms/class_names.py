"""Class names in the order of their labels."""

from __future__ import annotations

import re
from collections.abc import Iterable


def sorted_names(names: Iterable[str]) -> list[str]:
    """Returns unique names, in numeric order if all are integers, otherwise in text order.

    Example:
        >>> sorted_names(["10", "9", "9"]), sorted_names(["b10", "b9"])
        (['9', '10'], ['b10', 'b9'])
    """
    found = sorted(set(names))
    if all(re.fullmatch(r"[-+]?[0-9]{1,18}", name) for name in found):
        found.sort(key=int)
    return found
