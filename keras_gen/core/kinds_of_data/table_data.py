"""Edges for vectors, and for table rows that become vectors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_names
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
from keras_gen.core.network_checks import UNBOUNDED
from keras_gen.data.transforms.cells import RowCells, in_frame
from keras_gen.data.transforms.tables import (
    Column,
    RowVectors,
    as_table,
    is_table_file,
    refuse_deviation,
    row_texts,
    table_rows,
    varies,
)
from keras_gen.tensor_checks import require

# Range of log mel magnitudes, slightly wider than from log(1e-5) to a full-scale sine wave.
LOG_MEL_RANGE = (-16.0, 12.0)
LOG_MEL = "natural logarithms of magnitudes, -16 to 12 (multiply decibels by 0.1151)"
# Maximum absolute value of a number inside a model. Networks turn larger numbers into NaN.
MOST = 1e30


class Table(Edge):
    """Table rows. Inside the model, vectors of standardized numbers and one-hot categories.

    Args:
        columns: Columns, as returned by `keras_gen.data.table_columns`.
        name: Name used by clients.

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
    def described_columns(self):
        return [column.described() for column in self.vectors.columns]

    @override
    def as_array(self, values):
        names = [column.name for column in self.vectors.columns]
        if is_table(values):
            return table_rows(values, names)
        values = super().as_array(values)
        return row_texts(values, names) if _may_have_gaps(values) else values

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts strings `[batch, columns]`, as read from a CSV file, or vectors of rows."""
        values = as_tensor(values, self.name)
        if values.dtype != tf.string:
            return Vectors((self.vectors.size,), "vectors").prepare(values)
        columns = [column.name for column in self.vectors.columns]
        if not values.shape.is_compatible_with([None, len(columns)]):
            raise ValueError(
                f"Rows have shape {values.shape}: expected [batch, {len(columns)}], with the "
                f"columns {', '.join(columns)}. Convert columns with keras_gen.data.table_rows."
            )
        return self.vectors(values)

    @override
    def spec(self):
        return tf.TensorSpec([None, len(self.vectors.columns)], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.vectors.size], tf.float32)


class Rows(Edge):
    """Table rows. Inside the model, float32 cell numbers (see `RowCells`), with -1 for gaps.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        name: Name used by clients.
    """

    def __init__(self, columns: Sequence[Column], name: str = "rows"):
        self.name = name
        self.cells = RowCells(columns)
        self.names = [column.name for column in self.cells.columns]
        self.example = np.full([1, len(self.names)], "")

    @override
    def of_columns(self, values):
        is_dict = isinstance(values, Mapping) and not values.keys() <= {"x", self.name}
        return self.as_array(values) if is_dict or is_table_file(values) else values

    @override
    def as_array(self, values):
        """Converts a table, the path of a CSV file, or rows to strings `[n, columns]`."""
        values = as_table(values)
        if is_table(values) or isinstance(values, Mapping):
            return table_rows(values, self.names, gaps=True)
        values = super().as_array(values)
        of_rows = hasattr(values, "dtype") or np.ndim(np.array(values, object)) == 2
        if tf.is_tensor(values) or not of_rows:
            return values
        return row_texts(values, self.names, gaps=True)

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts strings `[batch, columns]`, empty for gaps, or the cell numbers of rows."""
        values = as_tensor(values, self.name)
        columns = len(self.names)
        if values.dtype != tf.string:
            return self._checked_cells(values)
        if not values.shape.is_compatible_with([None, columns]):
            raise ValueError(
                f"Rows have shape {values.shape}: expected [batch, {columns}], with the columns "
                f"{', '.join(self.names)}."
            )
        return self.cells(tf.ensure_shape(values, [None, columns]))

    def _checked_cells(self, values):
        """Returns cells `[n, columns]`; rejects numbers of cells that a column does not have."""
        cells = of_shape(as_numbers(values, "Cells"), (len(self.names),), "Cells")
        counts = [len(column.shares) for column in self.cells.columns]
        right = (cells >= -1) & (cells < tf.constant(counts, tf.float32))
        first = tf.concat([tf.boolean_mask(cells, ~right), [0.0]], axis=0)[0]
        sentence = (
            "The cells contain {}: expected -1, or a cell index below the column's number "
            "of cells. To pass values instead of cell indices, use a DataFrame or a NumPy "
            "array."
        )
        with tf.control_dependencies([require(tf.reduce_all(right), sentence, first)]):
            return tf.identity(cells)

    @override
    def restore(self, values):
        return self.cells.texts(values)

    @override
    def described_columns(self):
        return [column.described() for column in self.cells.columns]

    @override
    def as_table(self, values):
        return in_frame(self.cells.columns, values)

    @override
    def spec(self):
        return tf.TensorSpec([None, len(self.names)], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, len(self.names)], tf.float32)


