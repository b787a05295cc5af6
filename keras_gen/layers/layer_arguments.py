"""Types of the arguments and inputs of layers."""

from collections.abc import Sequence
from typing import Annotated, Any

import keras

from keras_gen.arguments import checked_below_1, checked_number, checked_odd, shown


def _activation(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, str) and not callable(value):
        raise TypeError(f"{name} is {shown(value)}: expected a string or a function.")
    return keras.activations.get(value)


def _initializer(name: str, value: Any) -> Any:
    if not isinstance(value, str) and not callable(value):
        raise TypeError(f"{name} is {shown(value)}: expected a string or an initializer.")
    return keras.initializers.get(value)


def _odd_sides(name: str, value: Any) -> tuple[int, int]:
    sides = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(sides) != 2 or any(isinstance(side, int) and side % 2 == 0 for side in sides):
        raise ValueError(f"{name} is {shown(value)}: expected odd sides, such as 3 or 7.")
    return checked_odd(name, sides[0]), checked_odd(name, sides[1])


def _inside(name: str, value: Any) -> float:
    number = checked_number(name, value)
    if not 0 < number < 1:
        raise ValueError(f"{name} is {number}: expected a number above 0 and below 1.")
    return number


Activation = Annotated[Any, _activation]
"""A function of tensors, or its name; None is the identity."""
Initializer = Annotated[Any, _initializer]
"""A weight initializer, or its name."""
OddSide = Annotated[int, checked_odd]
"""An odd side of a kernel."""
OddSides = Annotated[Any, _odd_sides]
"""Odd sides of a kernel, (height, width), or a single number for both."""
FractionBelow1 = Annotated[float, checked_below_1]
"""A number in [0, 1)."""
Inside0And1 = Annotated[float, _inside]
"""A number in (0, 1)."""


def require_input(layer: keras.Layer, shape: Sequence, right: Any, expected: str) -> None:
    """Unless `right` is true, raises a ValueError that describes a layer's input shape."""
    if not right:
        raise ValueError(
            f"{type(layer).__name__} got input of shape {tuple(shape)}: expected {expected}."
        )


def require_pair(network: keras.Model, found: Sequence, wanted: Any, names: str) -> None:
    """Raises a ValueError unless both outputs of a network are as expected.

    Args:
        network: Network to check.
        found: Shape, or number of channels, of each output.
        wanted: Expected shape, or number of channels, of each output.
        names: Names of the outputs.
    """
    if list(found) != [wanted] * 2:
        raise ValueError(
            f"The network '{network.name}' has outputs of shapes {list(found)}: expected two "
            f"outputs, {names}, each of shape {wanted}."
        )
