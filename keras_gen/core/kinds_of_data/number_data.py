"""Single numbers: of a choice, and of a seed."""

from __future__ import annotations

import dataclasses

import tensorflow as tf
from typing_extensions import override

from keras_gen.core.kinds_of_data.kind_of_data import (
    Edge,
    as_numbers,
    integers_within,
    of_shape,
    within,
)


@dataclasses.dataclass(frozen=True)
class Number(Edge):
    """One number for all examples, such as a temperature.

    Args:
        low: Smallest value.
        high: Largest value.
        name: Name under which clients know it.
    """

    low: float
    high: float
    name: str

    @override
    def prepare(self, values) -> tf.Tensor:
        values = as_numbers(values, self.name)
        if values.shape.rank:
            raise ValueError(f"{self.name} has shape {values.shape}: expected one number.")
        expected = f"a number in [{self.low:g}, {self.high:g}]"
        return within(values, self.low, self.high, self.name, expected, slack=0)

    @override
    def inner_spec(self):
        return tf.TensorSpec([], tf.float32)


@dataclasses.dataclass(frozen=True)
class Seeds(Edge):
    """Seeds of the noise of each example: integers `[batch]`, 0 to 2**31 - 1.

    Args:
        name: Name under which clients know them.

    Example:
        >>> Seeds().prepare([0, 1])
        <tf.Tensor: shape=(2,), dtype=int32, numpy=array([0, 1], dtype=int32)>
    """

    name: str = "seeds"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes integers `[batch]`."""
        seeds = of_shape(tf.convert_to_tensor(values), (), "Seeds")
        return integers_within(seeds, 0, 2**31 - 1, "Seeds")

    @override
    def inner_spec(self):
        return tf.TensorSpec([None], tf.int32)
