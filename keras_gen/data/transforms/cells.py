"""Converts table rows to cell numbers with TensorFlow operations."""

from __future__ import annotations

import re
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_list, checked_names, refuse_empty, shown
from keras_gen.data.transforms.tables import Column, _all_right, _numbered, parsed_numbers

# Maximum position within a cell, chosen so that rounding does not reach the next cell.
END_OF_CELL = 0.999
_GAP = r"[\s\p{Z}]*(nan|NaN|NaT|<NA>)?[\s\p{Z}]*"


class RowCells(tf.Module):
    """Converts each value in a row to a cell number, identically in Python and in a SavedModel.

    Each category and each interval of numbers is a cell; a missing value has the number -1. The
    fractional part of a cell number is a position within the cell, which `texts` converts to a
    value between the smallest and the largest training value in the cell.

    Args:
        columns: Columns with cells, as returned by `table_columns`.

    Raises:
        ValueError: If there are no columns, or if a column has no cells.

    Example:
        >>> cells = RowCells(table_columns({"age": [3, 5, 7], "kind": ["cat", "dog", None]}))
        >>> cells(tf.constant([["5", "dog"], ["9", ""]])).numpy()
        array([[ 1.,  1.],
               [ 2., -1.]], dtype=float32)
    """

    def __init__(self, columns: Sequence[Column]):
        super().__init__()
        self.columns = require_cells(columns)
        self.tables = [_numbered(column) for column in self.columns]

    def __call__(self, rows) -> tf.Tensor:
        """Returns cell numbers and positions, float32 `[n, columns]`, for strings `[n, columns]`.

        Numbers below all training values are in the first cell.

        Raises:
            ValueError: In eager mode, if a string in a numeric column is not a number, or if a
                category is unknown.
        """
        cells = []
        for place, (column, table) in enumerate(zip(self.columns, self.tables, strict=True)):
            values = rows[:, place]
            gaps = tf.strings.regex_full_match(values, _GAP)
            find = self._words if column.categories else self._numbers
            cells.append(tf.where(gaps, -1.0, find(column, table, values, gaps)))
        return tf.stack(cells, axis=1)

    def _words(self, column, table, values, gaps):
        cells = tf.cast(table.lookup(values), tf.float32)
        if column.unknown == "gap":
            return cells
        known = ", ".join(column.categories[:20]) + ", ..." * (len(column.categories) > 20)
        sentence = (
            f"The column {column.name} has the category {{}}, which does not occur in the training "
            f"rows: expected one of {known}. To treat such categories as missing, use "
            "table_columns(..., unknown='gap')."
        )
        with tf.control_dependencies([_all_right(gaps | (cells >= 0), values, sentence)]):
            return tf.identity(cells)

    def _numbers(self, column, table, values, gaps):
        right, numbers = parsed_numbers(values)
        sentence = f"The column {column.name} has the value {{}}: expected a number."
        right &= tf.math.is_finite(numbers)
        with tf.control_dependencies([_all_right(gaps | right, values, sentence)]):
            starts = tf.constant(column.starts, tf.float64)
            cells = tf.maximum(tf.searchsorted(starts, numbers, side="right") - 1, 0)
        least, largest = _limits(column, cells)
        places = tf.math.divide_no_nan(numbers - least, largest - least)
        places = END_OF_CELL * tf.clip_by_value(places, 0.0, 1.0)
        return tf.cast(tf.cast(cells, tf.float64) + places, tf.float32)

    def texts(self, cells) -> tf.Tensor:
        """Returns values for cell numbers and positions: strings `[n, columns]`, empty at gaps."""
        numbers = tf.cast(tf.floor(cells), tf.int32)
        places = tf.cast(cells - tf.floor(cells), tf.float64) / END_OF_CELL
        values = []
        for place, column in enumerate(self.columns):
            cell = tf.maximum(numbers[:, place], 0)
            if column.categories:
                text = tf.gather(tf.constant(list(column.categories)), cell)
            else:
                least, largest = _limits(column, cell)
                text = number_texts(column, least + places[:, place] * (largest - least))
            values.append(tf.where(numbers[:, place] < 0, "", text))
        return tf.stack(values, axis=1)


