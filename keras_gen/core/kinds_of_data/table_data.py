"""Vectors, and rows of a table that become vectors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.checks.networks import UNBOUNDED
from keras_gen.core.kinds_of_data.kind_of_data import (
    Edge,
    as_numbers,
    as_tensor,
    checked_numbers,
    is_table,
    numbers_of_table,
    of_shape,
    within,
)
from keras_gen.data.transforms.tables import Column, RowVectors, row_texts, table_rows
from keras_gen.tensor_checks import require

# Standard deviations of columns whose values, and samples of them, float32 can hold.
LEAST_DEVIATION = 1e-30
LARGEST_DEVIATION = 1e30
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
    def as_array(self, values):
        names = [column.name for column in self.vectors.columns]
        if is_table(values):
            return table_rows(values, names)
        values = super().as_array(values)
        return row_texts(values, names) if _may_have_gaps(values) else values

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes strings `[batch, columns]`, as a CSV reader gives them, or vectors of such rows."""
        values = as_tensor(values, self.name)
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


def _may_have_gaps(values) -> bool:
    """Whether values may be None or masked, unlike arrays of texts or numbers."""
    if not isinstance(values, list | tuple):
        return np.ma.isMaskedArray(values) or str(getattr(values, "dtype", "")) == "object"
    # Lists of numbers alone are vectors.
    return any(
        value is None or isinstance(value, str | bytes)
        for value in np.ravel(np.array(values, object))
    )


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
        subject = self.name.capitalize()
        return finite(of_shape(as_numbers(values, subject), self.shape, subject), subject)

    @override
    def standardized(self):
        return StandardizedVectors(self.shape, self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.float32)


