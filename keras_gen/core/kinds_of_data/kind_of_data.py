"""The base of edges, and the checks that several make."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_gen.arguments import refuse_masked, shown
from keras_gen.data.transforms.tables import by_name, refuse_missing
from keras_gen.tensor_checks import require

PADDING = -1
"""What stands in a sequence of levels where there is nothing; it counts in no loss."""


class Edge:
    """Base of the edges. All have a `name`, under which clients know the data."""

    name: str
    # Whether a model gives back floats to who gave it floats, in place of the served form.
    keeps_floats = False
    # Smallest and largest value inside; None: as the data are.
    span: tuple[float, float] | None = None
    # One that a client could send, `[1, ...]`, if zeros or empty strings are none.
    example: np.ndarray | None = None

    def as_array(self, values):
        """Returns what `prepare` takes of a table or column of pandas; other values as they are.

        Raises:
            TypeError: If a column of a table holds no numbers.
            ValueError: If a value is missing or masked, or two columns of a table have one name.
        """
        refuse_masked(self.name, values)
        if is_table(values):
            return numbers_of_table(values)
        return values.to_numpy() if hasattr(values, "to_numpy") else values

    def prepare(self, values) -> tf.Tensor:
        """Checks values and converts them to the networks' form.

        Raises:
            TypeError: If the dtype is wrong.
            ValueError: If the shape or, in eager use and `fit`, a value is wrong.
        """
        raise NotImplementedError

    def seen(self, values) -> Edge | None:
        """Looks at the first batch of a training: the edge that takes its floats, or None.

        Warns if the values look as if they were meant for another range.
        """
        return None

    def restore(self, values: tf.Tensor) -> tf.Tensor | dict[str, tf.Tensor]:
        """Converts results to the served form; a dict if they are several tensors."""
        return values

    def standardized(self) -> Edge:
        """Returns the edge that takes the same data in any units, for models that standardize."""
        raise ValueError(
            f"standardize=True is for vectors, and the data are {type(self).__name__}: leave it "
            "out."
        )

    def nats_outside(self, nats: tf.Tensor) -> tf.Tensor:
        """Converts -log p of examples inside to that of the same examples outside."""
        return nats

    def spec(self) -> tf.TensorSpec:
        """The named specification of a served signature's input."""
        inner = self.inner_spec()
        return tf.TensorSpec(inner.shape, inner.dtype, name=self.name)

    def inner_spec(self) -> tf.TensorSpec:
        """The specification of what `prepare` returns."""
        raise NotImplementedError


def is_table(values) -> bool:
    """Whether values are a DataFrame, of pandas or alike, which is not imported for it."""
    return hasattr(values, "to_numpy") and hasattr(values, "columns")


def numbers_of_table(table) -> np.ndarray:
    """Returns the numbers of a DataFrame, float64 `[n, columns]`.

    Raises:
        TypeError: If a column holds something else.
        ValueError: If a number is missing, or two columns have one name.
    """
    columns = []
    for name, values in by_name(table).items():
        if values.dtype.kind not in "biuf":
            raise TypeError(
                f"The column {name} of the table holds no numbers alone, but {values.dtype}: "
                "leave it out, or number its values."
            )
        numbers = values.to_numpy("float64", na_value=np.nan)
        refuse_missing(name, np.isnan(numbers))
        columns.append(numbers)
    return np.stack(columns, axis=1)


def as_tensor(values, name: str, expected: str = "an array") -> tf.Tensor:
    """Returns values as a tensor.

    Raises:
        TypeError: If they are not an array.
        ValueError: If some are masked.
    """
    refuse_masked(name, values)
    try:
        return tf.convert_to_tensor(values)
    except (OverflowError, TypeError, ValueError):
        raise TypeError(f"{name} must be {expected}, found {shown(values)}.") from None


def as_numbers(values, subject, dtype=tf.float32):
    """Numbers of any kind as floats."""
    return tf.cast(checked_numbers(values, subject), dtype)


def checked_numbers(values, subject) -> tf.Tensor:
    """Returns numbers as a tensor of their dtype; a TypeError for other values."""
    values = as_tensor(values, subject)
    if not (values.dtype.is_floating or values.dtype.is_integer):
        raise TypeError(f"{subject} have dtype {values.dtype.name}: expected numbers.")
    return values


def of_shape(values, shape, subject):
    """Returns a batch of values, refused if its examples are not of the shape."""
    if not values.shape.is_compatible_with([None, *shape]):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        way_out = _other_channels(values.shape, shape)
        raise ValueError(
            f"{subject} have shape {values.shape}: expected [batch, {expected}]{way_out}."
        )
    # A step may not know the shape, and `fit` may reuse one that was built for another.
    values = tf.ensure_shape(values, [None, *shape])
    if None not in shape:
        return values
    sizes = tf.unstack(tf.shape(values)[1:])
    sentence = f"{subject} have shape [batch, {', '.join(['{}'] * len(sizes))}]: expected no 0."
    with tf.control_dependencies([require(tf.reduce_min(sizes) > 0, sentence, *sizes)]):
        return tf.identity(values)


def _other_channels(found, expected) -> str:
    """How images of one channel come to have three, and the other way, or nothing."""
    if found.rank != 4 or not found[:-1].is_compatible_with([None, *expected[:-1]]):
        return ""
    if (found[-1], expected[-1]) == (3, 1):
        return "; tf.image.rgb_to_grayscale makes them gray"
    if (found[-1], expected[-1]) == (1, 3):
        return "; tf.image.grayscale_to_rgb gives them three channels"
    return ""


def within(values, low, high, subject, expected, slack=1e-3):
    """Values that are checked to lie in [low, high], or beyond by what a decoder may round."""
    least = tf.cast(tf.reduce_min(values), tf.float32)
    most = tf.cast(tf.reduce_max(values), tf.float32)
    # Comparisons with NaN are false, so NaN is refused too.
    inside = (least >= low - slack) & (most <= high + slack)
    sentence = f"{subject} have values from {{}} to {{}}: expected {expected}."
    with tf.control_dependencies([require(inside, sentence, least, most)]):
        return tf.identity(values)


def integers_within(values, low, high, subject, expected=None):
    """Returns integers as int32, refused out of [low, high]; `expected` says it in words."""
    values = as_tensor(values, subject)
    expected = expected or f"integers in [{low}, {high}]"
    if not values.dtype.is_integer:
        raise TypeError(f"{subject} have dtype {values.dtype.name}: expected {expected}.")
    values = within(values, low, high, subject, expected, slack=0)
    return tf.cast(values, tf.int32)