class KnownRows(Rows):
    """Table rows with gaps to fill. Inside the model, values are strings, empty for gaps."""

    @override
    def prepare(self, values) -> tf.Tensor:
        values = as_tensor(values, self.name)
        cells = super().prepare(values)
        texts = values if values.dtype == tf.string else super().restore(cells)
        return tf.where(cells < 0, "", texts)

    @override
    def restore(self, values):
        return values

    @override
    def inner_spec(self):
        return self.spec()


def _may_have_gaps(values) -> bool:
    """Returns whether values may be None or masked, unlike arrays of strings or numbers."""
    if not isinstance(values, list | tuple):
        return np.ma.isMaskedArray(values) or str(getattr(values, "dtype", "")) == "object"
    # Lists that contain only numbers are vectors.
    return any(
        value is None or isinstance(value, str | bytes)
        for value in np.ravel(np.array(values, object))
    )


@dataclasses.dataclass(frozen=True)
class Vectors(Edge):
    """Float32 numbers that are not scaled, such as latents, codes, or features.

    Args:
        shape: Shape of one example.
        name: Name used by clients.
    """

    shape: tuple
    name: str = "latents"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts finite numbers `[batch, *shape]`."""
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
    """Counts, such as the word counts of a document: nonnegative integers or floats.

    Inside the model, counts are float32. Outputs are also floats, because expected counts are not
    integers.

    Args:
        shape: Shape of one example.
        name: Name used by clients.

    Example:
        >>> Counts((2,)).prepare(np.array([[3, 0]], "uint8"))
        <tf.Tensor: shape=(1, 2), dtype=float32, numpy=array([[3., 0.]], dtype=float32)>
    """

    name: str = "counts"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts finite nonnegative numbers, `[batch, *shape]`."""
        subject = self.name.capitalize()
        most = np.finfo("float32").max
        values = super().prepare(values)
        return within(values, 0.0, most, subject, "finite numbers of at least 0", slack=0)

    @override
    def standardized(self):
        raise ValueError(
            "standardize is True, but the data are counts, which have a fixed unit: pass "
            "standardize=False."
        )