@dataclasses.dataclass(frozen=True)
class Counts(Vectors):
    """Counts, such as those of a document's words: integers or floats from 0 on, inside float32.

    What leaves are floats too: expected counts are no whole numbers.

    Args:
        shape: Shape of one example.
        name: Name under which clients know them.

    Example:
        >>> Counts((2,)).prepare(np.array([[3, 0]], "uint8"))
        <tf.Tensor: shape=(1, 2), dtype=float32, numpy=array([[3., 0.]], dtype=float32)>
    """

    name: str = "counts"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes finite numbers from 0 on, `[batch, *shape]`."""
        subject = self.name.capitalize()
        most = np.finfo("float32").max
        values = super().prepare(values)
        return within(values, 0.0, most, subject, "finite numbers from 0 on", slack=0)

    @override
    def standardized(self):
        raise ValueError(
            "standardize=True is for numbers in any units, and counts have one: pass "
            "standardize=False."
        )


class StandardizedVectors(keras.layers.Layer, Edge):
    """Numbers in any units, inside with mean 0 and standard deviation 1 in each column.

    Columns are the last axis: those of rows `[batch, columns]`, the channels of series `[batch,
    steps, channels]`. The first `fit` sets the mean and the standard deviation from its data
    (`adapt`). The edge is a layer, so that a model which has it among its `edges` saves them. A
    column of one value keeps its unit. Numbers are standardized in float64; results are float32.

    Args:
        shape: Shape of one example.
        name: Name under which clients know them.

    Example:
        >>> edge = StandardizedVectors((2,))
        >>> edge.adapt([np.array([[10.0, 0.2], [30.0, 0.2]])])
        >>> edge.prepare([[40.0, 0.2]])
        <tf.Tensor: shape=(1, 2), dtype=float32, numpy=array([[2., 0.]], dtype=float32)>
    """

    span = UNBOUNDED

    def __init__(self, shape: tuple, name: str = "vectors"):
        super().__init__(name=name, dtype="float32", trainable=False)
        self.shape = tuple(shape)
        if None in self.shape:
            raise ValueError(f"{name} have the shape {self.shape}: expected known sizes.")
        # In float64: float32 would round large numbers before their mean is subtracted.
        units = dict(shape=self.shape[-1:], dtype="float64")
        self.mean = self.add_weight(name="mean", initializer="zeros", **units)
        self.deviation = self.add_weight(name="deviation", initializer="ones", **units)
        self.examples = self.add_weight(
            name="examples", shape=(), dtype="int64", initializer="zeros"
        )
        # The names of the columns, of a model that was trained with a DataFrame.
        self.columns: tuple[str, ...] = ()
        self.built = True

    @override
    def as_array(self, values):
        if not is_table(values):
            return super().as_array(values)
        if self.columns:
            values = in_order(values, self.columns)
        return numbers_of_table(values)

    @property
    def adapted(self) -> bool:
        """Whether mean and deviation are those of data."""
        return int(self.examples.numpy()) > 0

    def adapt(self, batches: Iterable) -> None:
        """Sets the mean and the standard deviation to those of all examples in batches of them.

        Raises:
            ValueError: If the shape does not match, a number is not finite in float32, a standard
                deviation is not in 1e-30 to 1e30, or float32 cannot tell the numbers of a column
                apart, as with the seconds of one hour, counted from 1970.
        """
        examples = 0
        count = 0
        mean = np.zeros(self.shape[-1])
        squares = np.zeros(self.shape[-1])
        for batch in batches:
            values = checked_numbers(batch, self.name.capitalize())
            values = of_shape(values, self.shape, self.name.capitalize())
            examples += len(values)
            # In NumPy, for TensorFlow takes subnormal numbers for 0.
            rows = values.numpy().astype(np.float64).reshape(-1, self.shape[-1])
            if not len(rows):
                continue
            self._refuse_non_finite(rows)
            # Chan, Golub, LeVeque (1983): what a further batch adds to mean and squares.
            distance = rows.mean(axis=0) - mean
            fraction = len(rows) / (count + len(rows))
            mean += distance * fraction
            squares += rows.var(axis=0) * len(rows) + distance**2 * count * fraction
            count += len(rows)
        deviation = np.sqrt(squares / max(count, 1))
        # That of one value alone is what rounding makes of 0.
        varies = deviation > 1e-12 * np.abs(mean)
        self._refuse_rounding(mean, deviation, varies)
        self._refuse_scale(deviation, varies)
        self.mean.assign(mean)
        self.deviation.assign(np.where(varies, deviation, 1.0))
        self.examples.assign(examples)

    def _refuse_non_finite(self, rows):
        wrong = np.argwhere(~(np.abs(rows) <= np.finfo("float32").max))
        if len(wrong):
            row, column = wrong[0]
            sentence = _not_finite(self.name.capitalize(), "row")
            raise ValueError(sentence.format(rows[row, column], column, row))

    def _refuse_rounding(self, mean, deviation, varies):
        alike = np.flatnonzero(varies & (deviation < 1e-6 * np.abs(mean)))
        if len(alike):
            column = alike[0]
            raise ValueError(
                f"{self.name.capitalize()} have the mean {mean[column]:g} and the standard "
                f"deviation {deviation[column]:g} in column {column}, counted from 0, which "
                "float32 cannot tell apart: subtract a number near the mean first."
            )

    def _refuse_scale(self, deviation, varies):
        inside = (deviation >= LEAST_DEVIATION) & (deviation <= LARGEST_DEVIATION)
        outside = np.flatnonzero(varies & ~inside)
        if len(outside):
            column = outside[0]
            raise ValueError(
                f"{self.name.capitalize()} have the standard deviation {deviation[column]:g} in "
                f"column {column}, counted from 0: expected {LEAST_DEVIATION:g} to "
                f"{LARGEST_DEVIATION:g}, beyond which float32 loses numbers. Choose another unit "
                "for this column."
            )

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes finite numbers `[batch, *shape]` in the units of the data."""
        subject = self.name.capitalize()
        values = of_shape(as_numbers(values, subject, tf.float64), self.shape, subject)
        standardized = (values - self.mean.value) / self.deviation.value
        return finite(tf.cast(standardized, tf.float32), subject)

    def loses(self, values) -> bool:
        """Whether float32 rounds numbers `[n, *shape]` by over a thousandth of their spread."""
        if getattr(values, "dtype", None) != np.float64 or np.shape(values)[1:] != self.shape:
            return False
        rows = np.reshape(values, [-1, self.shape[-1]])
        with np.errstate(over="ignore", invalid="ignore"):  # such numbers are refused later
            rounding = np.abs(rows - rows.astype(np.float32)).max(axis=0, initial=0)
            return bool((rounding > 1e-3 * rows.std(axis=0)).any())

    @override
    def restore(self, values):
        """Returns float32 in the units of the data."""
        values = tf.cast(values, tf.float64) * self.deviation.value + self.mean.value
        return tf.cast(values, tf.float32)

    @override
    def nats_outside(self, nats):
        # Of each value: p(x) = p((x - mean) / deviation) / deviation.
        values = math.prod(self.shape[:-1])
        log_units = tf.reduce_sum(tf.math.log(self.deviation.value))
        return nats + values * tf.cast(log_units, tf.float32)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.float32)


def finite(values: tf.Tensor, subject: str) -> tf.Tensor:
    """Returns float32 numbers `[batch, ..., columns]`, refused if one is NaN or infinite."""
    # One more number is finite, and there where the batch is empty.
    flat = tf.pad(tf.reshape(values, [-1]), [[0, 1]])
    wrong = ~tf.math.is_finite(flat)
    first = tf.argmax(tf.cast(wrong, tf.int32), output_type=tf.int32)
    columns = tf.maximum(tf.shape(values)[-1], 1)
    found = flat[first], first % columns, first // columns
    sentence = _not_finite(subject, "batch row")
    with tf.control_dependencies([require(~wrong[first], sentence, *found)]):
        return tf.identity(values)


def _not_finite(subject: str, row: str) -> str:
    """The sentence about a number, its column, and its row."""
    return (
        f"{subject} have {{}} in column {{}} of {row} {{}}, counted from 0: expected finite "
        "numbers up to 3.4e38; leave such rows out, or fill them in."
    )


def in_order(table, names: Sequence[str]):
    """Returns a DataFrame with its columns in the order of the names.

    Raises:
        ValueError: If it has other columns.
    """
    found = list(map(str, table.columns))
    if sorted(found) != sorted(names):
        raise ValueError(
            f"The table has the columns {', '.join(found)}: expected {', '.join(names)}, as in the "
            "first training."
        )
    return table[[table.columns[found.index(name)] for name in names]]


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
