"""Rows of tables to vectors, in TensorFlow's operations."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_NUMBER = r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*"


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table: categories, or, where there are none, numbers.

    Args:
        name: Its name.
        categories: What may stand in it; each becomes 0 or 1.
        mean: Of its numbers, which is subtracted from them.
        scale: Of its numbers, by which they are divided then.
    """

    name: str
    categories: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @property
    def width(self) -> int:
        """Numbers of a vector that stand for it."""
        return len(self.categories) or 1

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for models that are saved."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Column:
        """Builds the column from what `get_config` returned."""
        return cls(**config | {"categories": tuple(config["categories"])})


def table_columns(
    rows: Any, names: Sequence[str] | None = None, numbers: Sequence[str] | None = None
) -> list[Column]:
    """Finds the categories, or the mean and standard deviation, of each column.

    Args:
        rows: The training rows, strings `[n, columns]`, or a DataFrame.
        names: Name of each column; those of a DataFrame by default.
        numbers: Names of those that hold numbers; of a DataFrame by default those of a dtype of
            numbers.

    Raises:
        ValueError: If there are other columns than names, a name stands twice or, among the
            numbers, for no column, or a number is missing or none.

    Example:
        >>> table_columns(np.array([["3", "cat"], ["5", "dog"]]), ["age", "kind"], ["age"])
        [Column(name='age', categories=(), mean=4.0, scale=1.0), Column(name='kind', ...)]
    """
    if hasattr(rows, "columns"):
        names = list(rows.columns) if names is None else names
        if numbers is None:
            numbers = [name for name in names if rows[name].dtype.kind in "iuf"]
        rows = table_rows(rows, names)
    if names is None or numbers is None:
        raise ValueError(
            "names or numbers are missing: give both for rows that are no DataFrame."
        )
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise ValueError(
            f"The rows have shape {rows.shape}: expected [n, {len(names)}], with the columns "
            f"{', '.join(names)}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"The columns are {', '.join(names)}: expected each name once.")
    if unknown := [name for name in numbers if name not in names]:
        raise ValueError(
            f"There is no column {unknown[0]}: expected some of {', '.join(names)}."
        )
    found = []
    for name, values in zip(names, rows.T, strict=True):
        if name in numbers:
            each = as_numbers(name, values)
            deviation = each.std()
            # That of one value alone is what rounding makes of 0.
            varies = deviation > 1e-12 * np.abs(each).max()
            found.append(
                Column(name, mean=float(each.mean()), scale=float(deviation) if varies else 1.0)
            )
        else:
            found.append(Column(name, tuple(np.unique(values).tolist())))
    return found


def as_numbers(name: str, values: np.ndarray) -> np.ndarray:
    """Returns the numbers of a column, float64; a ValueError names the first that is none."""
    for place, value in enumerate(values):
        # Of 400 digits, or an exponent of 400, a float would be infinite.
        if not re.fullmatch(_NUMBER, str(value)) or not math.isfinite(float(value)):
            raise ValueError(
                f"The column {name} has the value {value!s:.40} in row {place}: expected a number; "
                "leave out rows where one is missing, or fill it in."
            )
    return values.astype(np.float64)


def table_rows(values: Mapping[str, Any], names: Sequence[str]) -> np.ndarray:
    """Returns the rows of a table that is given by its columns, strings `[n, columns]`.

    Args:
        values: The values of each column, `[n]`, by its name.
        names: Names of the columns, in the order of the rows.

    Raises:
        ValueError: If a column is missing, there is one that the rows do not have, or columns
            differ in length.

    Example:
        >>> table_rows({"kind": ["cat"], "age": [3]}, ["age", "kind"])
        array([['3', 'cat']], dtype='<U3')
    """
    missing = [name for name in names if name not in values]
    others = [name for name in values if name not in names]
    if missing or others:
        raise ValueError(
            f"The table lacks the columns {', '.join(missing) or '(none)'} and has others, "
            f"{', '.join(others) or '(none)'}: expected {', '.join(names)}."
        )
    lengths = {name: len(values[name]) for name in names}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"The columns have different lengths ({found}): expected one for all.")
    return np.stack([np.asarray(values[name]).astype(str) for name in names], axis=1)


class RowVectors(tf.Module):
    """Makes vectors of rows, the same in Python and inside a SavedModel.

    A number is standardized by the mean and scale of its column; a category is one-hot.

    Args:
        columns: The columns, one at least.

    Example:
        >>> columns = [Column("age", mean=4.0), Column("kind", ("cat", "dog"))]
        >>> RowVectors(columns)(tf.constant([["3", "dog"]])).numpy()
        array([[-1.,  0.,  1.]], dtype=float32)
    """

    def __init__(self, columns: Sequence[Column]):
        super().__init__()
        if not columns:
            raise ValueError("A table needs one column at least, found none.")
        self.columns = list(columns)
        self.size = sum(column.width for column in columns)
        self.tables = [_numbered(column) for column in columns]

    def __call__(self, rows) -> tf.Tensor:
        """Returns vectors, float32 `[n, size]`, of strings `[n, columns]`.

        Raises:
            ValueError: In eager use, for what is no number, a category that is not known, or
                another number of columns.
        """
        from keras_gen.core.checks.step_checks import require  # the core imports this file

        count = len(self.columns)
        sentence = f"The rows have {{}} columns: expected {count}."
        found = tf.shape(rows)[1]
        with tf.control_dependencies([require(found == count, sentence, found)]):
            rows = tf.identity(rows)
        parts = []
        for position, (column, table) in enumerate(zip(self.columns, self.tables, strict=True)):
            values = rows[:, position]
            if column.categories:
                parts.append(_one_hot(column, table, values))
            else:
                parts.append(_standardized(column, values))
        return tf.concat(parts, axis=1)


def _numbered(column):
    """The number of each category; None for a column of numbers."""
    if not column.categories:
        return None
    numbers = tf.range(len(column.categories), dtype=tf.int64)
    named = tf.lookup.KeyValueTensorInitializer(tf.constant(list(column.categories)), numbers)
    return tf.lookup.StaticHashTable(named, default_value=-1)


def _one_hot(column, table, values):
    numbers = table.lookup(values)
    known = ", ".join(column.categories)
    sentence = f"The column {column.name} has the value {{}}: expected one of {known}."
    with tf.control_dependencies([_all_right(numbers >= 0, values, sentence)]):
        return tf.one_hot(numbers, len(column.categories))


def _standardized(column, values):
    are_numbers = tf.strings.regex_full_match(values, _NUMBER)
    numbers = tf.strings.to_number(tf.where(are_numbers, values, "0"), tf.float64)
    # In float64: of large numbers that differ little, such as times, float32 keeps no difference.
    found = tf.cast((numbers - column.mean) / column.scale, tf.float32)
    sentence = f"The column {column.name} has the value {{}}: expected a number."
    right = are_numbers & tf.math.is_finite(found)
    with tf.control_dependencies([_all_right(right, values, sentence)]):
        return tf.identity(found)[:, None]


def _all_right(right, values, sentence):
    """Requires all values to be right, and names the first that is not."""
    from keras_gen.core.checks.step_checks import require  # the core imports this file

    wrong = tf.boolean_mask(values, ~right)
    first = tf.concat([wrong, [""]], axis=0)[0]
    return require(tf.reduce_all(right), sentence, first)