class StandardizedVectors(keras.layers.Layer, Edge):
    """Numbers in any units. Inside the model, columns have mean 0 and standard deviation 1.

    Columns are on the last axis. They are the columns of rows `[batch, columns]`, or the channels
    of time series `[batch, steps, channels]`. The first call to `fit` sets the mean and the
    standard deviation from its data (see `adapt`). The edge is a layer, so a model with this edge
    in `edges` saves both values. For a constant column, whose standard deviation is 0, the unit is
    unchanged inside the model, and every result contains the constant value. Numbers are
    standardized in float64; results are float32.

    Args:
        shape: Shape of one example.
        name: Name used by clients.

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
            raise ValueError(f"{name} have shape {self.shape}: expected known sizes.")
        # The means and standard deviations are float64, because float32 would round large numbers
        # before their mean is subtracted.
        units = dict(shape=self.shape[-1:], dtype="float64")
        self.mean = self.add_weight(name="mean", initializer="zeros", **units)
        self.deviation = self.add_weight(name="deviation", initializer="ones", **units)
        self.examples = self.add_weight(
            name="examples", shape=(), dtype="int64", initializer="zeros"
        )
        # Names of the columns if the model was trained on a DataFrame; otherwise empty.
        self.columns: tuple[str, ...] = ()
        self.built = True

    @override
    def as_array(self, values):
        if not is_table(values):
            return super().as_array(values)
        if self.columns:
            values = in_order(values, self.columns)
        return numbers_of_table(values)

    @override
    def described_columns(self):
        return [{"name": name, "type": "number"} for name in self.columns]

    def name_columns(self, names: Iterable) -> None:
        """Assigns names to the columns, one for each.

        Raises:
            TypeError: If `names` is not a list (for example, if it is a single string).
            ValueError: If a name is repeated, or if there is not exactly one name per column.
        """
        columns = checked_names("column_names", names)
        if len(columns) != self.shape[-1]:
            raise ValueError(
                f"{self.name} got {len(columns)} column names, {', '.join(columns)}: expected "
                f"{self.shape[-1]}, one per column."
            )
        self.columns = columns

    @property
    def adapted(self) -> bool:
        """Whether the mean and standard deviation have been set from data."""
        return int(self.examples.numpy()) > 0

    def adapt(self, batches: Iterable) -> None:
        """Computes the mean and the standard deviation over all examples in the batches.

        Raises:
            ValueError: If the shape does not match, if a number is not finite in float32, if a
                standard deviation is not between 1e-30 and 1e30, or if float32 cannot distinguish
                the numbers in a column (such as times within one hour, in seconds since 1970).
        """
        examples = 0
        count = 0
        mean = np.zeros(self.shape[-1])
        squares = np.zeros(self.shape[-1])
        least = np.full(self.shape[-1], np.inf)
        most = -least
        for batch in batches:
            values = checked_numbers(batch, self.name.capitalize())
            values = of_shape(values, self.shape, self.name.capitalize())
            examples += len(values)
            # NumPy computes the statistics, because TensorFlow treats subnormal numbers as 0.
            rows = values.numpy().astype(np.float64).reshape(-1, self.shape[-1])
            if not len(rows):
                continue
            self._refuse_non_finite(rows)
            # Chan, Golub, LeVeque (1983): the mean and the sum of squares are updated with another
            # batch.
            distance = rows.mean(axis=0) - mean
            fraction = len(rows) / (count + len(rows))
            mean += distance * fraction
            squares += rows.var(axis=0) * len(rows) + distance**2 * count * fraction
            least = np.minimum(least, rows.min(axis=0))
            most = np.maximum(most, rows.max(axis=0))
            count += len(rows)
        various = varies(least, most)
        # For a constant column, the computed mean and standard deviation would have rounding
        # errors.
        mean = np.where(various | (count == 0), mean, least)
        deviation = np.where(various, np.sqrt(squares / max(count, 1)), 0.0)
        self._refuse_rounding(mean, deviation)
        for column in np.flatnonzero(various):
            refuse_deviation(f"{column}, counted from 0,", deviation[column])
        self.mean.assign(mean)
        self.deviation.assign(deviation)
        self.examples.assign(examples)

    def _refuse_non_finite(self, rows):
        wrong = np.argwhere(~(np.abs(rows) <= np.finfo("float32").max))
        if len(wrong):
            row, column = wrong[0]
            sentence = _not_finite(self.name.capitalize(), "row", "3.4e38")
            raise ValueError(sentence.format(rows[row, column], column, row))

    def _refuse_rounding(self, mean, deviation):
        alike = np.flatnonzero((deviation > 0) & (deviation < 1e-6 * np.abs(mean)))
        if len(alike):
            column = alike[0]
            raise ValueError(
                f"{self.name.capitalize()} have mean {mean[column]:g} and standard deviation "
                f"{deviation[column]:g} in column {column}, counted from 0, so float32 cannot "
                "distinguish the column's values: first subtract a number near the mean."
            )

    def _units(self) -> tf.Tensor:
        """Returns the divisor of each column."""
        deviation = self.deviation.value
        return tf.where(deviation > 0, deviation, tf.ones_like(deviation))

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts finite numbers `[batch, *shape]` in the data's units."""
        subject = self.name.capitalize()
        values = of_shape(as_numbers(values, subject, tf.float64), self.shape, subject)
        standardized = (values - self.mean.value) / self._units()
        return finite(tf.cast(standardized, tf.float32), subject, values)

    @override
    def loses(self, values) -> bool:
        """Returns whether float32 rounds numbers `[n, *shape]` by over 0.1% of their spread."""
        if getattr(values, "dtype", None) != np.float64 or np.shape(values)[1:] != self.shape:
            return False
        rows = np.reshape(values, [-1, self.shape[-1]])
        with np.errstate(over="ignore", invalid="ignore"):  # such numbers are rejected later
            rounding = np.abs(rows - rows.astype(np.float32)).max(axis=0, initial=0)
            return bool((rounding > 1e-3 * rows.std(axis=0)).any())

    @override
    def restore(self, values):
        """Returns float32 numbers in the data's units."""
        values = tf.cast(values, tf.float64) * self.deviation.value + self.mean.value
        return tf.cast(values, tf.float32)

    @override
    def nats_outside(self, nats):
        # Change of variables for each value: p(x) = p((x - mean) / unit) / unit.
        values = math.prod(self.shape[:-1])
        log_units = tf.reduce_sum(tf.math.log(self._units()))
        return nats + values * tf.cast(log_units, tf.float32)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.float32)


