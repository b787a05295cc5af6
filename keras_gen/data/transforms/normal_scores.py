"""Converts table columns to normally distributed numbers, based on the ranks of values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_gen.checked_arguments import StatelessSeed, checked_types
from keras_gen.data.transforms.tables import Column, as_numbers, row_texts, table_rows
from keras_gen.declared import Count
from keras_gen.tensor_checks import require


class NormalScores:
    """Converts a table's values to numbers that follow N(0, 1) in each column.

    A value that makes up a fraction p of a column is assigned an interval of length p within [0,
    1]; for numbers, the intervals are in numeric order. A point sampled uniformly from the interval
    is mapped to the corresponding quantile of the normal distribution. A table of categories and
    repeated numbers, which has no density, thus becomes data with a density, and a model of this
    data learns how columns depend on each other.

    A density f of these numbers gives a bound on the probability of the values (Theis et al.: "A
    Note on the Evaluation of Generative Models", ICLR 2016, sec. 3.1). The mean of log f(z) +
    `log_widths(z)` over samples z is at most the log-probability of the values.

    Args:
        rows: Training rows, strings `[n, columns]` or a DataFrame.
        columns: Columns, as returned by `table_columns`.
        most: Maximum number of intervals for a numeric column. The intervals contain approximately
            equal numbers of rows.

    Example:
        >>> rows = np.array([["3", "cat"], ["5", "dog"]])
        >>> scores = NormalScores(rows, table_columns(rows, ["age", "kind"], ["age"]))
        >>> levels = scores.levels(rows)
        >>> z = scores.drawn(levels, tf.constant([0, 1], tf.int64))
        >>> restored, log_widths = scores.rows(z), scores.log_widths(z, levels)
    """

    @checked_types
    def __init__(self, rows, columns: Sequence[Column], most: Count = 32):
        self.columns = list(columns)
        self._known = []
        rows = self._texts(rows)
        if not len(rows):
            raise ValueError("There are no rows: expected at least one row.")
        for column, values in zip(self.columns, rows.T, strict=True):
            if column.categories:
                self._known.append(np.array(column.categories))
            else:
                numbers = as_numbers(column.name, values)
                starts = np.quantile(numbers, np.arange(most) / most, method="lower")
                self._known.append(np.unique(starts))
        levels = self._levels(rows)
        longest = max(len(known) for known in self._known)
        shares = np.zeros([len(self.columns), longest], np.float32)
        for place, numbers in enumerate(levels.T):
            counts = np.bincount(numbers, minlength=longest)
            shares[place] = counts / len(rows)
        self.shares = tf.constant(shares)
        self._starts = tf.cumsum(self.shares, axis=1, exclusive=True)

    def levels(self, rows: np.ndarray) -> np.ndarray:
        """Returns the index of each value's interval, int32 `[n, columns]`.

        Numbers below all training rows are in the first interval.

        Raises:
            ValueError: If a category is unknown, or if a value in a numeric column is not a number.
        """
        return self._levels(self._texts(rows))

    def _texts(self, rows) -> np.ndarray:
        """Converts rows in an array, in lists, or in a DataFrame to strings `[n, columns]`."""
        names = [column.name for column in self.columns]
        return table_rows(rows, names) if hasattr(rows, "columns") else row_texts(rows, names)

    def _levels(self, rows: np.ndarray) -> np.ndarray:
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

    @checked_types
    def drawn(self, levels: tf.Tensor, seed: StatelessSeed) -> tf.Tensor:
        """Samples standard normal values, float32 `[n, columns]`, within the intervals `levels`.

        Args:
            levels: Indices of intervals, int32 `[n, columns]`.
            seed: Stateless seed, int64 `[2]`.

        Raises:
            TypeError: If an argument does not consist of numbers.
            ValueError: If an argument has the wrong shape, or if an interval does not exist.
        """
        levels = self._checked_levels(levels)
        places = tf.random.stateless_uniform(tf.shape(levels), seed)
        parts = self._of(self._starts, levels) + places * self._of(self.shares, levels)
        return tf.math.ndtri(tf.clip_by_value(parts, 1e-6, 1 - 1e-6))

    @checked_types
    def rows(self, z: tf.Tensor) -> np.ndarray:
        """Converts normal numbers `[n, columns]`, such as a model's samples, to rows.

        Returns:
            Strings `[n, columns]`. A categorical column contains categories, and a numeric column
            contains the smallest training value in each interval.

        Raises:
            TypeError: If `z` does not consist of numbers.
            ValueError: If `z` has a different shape, or contains NaN.
        """
        z = self._checked_numbers(z)
        places = 0.5 * tf.math.erfc(z / -math.sqrt(2.0)).numpy()
        found = []
        for known, starts, place in zip(
            self._known, self._starts.numpy(), places.T, strict=True
        ):
            level = np.searchsorted(starts[: len(known)], place, side="right") - 1
            found.append(known[level].astype(str))
        return np.stack(found, axis=1)

    @checked_types
    def log_widths(self, z: tf.Tensor, levels: tf.Tensor) -> np.ndarray:
        """Returns the term that turns a log density of z into a bound on log P(levels), `[n]`.

        Raises:
            TypeError: If an argument does not consist of numbers.
            ValueError: If an argument has a different shape, if `z` contains NaN, or if an interval
                does not exist.
        """
        z, levels = self._checked_numbers(z), self._checked_levels(levels)
        if len(z) != len(levels):
            raise ValueError(
                f"z has {len(z)} rows, but levels has {len(levels)}: expected one row of levels "
                "per row of z."
            )
        log_normal = -0.5 * (tf.square(z) + math.log(2 * math.pi))
        each = tf.math.log(self._of(self.shares, levels)) - log_normal
        return tf.reduce_sum(each, axis=1).numpy()

    def _checked_numbers(self, z: tf.Tensor) -> tf.Tensor:
        z = tf.cast(self._checked_shape("z", z), tf.float32)
        known = ~tf.reduce_any(tf.math.is_nan(z))
        with tf.control_dependencies([require(known, "z contains NaN: expected numbers.")]):
            return tf.identity(z)

    def _checked_levels(self, levels: tf.Tensor) -> tf.Tensor:
        levels = self._checked_shape("levels", levels)
        if not levels.dtype.is_integer:
            raise TypeError(f"levels has dtype {levels.dtype.name}: expected integers.")
        levels = tf.cast(levels, tf.int32)
        known = (levels >= 0) & (levels < [len(each) for each in self._known])
        sentence = (
            "levels contains an index without an interval: expected the result of "
            "NormalScores.levels."
        )
        with tf.control_dependencies([require(tf.reduce_all(known), sentence)]):
            return tf.identity(levels)

    def _checked_shape(self, name: str, values: tf.Tensor) -> tf.Tensor:
        expected = [None, len(self.columns)]
        if not values.shape.is_compatible_with(expected):
            raise ValueError(
                f"{name} has shape {tuple(values.shape)}: expected [n, {expected[1]}]."
            )
        return values

    def _of(self, table, levels):
        """Returns the entries of a table `[columns, levels]` for the levels of each row."""
        return tf.transpose(tf.gather(table, tf.transpose(levels), batch_dims=1))
