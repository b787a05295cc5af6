"""Normally distributed numbers for the cells of table columns."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_gen.data.transforms.cells import END_OF_CELL
from keras_gen.data.transforms.tables import Column


class CellScores:
    """Maps the cells of each column to numbers that follow N(0, 1), and numbers to cells.

    A cell that contains a fraction p of a column's training rows is assigned an interval of length
    p within [0, 1]. The interval of the gaps comes first, followed by the intervals of the words or
    numbers in the order of the cells. Each point in an interval is mapped to the corresponding
    quantile of the standard normal distribution.

    Args:
        columns: Columns with cells, as returned by `table_columns`.
    """

    def __init__(self, columns: Sequence[Column]):
        self.last = np.array([len(column.shares) for column in columns])[:, None]
        widths = np.zeros([len(columns), self.last.max() + 1])
        for row, column in zip(widths, columns, strict=True):
            row[0] = column.missing
            shares = np.array(column.shares)
            row[1 : len(shares) + 1] = (1 - column.missing) * shares / shares.sum()
        self.starts = np.cumsum(widths, axis=1) - widths
        # If no training row has a gap in a column, any score is valid for a missing value, so the
        # interval has width 1.
        widths[:, 0] = np.where(widths[:, 0] > 0, widths[:, 0], 1.0)
        self.widths = widths

    def scores(self, cells: tf.Tensor, offset) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns scores, float32 `[n, columns]`, and the log-determinant of the map, `[n]`.

        The log-determinant plus the log density of the scores is, on average over uniform offsets,
        a lower bound on the log-probability of the cells (Theis, van den Oord, Bethge: "A Note on
        the Evaluation of Generative Models", ICLR 2016, sec. 3.1). A missing value does not
        contribute if its column has no missing values in the training rows.

        Args:
            cells: Cell numbers, `[n, columns]`, with -1 for gaps.
            offset: Positions within the cells' intervals, in [0, 1): an array `[n, columns]`, or
                one number for all cells.
        """
        number = tf.cast(tf.floor(cells), tf.int32) + 1
        starts, widths = self._at(self.starts, number), self._at(self.widths, number)
        # The points are computed in float64, because float32 cannot represent narrow intervals near
        # 1.
        points = starts + tf.cast(offset, tf.float64) * widths
        scores = tf.math.ndtri(tf.clip_by_value(points, 1e-12, 1 - 1e-12))
        log_normal = -0.5 * (tf.square(scores) + math.log(2 * math.pi))
        log_det = tf.reduce_sum(tf.math.log(widths) - log_normal, axis=1)
        return tf.cast(scores, tf.float32), tf.cast(log_det, tf.float32)

    def cells(self, scores: tf.Tensor) -> tf.Tensor:
        """Returns cell numbers plus positions in [0, 1), float32 `[n, columns]`; -1 for gaps."""
        points = 0.5 * tf.math.erfc(tf.cast(scores, tf.float64) / -math.sqrt(2))
        found = tf.searchsorted(self.starts, tf.transpose(points), side="right") - 1
        number = tf.transpose(tf.minimum(found, self.last))
        starts, widths = self._at(self.starts, number), self._at(self.widths, number)
        position = END_OF_CELL * tf.clip_by_value((points - starts) / widths, 0.0, 1.0)
        cells = tf.cast(tf.cast(number - 1, tf.float64) + position, tf.float32)
        return tf.where(number == 0, -1.0, cells)

    def _at(self, table, number):
        """Returns the entries of a table `[columns, cells]` for the cells of each row."""
        first = np.arange(len(table)) * table.shape[1]
        return tf.gather(table.ravel(), number + first)
