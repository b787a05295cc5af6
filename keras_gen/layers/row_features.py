"""A layer that computes features of table rows."""

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.data.transforms.cells import require_cells
from keras_gen.data.transforms.tables import Column
from keras_gen.declared import DeclaredLayer, argument
from keras_gen.layers.layer_arguments import require_input


@keras.saving.register_keras_serializable("keras_gen")
class RowFeatures(DeclaredLayer):
    """Computes features of a row's cells: words are one-hot, and numbers have three features.

    The features of a number are its normal score (the standard normal quantile at the middle of its
    cell), an indicator for the most frequent cell, and the standardized mean of its cell, clipped
    to [-3, 3]. The last feature of each column is 1. For a missing value (cell -1), all features
    are 0. Floats `[batch, columns]` become float32 `[batch, features]`, in the order of the
    columns.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.

    Example:
        >>> from keras_gen.data import table_columns
        >>> layer = RowFeatures(table_columns({"kind": ["cat", "dog"]}))
        >>> layer(tf.constant([[1.0], [-1.0]])).numpy()
        array([[0., 1., 1.],
               [0., 0., 0.]], dtype=float32)
    """

    # Inputs are not cast, because bfloat16 would round 127.9 to 128, which is a different cell.
    options: ClassVar = {"autocast": False}

    columns: Sequence[Column] = argument(check=lambda _, value: require_cells(value))

    @override
    def set_up(self):
        self.tables = [_features(column) for column in self.columns]

    @property
    def places(self) -> list[int]:
        """Indices of the columns to which the features belong, one index per feature."""
        widths = [table.shape[1] for table in self.tables]
        return np.repeat(np.arange(len(widths)), widths).tolist()

    @override
    def build(self, input_shape):
        count = len(self.columns)
        require_input(self, input_shape, tuple(input_shape[1:]) == (count,), f"[batch, {count}]")

    @override
    def call(self, cells):
        cells = tf.cast(cells, tf.float32)
        # Missing values select the first row of each table, which contains zeros.
        rows = tf.where(cells >= 0, tf.floor(cells), -1.0) + 1.0
        features = []
        for place, table in enumerate(self.tables):
            row = tf.cast(tf.minimum(rows[:, place], len(table) - 1.0), tf.int32)
            features.append(tf.gather(table, row))
        # NaN values are added to the output, so that they are not mistaken for missing values.
        nan = tf.reduce_sum(tf.where(tf.math.is_nan(cells), cells, 0.0), axis=1, keepdims=True)
        return tf.cast(tf.concat(features, axis=1) + nan, self.compute_dtype)

    @override
    def compute_output_shape(self, input_shape):
        return (input_shape[0], len(self.places))


def _features(column: Column) -> np.ndarray:
    """Returns the features of a missing value and of each cell, `[1 + cells, features]`."""
    if column.categories:
        features = np.eye(len(column.categories))
    else:
        shares = np.array(column.shares)
        middles = np.clip(np.cumsum(shares) - shares / 2, 1e-6, 1 - 1e-6)
        scores = tf.math.ndtri(middles).numpy()
        most_frequent = np.arange(len(shares)) == shares.argmax()
        standardized = (np.array(column.means) - column.mean) / column.scale
        features = np.stack([scores, most_frequent, np.clip(standardized, -3, 3)], axis=1)
    present = np.ones([len(features), 1])
    return np.pad(np.concatenate([features, present], axis=1), [[1, 0], [0, 0]]).astype(
        "float32"
    )
