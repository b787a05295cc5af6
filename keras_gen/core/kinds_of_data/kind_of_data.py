"""The base class of edges, and checks shared by several."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_gen.arguments import refuse_masked, require_unicode, shown
from keras_gen.data.transforms.tables import by_name, refuse_missing
from keras_gen.tensor_checks import require

PADDING = -1
"""Padding value in a sequence of levels; all losses ignore it."""


class Edge:
    """Base class for edges. Each edge has a `name`, by which clients refer to the data."""

    name: str
    # Whether a model returns floats for float inputs instead of the served form.
    keeps_floats = False
    # Minimum and maximum of prepared values inside the model; None if the values are unlimited.
    span: tuple[float, float] | None = None
    # A valid example `[1, ...]` of a client's input, for edges that reject zeros or empty strings.
    example: np.ndarray | None = None

    def as_array(self, values):
        """Converts a pandas table or column for `prepare`; returns other values unchanged.

        Raises:
            TypeError: If a table column contains values other than numbers.
            ValueError: If a value is missing or masked, or if two columns of a table share a name.
        """
        refuse_masked(self.name, values)
        if is_table(values):
            return numbers_of_table(values)
        return values.to_numpy() if hasattr(values, "to_numpy") else values

    def of_columns(self, values):
        """Returns the examples in a dict of columns or a table file, and other values unchanged."""
        return values

    def prepare(self, values) -> tf.Tensor:
        """Checks values, and converts them to the format that the networks use.

        Raises:
            TypeError: If the dtype is wrong.
            ValueError: If the shape is wrong or, in eager mode and in `fit`, if a value is invalid.
        """
        raise NotImplementedError

    def seen(self, values) -> Edge | None:
        """Inspects a run's first batch, and returns an edge that matches its floats, or None.

        A warning is issued if the values appear to have a different range.
        """
        return None

    def restore(self, values: tf.Tensor) -> tf.Tensor | dict[str, tf.Tensor]:
        """Converts results to the served format; several tensors are returned in a dict."""
        return values

    def as_table(self, values: np.ndarray):
        """Returns the rows of a table as a DataFrame or a dict, and other values unchanged."""
        return values

    def described_columns(self) -> list[dict]:
        """Returns the columns of a table, for the metadata of exports; empty for other data."""
        return []

    def standardized(self) -> Edge:
        """Returns an edge that standardizes this type of data, which can then be in any units."""
        raise ValueError(
            f"standardize is True, but the type of data is {type(self).__name__}: expected "
            "vectors. Leave out standardize."
        )

    def loses(self, values) -> bool:
        """Returns whether float32, to which Keras casts arrays, rounds values noticeably."""
        return False

    def nats_outside(self, nats: tf.Tensor) -> tf.Tensor:
        """Converts -log p of examples inside the model to -log p of the original examples."""
        return nats

    def spec(self) -> tf.TensorSpec:
        """Returns the named `TensorSpec` of a served signature's input."""
        inner = self.inner_spec()
        return tf.TensorSpec(inner.shape, inner.dtype, name=self.name)

    def inner_spec(self) -> tf.TensorSpec:
        """Returns the `TensorSpec` of the tensor that `prepare` returns."""
        raise NotImplementedError


def is_table(values) -> bool:
    """Returns whether values are a DataFrame from pandas or a similar library."""
    return hasattr(values, "to_numpy") and hasattr(values, "columns")


def numbers_of_table(table) -> np.ndarray:
    """Returns the numbers of a DataFrame, float64 `[n, columns]`.

    Raises:
        TypeError: If a column contains values other than numbers.
        ValueError: If a number is missing, or if two columns share a name.
    """
    columns = []
    for name, values in by_name(table).items():
        if values.dtype.kind not in "biuf":
            raise TypeError(
                f"The column {name} of the table has dtype {values.dtype}: expected numbers. "
                "Leave out the column, or encode its values as numbers."
            )
        numbers = values.to_numpy("float64", na_value=np.nan)
        refuse_missing(name, np.isnan(numbers))
        columns.append(numbers)
    return np.stack(columns, axis=1)