def finite(values: tf.Tensor, subject: str, given: tf.Tensor | None = None) -> tf.Tensor:
    """Returns float32 numbers `[batch, ..., columns]`, and rejects NaN and numbers above `MOST`.

    Args:
        values: Numbers inside the model.
        subject: Subject of the error message.
        given: Numbers before they were standardized, for the error message; None if they were not.
    """
    # A finite number is appended, so that empty batches work.
    flat, shown = (
        tf.pad(tf.reshape(each, [-1]), [[0, 1]])
        for each in (values, values if given is None else given)
    )
    right = tf.abs(flat) <= MOST  # False for NaN
    first = tf.argmin(tf.cast(right, tf.int32), output_type=tf.int32)
    columns = tf.maximum(tf.shape(values)[-1], 1)
    found = shown[first], first % columns, first // columns
    most = f"{MOST:.0e}" + ("" if given is None else " standard deviations from the mean")
    sentence = _not_finite(subject, "batch row", most)
    with tf.control_dependencies([require(right[first], sentence, *found)]):
        return tf.identity(values)


def _not_finite(subject: str, row: str, most: str) -> str:
    """Returns the message about a number that is not finite, with its column and row."""
    return (
        f"{subject} have {{}} in column {{}} of {row} {{}}, counted from 0: expected finite "
        f"numbers up to {most}. Leave out such rows, or fill in the values."
    )


def in_order(table, names: Sequence[str]):
    """Returns a DataFrame with its columns in the order of the names.

    Raises:
        ValueError: If the columns of the table do not match the names.
    """
    found = list(map(str, table.columns))
    if sorted(found) != sorted(names):
        raise ValueError(
            f"The table has the columns {', '.join(found)}: expected {', '.join(names)}, the "
            "columns of the first training run."
        )
    return table[[table.columns[found.index(name)] for name in names]]


@dataclasses.dataclass(frozen=True)
class LogMel(Vectors):
    """Frames of log mel magnitudes (natural logarithm), `[batch, frames, bands]`.

    `keras_gen.core.sound_spectra.mel_frames` returns such frames, with a minimum of log(1e-5); the
    outputs of speech models may be slightly lower.

    Args:
        shape: `(frames, bands)`, where None allows any number of frames.
        name: Name used by clients.
    """

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts numbers in the range of log magnitudes, and rejects decibels."""
        return within(super().prepare(values), *LOG_MEL_RANGE, "Mel frames", LOG_MEL)
