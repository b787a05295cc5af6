"""Columns of a table as normal numbers, by the ranks of their values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_gen.data.transforms.tables import Column, as_numbers


class NormalScores:
    """Makes numbers of a table's values whose distribution is N(0, 1) in each column.

    A value that makes up the share p of a column gets an interval of the length p within [0, 1],
    numbers in their order. A place in it, drawn uniformly, becomes the normal number below which
    this part of N(0, 1) lies. So a table without a density, of categories and of numbers that many
    rows have in common, gets one; and what a model learns of it is how columns depend on each
    other.

    A density f of these numbers bounds the probability of the values (Theis et al.: "A Note on the
    Evaluation of Generative Models", ICLR 2016, sec. 3.1): the mean over draws z of log f(z) +
    `log_widths(z)` is at most their log-probability.

    Args:
        rows: Training rows, strings `[n, columns]`.
        columns: The columns, as `table_columns` finds them.
        most: Intervals that a column of numbers is cut into, at most; they hold about equally many
            rows.

    Example:
        >>> rows = np.array([["3", "cat"], ["5", "dog"]])
        >>> scores = NormalScores(rows, table_columns(rows, ["age", "kind"], ["age"]))
        >>> z = scores.drawn(scores.levels(rows), tf.constant([0, 1], tf.int64))
    """

    def __init__(self, rows: np.ndarray, columns: Sequence[Column], most: int = 32):
        self.columns = list(columns)
        self._known = []
        for column, values in zip(self.columns, rows.T, strict=True):
            if column.categories:
                self._known.append(np.array(column.categories))
            else:
                numbers = as_numbers(column.name, values)
                starts = np.quantile(numbers, np.arange(most) / most, method="lower")
                self._known.append(np.unique(starts))
        levels = self.levels(rows)
        longest = max(len(known) for known in self._known)
        shares = np.zeros([len(self.columns), longest], np.float32)
        for place, numbers in enumerate(levels.T):
            counts = np.bincount(numbers, minlength=longest)
            shares[place] = counts / len(rows)
        self.shares = tf.constant(shares)
        self._starts = tf.cumsum(self.shares, axis=1, exclusive=True)

    def levels(self, rows: np.ndarray) -> np.ndarray:
        """Returns the number of each value's interval, int32 `[n, columns]`.

        Numbers below the training rows' are in the first interval.

        Raises:
            ValueError: For a category that is not known, and what is no number.
        """
        found = []
        for column, known, values in zip(self.columns, self._known, rows.T, strict=True):
            if not column.categories:
                numbers = (
                    np.searchsorted(known, as_numbers(column.name, values), side="right") - 1
                )
                found.append(np.maximum(numbers, 0))
                continue
            order = np.argsort(known)
            places = np.searchsorted(known, values, sorter=order)
            numbers = order[np.minimum(places, len(known) - 1)]
            if len(wrong := values[known[numbers] != values]):
                raise ValueError(
                    f"The column {column.name} has the value {wrong[0]}: expected one of "
                    f"{', '.join(known)}."
                )
            found.append(numbers)
        return np.stack(found, axis=1).astype(np.int32)

    def drawn(self, levels, seed) -> tf.Tensor:
        """Draws normal numbers, float32 `[n, columns]`, within the intervals of levels.

        Args:
            levels: Int32 `[n, columns]`.
            seed: Int64 `[2]`.
        """
        places = tf.random.stateless_uniform(tf.shape(levels), seed)
        parts = self._of(self._starts, levels) + places * self._of(self.shares, levels)
        return tf.math.ndtri(tf.clip_by_value(parts, 1e-6, 1 - 1e-6))

    def log_widths(self, z, levels) -> np.ndarray:
        """Returns what turns a log-density of z into a bound of log P(levels), `[n]`, nats."""
        log_normal = -0.5 * (tf.square(z) + math.log(2 * math.pi))
        each = tf.math.log(self._of(self.shares, levels)) - log_normal
        return tf.reduce_sum(each, axis=1).numpy()

    def _of(self, table, levels):
        """The entries of a table `[columns, levels]` for the levels of each row."""
        return tf.transpose(tf.gather(table, tf.transpose(levels), batch_dims=1))
