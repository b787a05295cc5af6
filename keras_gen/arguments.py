"""Checks for arguments passed by users."""

import contextlib
import math
import operator
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sized
from pathlib import Path
from typing import Any

import numpy as np

MOST_SIZE = 2**20
"""Maximum number of units, classes, or similar items; more items would exhaust the memory."""
MOST_STEPS = 10_000
"""Maximum number of steps in a loop that runs within one call, such as an attack."""
LONGEST = 60  # maximum number of characters of a value in an error message


def checked_integer(
    name: str, value: Any, minimum: int | None = None, maximum: int | None = None
) -> int:
    """Validates an argument and returns it as an int. Both limits are inclusive.

    Raises:
        TypeError: If `value` is not an integer. Booleans are rejected.
        ValueError: If `value` is below `minimum` or above `maximum`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or _is_flag(value):
        expected = _limited("an integer", minimum, maximum)
        raise TypeError(f"{name} is {shown(value)}: expected {expected}.")
    if not _within(number, minimum, maximum):
        expected = _limited("an integer", minimum, maximum)
        raise ValueError(f"{name} is {shown(number)}: expected {expected}.")
    return number


def is_one_of(value: Any, integers: Collection[int]) -> bool:
    """Whether a value is one of some integers; a boolean, a float, or an array is not."""
    whole = isinstance(value, int | np.integer) and not _is_flag(value)
    return whole and value in integers


def checked_size(name: str, value: Any, minimum: int = 1) -> int:
    """Validates the number of units, classes, or other items that use memory. The maximum is 2**20.

    Raises:
        TypeError: If the argument is not an integer.
        ValueError: If the argument is below `minimum` or above 2**20.
    """
    return checked_integer(name, checked_integer(name, value, minimum), maximum=MOST_SIZE)


def checked_number(
    name: str, value: Any, minimum: float | None = None, maximum: float | None = None
) -> float:
    """Validates an argument and returns it as a finite float. Both limits are inclusive.

    Raises:
        TypeError: If `value` is not a number. Booleans are rejected.
        ValueError: If `value` is not finite, or is outside [`minimum`, `maximum`].
    """
    expected = _limited("a number", minimum, maximum)
    if not _is_number(value):
        raise TypeError(f"{name} is {shown(value)}: expected {expected}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not _within(number, minimum, maximum):
        expected = "a finite number" if expected == "a number" else expected
        raise ValueError(f"{name} is {number:g}: expected {expected}.")
    return number


def checked_positive(name: str, value: Any) -> float:
    """Validates an argument and returns it as a float above 0. For errors, see `checked_number`."""
    number = checked_number(name, value)
    if number <= 0:
        raise ValueError(f"{name} is {number:g}: expected a positive number.")
    return number


def checked_below_1(name: str, value: Any) -> float:
    """Returns an argument as a float in [0, 1). For errors, see `checked_number`."""
    number = checked_number(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} is {number}: expected a fraction of at least 0 and below 1.")
    return number


def checked_odd(name: str, value: Any, minimum: int = 1) -> int:
    """Returns an argument if it is odd and at most 2**20. For errors, see `checked_size`."""
    size = checked_size(name, value, minimum)
    if size % 2 == 0:
        raise ValueError(f"{name} is {size}: expected an odd number, such as 3 or 7.")
    return size


def checked_flag(name: str, value: Any) -> bool:
    """Returns an argument if it is True or False; otherwise raises a TypeError."""
    if not _is_flag(value):
        raise TypeError(f"{name} is {shown(value)}: expected True or False.")
    return bool(value)


def checked_choice(name: str, value: Any, options: Iterable[str]) -> str:
    """Returns an argument if it is one of the options; otherwise raises a ValueError."""
    options = tuple(options)
    if not isinstance(value, str) or value not in options:
        # If the value is the number 2, the string option "2" is shown in quotation marks.
        quoted = len(options) == 1 or str(value) in options
        known = ", ".join(map(repr, options) if quoted else options)
        one_of = "one of " * (len(options) > 1)
        raise ValueError(f"{name} is {shown(value)}: expected {one_of}{known}.")
    return value


def checked_list(name: str, value: Any) -> list:
    """Returns an iterable argument as a list; raises a TypeError for a str or a single value."""
    if not isinstance(value, str | bytes | Mapping):
        with contextlib.suppress(TypeError):  # the options are not iterable
            return list(value)
    raise TypeError(f"{name} is {shown(value)}: expected a list.")


def refuse_empty(name: str, values: Sized, what: str) -> None:
    """Raises a ValueError that asks for at least one of `what` if there are no values."""
    if not len(values):
        raise ValueError(f"{name} is empty: expected at least one {what}.")


def checked_names(name: str, value: Any) -> tuple[str, ...]:
    """Returns the names in a list as a tuple of strings.

    Raises:
        TypeError: If `value` is not a list.
        ValueError: If a name is repeated, or is not valid Unicode.
    """
    names = tuple(map(str, checked_list(name, value)))
    require_unicode(name, names)
    repeated = [each for each, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{name} contains {repeated[0]!r} twice: expected distinct names.")
    return names


def is_unicode(text: str) -> bool:
    """Returns whether a string has no unpaired surrogates, which UTF-8 cannot encode."""
    return text.isascii() or not re.search("[\ud800-\udfff]", text)


def require_unicode(name: str, texts: Iterable[Any]) -> None:
    """Raises a ValueError for the first string that is not valid Unicode; ignores other values."""
    for text in texts:
        if isinstance(text, str) and not is_unicode(text):
            raise ValueError(
                f"{name} contains {shown(text)}, which has an unpaired surrogate: expected "
                "valid Unicode. Replace it with text.encode('utf-8', 'replace').decode()."
            )


def checked_path(name: str, value: Any) -> Path:
    """Returns an argument as a `Path`. Integers, which `open` would accept, are rejected.

    Raises:
        TypeError: If `value` is neither a str nor a path (for example, if it is bytes or a file
            descriptor).
        ValueError: If `value` is empty or contains a NUL character.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise TypeError(f"{name} is {shown(value)}: expected a path, as a str or pathlib.Path.")
    if not os.fspath(value) or "\0" in os.fspath(value):
        raise ValueError(
            f"{name} is {shown(value)}: expected a nonempty path without NUL characters."
        )
    return Path(value)


