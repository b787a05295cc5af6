"""The arguments of networks' functions, checked by their annotations before anything is built."""

import functools
import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, overload

import keras
import numpy as np

from keras_gen.arguments import (
    checked_choice,
    checked_flag,
    checked_list,
    checked_number,
    checked_seed,
    checked_shape,
    checked_size,
    shown,
)

P = ParamSpec("P")
R = TypeVar("R")

IMAGE = "height, width, channels"
FRAMES = "frames, height, width, channels"
# Integers that may be 0 though their defaults are not.
FROM_ZERO = (
    "blocks", "continuous", "depth", "frequencies", "kept", "seed", "shared_blocks",
    "strided_layers",
)  # fmt: skip
# Of numbers, the smallest and the largest.
LIMITS = {"dropout": (0, 1)}


@overload
def checked_arguments(function: Callable[P, R]) -> Callable[P, R]: ...


@overload
def checked_arguments(
    *, axes: str | None = IMAGE, open_sides: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def checked_arguments(function=None, *, axes=IMAGE, open_sides=False):
    """Makes a function refuse arguments that cannot be what their annotations say.

    Integers are at least 1, or 0 if that is their default; shapes and sizes become tuples of
    integers. The sentence names the argument, the value and what is expected.

    Args:
        function: The function, all of whose parameters are annotated.
        axes: Names of the axes of a parameter that ends in `shape`; None for any number.
        open_sides: Whether sides of a shape may be None: images of any size.

    Example:
        >>> @checked_arguments
        ... def twice(filters: int = 32) -> int:
        ...     return 2 * filters
        >>> twice(-1)
        Traceback (most recent call last):
        ValueError: filters must be at least 1, found -1.
    """
    if function is None:
        return functools.partial(checked_arguments, axes=axes, open_sides=open_sides)
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            if name.endswith("shape") and value is not None:
                bound.arguments[name] = _shape(name, value, axes, open_sides)
            else:
                bound.arguments[name] = _checked(parameter, value)
        return function(*bound.args, **bound.kwargs)

    return checked


def _checked(parameter: inspect.Parameter, value: Any) -> Any:
    name = parameter.name
    kind = parameter.annotation
    parts = typing.get_args(kind)
    if type(None) in parts:
        if value is None:
            return None
        kind = typing.Union[tuple(part for part in parts if part is not type(None))]  # noqa: UP007
    if kind == int | tuple[int, ...]:
        kind = tuple[int, ...] if isinstance(value, list | tuple) else int
    if typing.get_origin(kind) is typing.Literal:
        return checked_choice(name, value, typing.get_args(kind))
    if kind is int:
        if name == "seed":
            return checked_seed(value)
        may_be_zero = name in FROM_ZERO or parameter.default == 0
        return checked_size(name, value, minimum=0 if may_be_zero else 1)
    if kind is float:
        return checked_number(name, value, *LIMITS.get(name, ()))
    return _CHECKS[kind](name, value)


def _shape(name: str, value: Any, axes: str | None, open_sides: bool) -> tuple[int | None, ...]:
    if axes is None:
        return checked_shape(name, value)
    sizes = checked_list(f"{name}, ({axes}),", value)
    if len(sizes) != len(axes.split(",")):
        raise ValueError(f"{name} is {shown(value)}: expected ({axes}).")
    if not open_sides:
        return checked_shape(name, sizes)
    return tuple(None if s is None else checked_size(name, s) for s in sizes)


def _sizes(name: str, value: Any) -> tuple[int, ...]:
    least = 0 if name in FROM_ZERO else 1
    return tuple(checked_size(name, s, minimum=least) for s in checked_list(name, value))


def _pair(name: str, value: Any) -> tuple[int, ...]:
    sizes = _sizes(name, value)
    if len(sizes) != 2:
        raise ValueError(f"{name} is {shown(value)}: expected two integers.")
    return sizes


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    low, *high = (checked_number(name, number) for number in checked_list(name, value))
    if len(high) != 1 or low >= high[0]:
        raise ValueError(f"{name} is {shown(value)}: expected the lowest and the highest value.")
    return low, *high


def _text(name: str, value: Any) -> str:
    """A text, or a function where Keras takes both, as for an activation."""
    if not isinstance(value, str) and not callable(value):
        raise TypeError(f"{name} must be a text, found {shown(value)}.")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_text(name, text) for text in checked_list(name, value))


def _network(name: str, value: Any) -> keras.Model:
    if not isinstance(value, keras.Model):
        raise TypeError(f"{name} must be a keras.Model, found {shown(value)}.")
    return value


def _layer(name: str, value: Any) -> keras.Layer:
    if not isinstance(value, keras.Layer):
        raise TypeError(f"{name} must be a keras.Layer, found {shown(value)}.")
    return value


def _array(name: str, value: Any) -> np.ndarray:
    array = np.asarray(value)
    if (
        array.dtype.kind not in "biuf"
        or not array.ndim
        or not array.size
        or not np.isfinite(array).all()
    ):
        raise ValueError(f"{name} must be an array of finite numbers, found {shown(value)}.")
    return array


_CHECKS: dict[Any, Callable[[str, Any], Any]] = {
    bool: checked_flag,
    str: _text,
    tuple: _sizes,
    tuple[int, ...]: _sizes,
    tuple[int, int]: _pair,
    Sequence[int]: _sizes,
    tuple[str, ...]: _texts,
    tuple[float, float]: _numbers,
    keras.Model: _network,
    keras.Layer: _layer,
    np.ndarray: _array,
}