def require_cells(columns: Sequence[Column]) -> list[Column]:
    """Returns the columns if all of them have cells.

    Raises:
        TypeError: If an element is not a column.
        ValueError: If there are no columns, or if a column has no cells.
    """
    columns = checked_list("columns", columns)
    # If the layer is loaded from a file, the columns are configurations.
    load = keras.saving.deserialize_keras_object
    columns = [load(each) if isinstance(each, dict) else each for each in columns]
    refuse_empty("columns", columns, "column")
    for column in columns:
        if not isinstance(column, Column):
            raise TypeError(
                f"columns contains {shown(column)}: expected columns created by "
                "keras_gen.data.table_columns."
            )
        if not column.shares:
            raise ValueError(
                f"The column {column.name} has no cells: create the columns with "
                "keras_gen.data.table_columns."
            )
    checked_names("columns", [column.name for column in columns])
    return columns


def _limits(column, cells):
    """Returns the smallest and the largest training value in each cell."""
    return tuple(
        tf.gather(tf.constant(v, tf.float64), cells) for v in (column.starts, column.ends)
    )


def number_texts(column: Column, numbers: tf.Tensor) -> tf.Tensor:
    """Returns numbers as strings with the column's number of decimal places."""
    if column.decimals is None:
        return tf.strings.as_string(numbers, precision=9, shortest=True)
    scale = 10.0**column.decimals
    # Adding 0 converts -0 to 0.
    numbers = tf.round(numbers * scale) / scale + 0.0
    return tf.strings.as_string(numbers, precision=column.decimals)


def likeliest(column: Column, probabilities: tf.Tensor) -> tf.Tensor:
    """Returns the most likely categories, or the means of numeric columns, as strings `[n]`.

    Args:
        column: Column with cells.
        probabilities: Probabilities of the column's cells, `[n, cells]`.
    """
    if column.categories:
        return tf.gather(tf.constant(list(column.categories)), tf.argmax(probabilities, axis=1))
    means = tf.linalg.matvec(
        tf.cast(probabilities, tf.float64), tf.constant(column.means, tf.float64)
    )
    return number_texts(column, means)


def in_frame(columns: Sequence[Column], texts: np.ndarray):
    """Returns rows as a DataFrame with the dtypes of the columns, or as a dict of arrays.

    Args:
        columns: Columns of the table. If all have a pandas dtype, the result is a DataFrame.
        texts: Values `[n, columns]`, empty where a value is missing.
    """
    pairs = list(zip(columns, texts.T, strict=True))
    if not all(column.dtype for column in columns):
        return {column.name: _values(column, part) for column, part in pairs}
    import pandas as pd

    return pd.DataFrame({column.name: _series(pd, column, part) for column, part in pairs})


def _values(column, texts):
    """Returns an array of categories, booleans, or numbers; gaps are None or, among floats, NaN."""
    kind = column.value_dtype or column.dtype.lower()
    gaps = texts == ""
    if column.categories:
        values = np.full(len(texts), None, object)
        values[~gaps] = _typed(texts[~gaps], kind)
        return values if gaps.any() or not column.value_dtype else _typed(texts, kind)
    numbers = np.where(gaps, "nan", texts).astype(np.float64)
    if column.decimals == 0 and kind in ("", "object") and (np.abs(numbers) < 2**63).all():
        kind = "int64"
    integers = re.match(r"u?int\d+", kind)
    if integers:
        values = np.array([_integer(text, np.iinfo(integers[0])) for text in texts], object)
        return values if gaps.any() else values.astype(integers[0])
    return numbers.astype(column.value_dtype or np.float64)


def _typed(words, kind):
    """Converts strings to booleans or numbers; other strings are unchanged."""
    if "bool" in kind:
        return words == "True"
    return words.astype(kind) if re.fullmatch(r"(u?int|float)\d+", kind) else words


def _integer(text, limits):
    """Converts a string to an integer without the rounding of `float`; returns None for a gap."""
    if not text:
        return None
    number = int(text) if re.fullmatch(r"\s*[-+]?\d+\s*", text) else round(float(text))
    return min(max(number, limits.min), limits.max)


def _series(pd, column, texts):
    if column.dtype == "category" and column.categories:
        levels = np.array(column.levels or column.categories)
        places = {level: place for place, level in enumerate(levels)}
        codes = [places.get(text, -1) for text in texts]
        levels = _typed(levels, column.value_dtype)
        return pd.Categorical.from_codes(codes, levels, ordered=column.ordered)
    values = pd.Series(_values(column, texts))
    return values if column.dtype == "category" else values.astype(column.dtype)
