"""Vectors, and rows of a table that become vectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.kinds_of_data.kind_of_data import Edge, as_numbers, of_shape, within
from keras_gen.data.transforms.tables import Column, RowVectors

# Of frames of mel magnitudes, some way beyond log(1e-5) and a full-scale sine.
LOG_MEL_RANGE = (-16.0, 12.0)
LOG_MEL = "natural logarithms of magnitudes, -16 to 12; decibels times 0.1151 are such"


class Table(Edge):
    """Rows of a table, inside as vectors: numbers standardized, categories one-hot.

    Args:
        columns: The columns, as `keras_gen.data.table_columns` finds them.
        name: Name under which clients know the rows.

    Example:
        >>> Table([Column("age", mean=4.0), Column("kind", ("cat", "dog"))]).prepare([["3", "dog"]])
        <tf.Tensor: shape=(1, 3), dtype=float32, numpy=array([[-1.,  0.,  1.]], dtype=float32)>
    """

    def __init__(self, columns: Sequence[Column], name: str = "rows"):
        self.name = name
        self.vectors = RowVectors(columns)
        first = [(column.categories or (f"{column.mean:g}",))[0] for column in columns]
        self.example = np.array([first])

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes strings `[batch, columns]`, as a CSV reader gives them, or vectors of such rows."""
        values = tf.convert_to_tensor(values)
        if values.dtype != tf.string:
            return Vectors((self.vectors.size,), "vectors").prepare(values)
        columns = [column.name for column in self.vectors.columns]
        if not values.shape.is_compatible_with([None, len(columns)]):
            raise ValueError(
                f"Rows have shape {values.shape}: expected [batch, {len(columns)}], with the "
                f"columns {', '.join(columns)}; keras_gen.data.table_rows makes rows of columns."
            )
        return self.vectors(values)

    @override
    def spec(self):
        return tf.TensorSpec([None, len(self.vectors.columns)], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.vectors.size], tf.float32)


@dataclasses.dataclass(frozen=True)
class Vectors(Edge):
    """Float32 numbers as they are: latents, codes, features.

    Args:
        shape: Shape of one example.
        name: Name under which clients know them.
    """

    shape: tuple
    name: str = "latents"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes finite numbers `[batch, *shape]`."""
        values = as_numbers(values, self.name.capitalize())
        values = of_shape(values, self.shape, self.name.capitalize())
        most = np.finfo("float32").max
        return within(values, -most, most, self.name.capitalize(), "finite numbers", slack=0)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.float32)


@dataclasses.dataclass(frozen=True)
class LogMel(Vectors):
    """Frames of natural logarithms of mel magnitudes, `[batch, frames, bands]`.

    `keras_gen.core.sound_spectra.mel_frames` makes them, of at least log(1e-5); models of speech
    may go a little beyond.

    Args:
        shape: `(frames, bands)`; None for any number of frames.
        name: Name under which clients know them.
    """

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes numbers in the range of such logarithms, and refuses decibels."""
        return within(super().prepare(values), *LOG_MEL_RANGE, "Mel frames", LOG_MEL)
