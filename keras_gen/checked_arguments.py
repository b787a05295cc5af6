"""Checks arguments of networks, layers, and settings against their annotations."""

import contextlib
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, ParamSpec, TypeVar, overload

import keras
import numpy as np
import tensorflow as tf
import typing_extensions

from keras_gen.arguments import (
    MOST_SIZE,
    checked_choice,
    checked_flag,
    checked_integer,
    checked_list,
    checked_number,
    checked_seed,
    checked_shape,
    checked_size,
    checked_sizes,
    refuse_masked,
    shown,
)

P = ParamSpec("P")
R = TypeVar("R")

IMAGE = "height, width, channels"
FRAMES = "frames, height, width, channels"


@overload
def checked_arguments(function: Callable[P, R]) -> Callable[P, R]: ...


@overload
def checked_arguments(
    *,
    axes: str | None = IMAGE,
    open_sides: bool = False,
    square: bool = False,
    ranges: bool = True,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def checked_arguments(function=None, *, axes=IMAGE, open_sides=False, square=False, ranges=True):
    """Makes a function or class method reject arguments that contradict their annotations.

    Integers must be at least 1, or at least 0 if the default is 0. Shapes and sizes are converted
    to tuples of integers. The error message contains the argument's name, its value, and the
    expected value. Arguments whose annotations have no check, such as callables, are left to the
    function.

    Args:
        function: Function with annotations for all of its parameters.
        axes: Names of the axes of shapes, which are parameters whose names end in `shape`. If None,
            a shape may have any number of axes.
        open_sides: Whether the height and width in a shape may be None, for images of any size.
        square: Whether a single number may be passed as the shape of a square gray image with that
            side length.
        ranges: Whether the ranges of values are checked in addition to types; see `checked_types`.

    Example:
        >>> @checked_arguments
        ... def twice(filters: int = 32) -> int:
        ...     return 2 * filters
        >>> twice(-1)
        Traceback (most recent call last):
        ValueError: filters is -1: expected an integer of at least 1.
    """
    if function is None:
        options = dict(axes=axes, open_sides=open_sides, square=square, ranges=ranges)
        return functools.partial(checked_arguments, **options)

    @contextlib.contextmanager
    def check(bound):
        hints = _hints(function)
        for name, value in bound.arguments.items():
            parameter = bound.signature.parameters[name]
            parameter = parameter.replace(annotation=hints.get(name, parameter.empty))
            if parameter.kind is parameter.VAR_KEYWORD or name in ("self", "cls"):
                continue
            if value is None and not _may_be_none(parameter):
                raise TypeError(f"{name} is None: expected a value.")
            if not ranges:
                kind = parameter.annotation
                bound.arguments[name] = checked_by_type(name, kind, value, minimum=0)
            elif name.endswith("shape") and value is not None:
                whole = hasattr(value, "__len__") or not square
                sizes = value if whole else (value, value, 1)
                bound.arguments[name] = _shape(name, sizes, axes, open_sides)
            else:
                bound.arguments[name] = _checked(parameter, value)
        yield

    return with_bound(function, check)


def with_bound(
    function: Callable[P, R],
    context: Callable[[inspect.BoundArguments], contextlib.AbstractContextManager],
) -> Callable[P, R]:
    """Wraps a function to run in a context that receives, and may replace, its arguments."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # Python's own error names the function
        with context(bound):
            return function(*bound.args, **bound.kwargs)

    wrapped.__signature__ = signature  # type: ignore[attr-defined]  # read by Keras for layers
    return wrapped


def checked_types(function: Callable[P, R]) -> Callable[P, R]:
    """Makes a function reject arguments whose types differ from the annotations.

    Integers must be at least 0. Arrays must consist of unmasked numbers, and are passed to the
    function in the machine's byte order. The function itself must check all other ranges.
    """
    return checked_arguments(ranges=False)(function)


@functools.cache
def _hints(function) -> dict[str, Any]:
    """Returns the annotations as types instead of names, once all types are defined."""
    return typing.get_type_hints(function, include_extras=True)


def _may_be_none(parameter: inspect.Parameter) -> bool:
    """Returns whether None is allowed, or is left to the check in the annotation."""
    kind = parameter.annotation
    unknown = kind in (Any, object, parameter.empty) or isinstance(kind, typing.TypeVar)
    missing = parameter.default is None or type(None) in typing.get_args(kind)
    has_check = kind in (int, float) or typing.get_origin(kind) is Annotated or kind in _CHECKS
    return unknown or missing or has_check


def _checked(parameter: inspect.Parameter, value: Any) -> Any:
    name = parameter.name
    kind = parameter.annotation
    if kind is np.ndarray:
        return _finite_array(name, value)
    minimum = 0 if parameter.default == 0 else 1
    return checked_by_type(name, kind, value, minimum, MOST_SIZE)


def checked_by_type(
    name: str,
    kind: Any,
    value: Any,
    minimum: int | None = None,
    maximum: int | None = None,
) -> Any:
    """Checks an argument against its annotation and returns it; skips unsupported annotations.

    Args:
        name: Name of the argument in the error message.
        kind: Annotation, such as `int | None`. The metadata of an `Annotated` type is a check,
            which is a function that maps the argument's name and value to the value to store.
        value: Argument to check.
        minimum: Minimum value of an integer.
        maximum: Maximum value of an integer.

    Raises:
        TypeError: If the value's type does not match the annotation.
        ValueError: If an integer is out of range, if a number is not finite, or if a string is
            not one of the annotated choices.
    """
    parts = typing.get_args(kind)
    if type(None) in parts:
        if value is None:
            return None
        kind = typing.Union[tuple(part for part in parts if part is not type(None))]  # noqa: UP007
        parts = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Annotated:
        kind, *checks = typing.get_args(kind)
        for check in checks:
            value = check(name, value)
        return value
    if kind in (int | tuple[int, ...], int | tuple[int, int]):
        several = next(part for part in typing.get_args(kind) if part is not int)
        kind = several if isinstance(value, list | tuple) else int
    if kind == float | tf.Tensor and not tf.is_tensor(value):
        kind = float
    if typing.get_origin(kind) is typing.Literal:
        return checked_choice(name, value, typing.get_args(kind))
    if kind is int and name == "seed":
        return checked_seed(value)
    if kind is int:
        value = checked_integer(name, value, minimum)
        return checked_integer(name, value, maximum=maximum)
    if kind is float:
        return checked_number(name, value)
    origin = typing.get_origin(kind) or kind
    if origin is Callable:
        return _callable(name, value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(name, parts, value)
    if typing_extensions.is_protocol(kind):
        return _with_members(name, value, kind)
    if isinstance(kind, type) and (
        issubclass(kind, keras.Layer | keras.callbacks.Callback)
        or kind.__module__.startswith("keras_gen")
    ):
        return _instance(name, value, kind)
    if kind in _CHECKS:
        return _CHECKS[kind](name, value)
    if (
        isinstance(origin, type)
        and issubclass(origin, Iterable)
        and origin is not tuple
        and parts
    ):
        values = enumerate(checked_list(name, value))
        return [checked_by_type(f"{name}[{place}]", parts[0], each) for place, each in values]
    return value


def _mapping(name: str, parts: tuple, value: Any) -> Mapping:
    values = _instance(name, value, Mapping)
    if not parts or parts[-1] is Any:
        return values
    kind = parts[-1]
    return {key: checked_by_type(f"{name}[{key!r}]", kind, each) for key, each in values.items()}


def _shape(name: str, value: Any, axes: str | None, open_sides: bool) -> tuple[int | None, ...]:
    if axes is None:
        return checked_shape(name, value)
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "Keras' image data format is channels_first: expected channels_last. Call "
            "keras.config.set_image_data_format('channels_last')."
        )
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise TypeError(f"{name} is {shown(value)}: expected ({axes}).")
    sizes = list(value)
    if len(sizes) != len(axes.split(",")):
        raise ValueError(f"{name} is {shown(value)}: expected ({axes}).")
    if not open_sides:
        return checked_shape(name, sizes)
    return tuple(None if s is None else checked_size(name, s) for s in sizes)


def _pair(name: str, value: Any) -> tuple[int, ...]:
    sizes = checked_sizes(name, value)
    if len(sizes) != 2:
        raise ValueError(f"{name} is {shown(value)}: expected two integers.")
    return sizes


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    low, *high = (checked_number(name, number) for number in checked_list(name, value))
    if len(high) != 1 or low >= high[0]:
        raise ValueError(
            f"{name} is {shown(value)}: expected two numbers, the minimum and the maximum."
        )
    return low, *high


def _any_numbers(name: str, value: Any) -> list[float]:
    return [checked_number(name, number) for number in checked_list(name, value)]


def _text(name: str, value: Any) -> str:
    """Returns a str or, where Keras also accepts one (as for activations), a function."""
    if not isinstance(value, str) and not callable(value):
        raise TypeError(f"{name} is {shown(value)}: expected a string.")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_text(name, text) for text in checked_list(name, value))


def _callable(name: str, value: Any) -> Any:
    if not callable(value):
        raise TypeError(f"{name} is {shown(value)}: expected a function.")
    return value


def _with_members(name: str, value: Any, kind: type) -> Any:
    members = sorted(typing_extensions.get_protocol_members(kind))
    if not all(hasattr(value, member) for member in members):
        raise TypeError(
            f"{name} is {shown(value)}: expected an object with the members {', '.join(members)}."
        )
    return value


def _instance(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {shown(value)}: expected {_public_name(kind)}.")
    return value


def _public_name(kind: type) -> str:
    if kind is Mapping:
        return "a dict"
    in_keras = kind in (keras.Model, keras.Layer, keras.callbacks.Callback)
    name = f"keras.{kind.__name__}" if in_keras else kind.__name__
    return f"an {name}" if name[0] in "AEIO" else f"a {name}"


def checked_array(name: str, value: Any) -> np.ndarray:
    """Returns an argument as an array of numbers, in the machine's byte order.

    Raises:
        TypeError: If the argument is not an array of numbers, or has no axes.
        ValueError: If values are masked.
    """
    message = f"{name} is {shown(value)}: expected an array of numbers."
    refuse_masked(name, value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(message) from None
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise TypeError(message)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def checked_tensor(name: str, value: Any) -> tf.Tensor:
    """Returns an argument as a tensor of numbers with the same dtype.

    Raises:
        TypeError: If the argument is not a tensor, an array, or a list of numbers.
        ValueError: If values are masked.
    """
    message = f"{name} is {shown(value)}: expected a tensor of numbers."
    refuse_masked(name, value)
    if isinstance(value, np.ndarray):
        value = np.asarray(value, value.dtype.newbyteorder("="))
    try:
        tensor = tf.convert_to_tensor(value)
    except (OverflowError, TypeError, ValueError):
        raise TypeError(message) from None
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer):
        raise TypeError(message)
    return tensor


def _stateless_seed(name: str, value: Any) -> tf.Tensor:
    seed = checked_tensor(name, value)
    if not seed.dtype.is_integer or not seed.shape.is_compatible_with([2]):
        raise ValueError(
            f"{name} is {shown(value)}: expected a stateless seed, which consists of two "
            "integers."
        )
    return seed


StatelessSeed = Annotated[tf.Tensor, _stateless_seed]
"""Two integers, as an array or a tensor `[2]`."""


def _finite_array(name: str, value: Any) -> np.ndarray:
    array = checked_array(name, value)
    if not array.ndim or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} is {shown(value)}: expected an array of finite numbers.")
    return array


_CHECKS: dict[Any, Callable[[str, Any], Any]] = {
    bool: checked_flag,
    str: _text,
    list: checked_list,
    tuple: checked_sizes,
    tuple[int, ...]: checked_sizes,
    tuple[int, int]: _pair,
    Sequence[int]: checked_sizes,
    tuple[str, ...]: _texts,
    tuple[float, float]: _numbers,
    np.ndarray: checked_array,
    Sequence[float]: _any_numbers,
    tuple[float, ...]: _any_numbers,
    tf.Tensor: checked_tensor,
}