def as_tensor(values, name: str, expected: str = "an array") -> tf.Tensor:
    """Returns values as a tensor.

    Raises:
        TypeError: If the values are not an array.
        ValueError: If some values are masked, or are strings that are not valid Unicode.
    """
    refuse_masked(name, values)
    try:
        return tf.convert_to_tensor(values)
    except (OverflowError, TypeError, ValueError):
        listed = values.tolist() if isinstance(values, np.ndarray) else values
        require_unicode(name, tf.nest.flatten([listed]))
        if isinstance(values, np.ndarray) and values.dtype.kind in "fc":
            expected += " with a dtype that TensorFlow supports, such as float64"
        raise TypeError(f"{name} is {shown(values)}: expected {expected}.") from None


def as_numbers(values, subject, dtype=tf.float32):
    """Converts numbers of any type to floats."""
    return tf.cast(checked_numbers(values, subject), dtype)


def checked_numbers(values, subject) -> tf.Tensor:
    """Returns numbers as a tensor of the same dtype; raises a TypeError for other values."""
    values = as_tensor(values, subject)
    if not (values.dtype.is_floating or values.dtype.is_integer):
        raise TypeError(f"{subject} have dtype {values.dtype.name}: expected numbers.")
    return values


def of_shape(values, shape, subject):
    """Returns a batch of values, and rejects examples of a different shape."""
    if not values.shape.is_compatible_with([None, *shape]):
        sizes = ["batch", *("any" if size is None else str(size) for size in shape)]
        way_out = _other_channels(values.shape, shape)
        raise ValueError(
            f"{subject} have shape {values.shape}: expected [{', '.join(sizes)}]{way_out}."
        )
    # The shape may be unknown in a step, and `fit` may reuse a step built for another shape.
    values = tf.ensure_shape(values, [None, *shape])
    if None not in shape:
        return values
    sizes = tf.unstack(tf.shape(values)[1:])
    sentence = (
        f"{subject} have shape [batch, {', '.join(['{}'] * len(sizes))}]: expected sizes of at "
        "least 1."
    )
    with tf.control_dependencies([require(tf.reduce_min(sizes) > 0, sentence, *sizes)]):
        return tf.identity(values)


def _other_channels(found, expected) -> str:
    """Returns advice on moving the channels or converting their number, or an empty string."""
    if found.rank != 4 or len(expected) != 3:
        return ""
    if found.is_compatible_with([None, expected[-1], *expected[:-1]]):
        return ". The channels come first: move them with np.moveaxis(images, 1, -1)"
    if not found[:-1].is_compatible_with([None, *expected[:-1]]):
        return ""
    if (found[-1], expected[-1]) == (3, 1):
        return ". Convert them with tf.image.rgb_to_grayscale"
    if (found[-1], expected[-1]) == (1, 3):
        return ". Convert them with tf.image.grayscale_to_rgb"
    return ""


def within(values, low, high, subject, expected, slack=1e-3):
    """Checks that values are in [low, high], with a tolerance for a decoder's rounding errors."""
    least = tf.cast(tf.reduce_min(values), tf.float32)
    most = tf.cast(tf.reduce_max(values), tf.float32)
    # Comparisons with NaN are false, so this check also rejects NaN.
    inside = (least >= low - slack) & (most <= high + slack)
    sentence = f"{subject} range from {{}} to {{}}: expected {expected}."
    with tf.control_dependencies([require(inside, sentence, least, most)]):
        return tf.identity(values)


def integers_within(values, low, high, subject, expected=None):
    """Returns integers as int32. Rejects values outside [low, high], described by `expected`."""
    values = as_tensor(values, subject)
    expected = expected or f"integers in [{low}, {high}]"
    if not values.dtype.is_integer:
        raise TypeError(f"{subject} have dtype {values.dtype.name}: expected {expected}.")
    values = within(values, low, high, subject, expected, slack=0)
    return tf.cast(values, tf.int32)
