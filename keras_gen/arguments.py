"""Arguments that users give, checked."""

import operator
from typing import Any

LONGEST = 60  # characters of a value in an error message


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
        raise TypeError(f"{name} must be an integer of {expected}, found {shown(value)}.")
    if number < minimum or (maximum is not None and number > maximum):
        raise ValueError(f"{name} must be {expected}, found {number}.")
    return number


def checked_shape(name: str, value: Any) -> tuple[int, ...]:
    """Returns the shape of an example as a tuple of ints; one number stands for one axis.

    Raises:
        TypeError: If a size is no integer.
        ValueError: If one is below 1, or there is none.
    """
    sizes = value if hasattr(value, "__len__") else (value,)
    if not len(sizes):
        raise ValueError(f"{name} is empty: expected one size at least.")
    return tuple(checked_integer(name, size, minimum=1) for size in sizes)


def checked_image_shape(shape: Any) -> tuple[int, int, int]:
    """Returns `(height, width, channels)` as ints; one number is the side of gray squares.

    Raises:
        TypeError: If a size is no integer.
        ValueError: If one is below 1, or there are not three.
    """
    sizes = shape if hasattr(shape, "__len__") else (shape, shape, 1)
    if len(sizes) != 3:
        raise ValueError(
            f"shape is {shown(shape)}: expected (height, width, channels), such as (28, 28, 1)."
        )
    height, width, channels = checked_shape("shape", sizes)
    return height, width, channels


def shown(value: Any) -> str:
    """A value in an error message: its `repr`, or the kind and shape of what is long."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape):
        return f"{type(value).__name__} of shape {tuple(shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def checked_seed(seed: Any) -> int:
    """Returns the seed of samples as an int, 0 to 2**31 - 1: exports take it as an int32.

    Raises:
        TypeError: If it is no integer.
        ValueError: If it is out of range.
    """
    return checked_integer("seed", seed, 0, 2**31 - 1)
