"""Edges for seeds, and for values shared by all examples, such as a temperature or a choice."""

from __future__ import annotations

import dataclasses

import tensorflow as tf
from typing_extensions import override

from keras_gen.core.kinds_of_data.kind_of_data import (
    Edge,
    as_tensor,
    integers_within,
    of_shape,
)
from keras_gen.tensor_checks import require


@dataclasses.dataclass(frozen=True)
class Number(Edge):
    """A single number for all examples, such as a temperature.

    Args:
        low: Minimum value.
        high: Maximum value.
        name: Name used by clients.
        why: Explanation that follows the expected range in error messages.
    """

    low: float
    high: float
    name: str
    why: str = ""

    @override
    def prepare(self, values) -> tf.Tensor:
        expected = f"a number in [{self.low:g}, {self.high:g}]{self.why}"
        values = as_tensor(values, self.name, expected)
        if values.shape.rank:
            raise ValueError(f"{self.name} has shape {values.shape}: expected a single number.")
        if not (values.dtype.is_floating or values.dtype.is_integer):
            raise TypeError(f"{self.name} has dtype {values.dtype.name}: expected {expected}.")
        values = tf.cast(values, tf.float32)
        return _in_range(values, self.low, self.high, self.name, expected)

    @override
    def inner_spec(self):
        return tf.TensorSpec([], tf.float32)


@dataclasses.dataclass(frozen=True)
class Integer(Edge):
    """A single integer for all examples, such as a number of steps.

    Args:
        low: Minimum value.
        high: Maximum value.
        name: Name used by clients.

    Example:
        >>> Integer(1, 1000, "steps").prepare(50)
        <tf.Tensor: shape=(), dtype=int32, numpy=50>
    """

    low: int
    high: int
    name: str

    @override
    def prepare(self, values) -> tf.Tensor:
        expected = f"an integer in [{self.low}, {self.high}]"
        values = as_tensor(values, self.name, expected)
        if values.shape.rank:
            raise ValueError(f"{self.name} has shape {values.shape}: expected a single integer.")
        if not values.dtype.is_integer:
            raise TypeError(f"{self.name} has dtype {values.dtype.name}: expected {expected}.")
        return tf.cast(_in_range(values, self.low, self.high, self.name, expected), tf.int32)

    @override
    def inner_spec(self):
        return tf.TensorSpec([], tf.int32)


def _in_range(value, low, high, name, expected):
    """Checks that a single number is in [low, high]; NaN is not."""
    inside = (value >= low) & (value <= high)
    with tf.control_dependencies(
        [require(inside, f"{name} is {{}}: expected {expected}.", value)]
    ):
        return tf.identity(value)


@dataclasses.dataclass(frozen=True)
class Choice(Edge):
    """A name from a fixed list, chosen for all examples. The model receives the name's index.

    A model passes the index to `tf.switch_case(choice, functions)`.

    Args:
        options: Names, in order.
        name: Name used by clients.

    Example:
        >>> Choice(("euler", "heun"), "solver").prepare("heun")
        <tf.Tensor: shape=(), dtype=int32, numpy=1>
    """

    options: tuple[str, ...]
    name: str

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts one of the names."""
        names = f"one of {', '.join(self.options)}"
        expected = f"expected {names}."
        values = as_tensor(values, self.name, names)
        if values.dtype != tf.string or values.shape.rank:
            raise TypeError(
                f"{self.name} has dtype {values.dtype.name} and shape {values.shape}: {expected}"
            )
        same = tf.equal(values, tf.constant(self.options))
        known = require(tf.reduce_any(same), f"{self.name} is '{{}}': {expected}", values)
        with tf.control_dependencies([known]):
            return tf.argmax(tf.cast(same, tf.int32), output_type=tf.int32)

    @override
    def spec(self):
        return tf.TensorSpec([], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([], tf.int32)


@dataclasses.dataclass(frozen=True)
class Seeds(Edge):
    """Seeds for the noise of each example: integers `[batch]`, 0 to 2**31 - 1.

    Args:
        name: Name used by clients.

    Example:
        >>> Seeds().prepare([0, 1])
        <tf.Tensor: shape=(2,), dtype=int32, numpy=array([0, 1], dtype=int32)>
    """

    name: str = "seeds"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts integers `[batch]`."""
        seeds = of_shape(as_tensor(values, self.name), (), "Seeds")
        return integers_within(seeds, 0, 2**31 - 1, "Seeds")

    @override
    def inner_spec(self):
        return tf.TensorSpec([None], tf.int32)