def _is_flag(value) -> bool:
    # A Python bool is also a number, and NumPy has its own Boolean type.
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _is_number(value) -> bool:
    single = not tuple(getattr(value, "shape", ()))
    return hasattr(value, "__float__") and single and not _is_flag(value)


def _limited(kind: str, minimum, maximum) -> str:
    """Describes a value within limits, such as "an integer from 1 to 4"."""
    if maximum is None:
        return kind if minimum is None else f"{kind} of at least {minimum}"
    if minimum is None:
        return f"{kind} of at most {maximum}"
    return f"{kind} from {minimum} to {maximum}"


def _within(number, minimum, maximum) -> bool:
    return (minimum is None or number >= minimum) and (maximum is None or number <= maximum)


def checked_shape(name: str, value: Any) -> tuple[int, ...]:
    """Returns the shape of an example as a tuple of ints; a single number becomes a tuple of one.

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If a size is below 1 or above 2**20, or if there are no sizes.
    """
    sizes = value if hasattr(value, "__len__") else (value,)
    refuse_empty(name, sizes, "size")
    return tuple(checked_size(name, size) for size in sizes)


def checked_sizes(name: str, sizes: Any) -> tuple[int, ...]:
    """Returns an iterable of layer sizes as a tuple of ints. For errors, see `checked_size`."""
    return tuple(checked_size(name, size) for size in checked_list(name, sizes))


def only_given(**arguments: Any) -> Any:
    """Returns the only argument that is not None.

    Raises:
        ValueError: If all arguments are None, or if more than one is not None.
    """
    given = [value for value in arguments.values() if value is not None]
    if len(given) != 1:
        found = " and ".join(f"{name} is {shown(value)}" for name, value in arguments.items())
        raise ValueError(
            f"{found}: expected exactly one of these arguments. Leave out the others."
        )
    return given[0]


def check_levels(name: str, images: Any, axes: int | None = None) -> None:
    """Raises a ValueError unless images are uint8 (levels from 0 to 255) and have `axes` axes."""
    dtype = getattr(images.dtype, "name", images.dtype)
    if dtype != "uint8":
        raise ValueError(
            f"{name} has dtype {dtype} and shape {tuple(images.shape)}: expected uint8 levels from "
            "0 to 255."
        )
    if axes not in (None, len(images.shape)) or 0 in tuple(images.shape):
        expected = f"{axes} axes, each" if axes else "axes"
        raise ValueError(
            f"{name} has shape {tuple(images.shape)}: expected {expected} of size 1 or more."
        )


def count_hidden(values: Any) -> int:
    """Returns the number of masked values in an array, or in a list or dict of arrays."""
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, list | tuple):
        nested = (list, tuple, Mapping, np.ma.MaskedArray)
        return sum(count_hidden(each) for each in values if isinstance(each, nested))
    return int(np.ma.count_masked(values)) if np.ma.isMaskedArray(values) else 0


def refuse_masked(name: str, values: Any) -> None:
    """Raises a ValueError if values are masked in an array or in a list of arrays."""
    if hidden := count_hidden(values):
        raise ValueError(
            f"{name} is a masked array that hides {hidden} of its values: expected an array "
            "without missing values. Leave out the affected examples, or fill in the missing "
            "values with .filled(value)."
        )


def checked_array(name: str, values: Any, dtype: Any = None) -> np.ndarray:
    """Returns an argument as a NumPy array; raises a ValueError if some values are masked."""
    refuse_masked(name, values)
    return np.asarray(values, dtype)


def shown(value: Any) -> str:
    """Formats a value for an error message: as its `repr`, or as its type if the `repr` is long."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape):
        dtype = getattr(value, "dtype", None)
        name = str(getattr(dtype, "name", dtype))
        # NumPy includes the number of bits in the names of string types, such as str672.
        name = name.rstrip("0123456789") if name.startswith(("str", "bytes")) else name
        kind = "" if dtype is None else f" and dtype {name}"
        return f"{type(value).__name__} of shape {tuple(shape)}{kind}"
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python does not print integers of thousands of digits
        text = f"{type(value).__name__} with too many digits"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def checked_seed(seed: Any) -> int:
    """Returns a sampling seed as an int from 0 to 2**31 - 1, the range of seeds in exports (int32).

    Raises:
        TypeError: If the seed is not an integer.
        ValueError: If the seed is out of range.
    """
    return checked_integer("seed", seed, 0, 2**31 - 1)
