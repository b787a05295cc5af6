"""Arguments that users give, checked."""

import operator
from typing import Any


def checked_integer(name: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    """Returns an argument as an int; `maximum` may be taken too.

    Raises:
        TypeError: If it is no integer. True and False are none.
        ValueError: If it is below `minimum` or above `maximum`.
    """
    expected = f"at least {minimum}" if maximum is None else f"{minimum} to {maximum}"
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer of {expected}, found {value!r}.")
    if number < minimum or (maximum is not None and number > maximum):
        raise ValueError(f"{name} must be {expected}, found {number}.")
    return number


def checked_seed(seed: Any) -> int:
    """Returns the seed of samples as an int, 0 to 2**31 - 1: exports take it as an int32.

    Raises:
        TypeError: If it is no integer.
        ValueError: If it is out of range.
    """
    return checked_integer("seed", seed, 0, 2**31 - 1)
