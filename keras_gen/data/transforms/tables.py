"""Converts table rows to vectors with TensorFlow operations."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import math
import numbers as numeric
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_list, checked_number, checked_positive
from keras_gen.checked_arguments import checked_types
from keras_gen.data.transforms.class_names import sorted_names
from keras_gen.tensor_checks import require

_NUMBER = r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*"
# Texts of converted missing values; "None" and "NA" can be words.
_MISSING = ("", "nan", "NaN", "NaT", "<NA>")
# Standard deviations of columns whose values, and samples of them, float32 can hold.
_LEAST_DEVIATION = 1e-30
_LARGEST_DEVIATION = 1e30
_TYPES = ("numbers", "words", "booleans")
_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True)
class Column:
    """A categorical or numeric table column.

    Args:
        name: Column name.
        categories: Allowed values; each is one-hot encoded. Empty for a numeric column.
        mean: Mean subtracted from numeric values.
        scale: Divisor applied to numeric values after the mean is subtracted.

    Raises:
        TypeError: If `mean` or `scale` is not a number.
        ValueError: If `mean` is not finite, or `scale` is not finite and above 0.
    """

    name: str
    categories: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self):
        checked_number("mean", self.mean)
        checked_positive("scale", self.scale)

    @property
    def width(self) -> int:
        """Number of vector components that represent the column."""
        return len(self.categories) or 1

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for saving models."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Column:
        """Creates the column from the return value of `get_config`."""
        return cls(**config | {"categories": tuple(config["categories"])})


def table_columns(
    rows: Any, names: Sequence[str] | None = None, numbers: Sequence[str] | None = None
) -> list[Column]:
    """Finds the categories, or the mean and standard deviation, of each column.

    Every row needs a value in every column: None, NaN, NaT, `pandas.NA`, masked values, and blank
    strings count as missing. "?" and other marks are categories like any word.

    Args:
        rows: Training rows, strings or numbers `[n, columns]`, or a DataFrame.
        names: Names of the columns. If None, those of the DataFrame.
        numbers: Names of the numeric columns; all others are categorical. If None, the columns of
            the DataFrame whose values are numbers and whose dtype is not "category".

    Returns:
        One `Column` per name, in this order. Categories that are all numbers are in numeric order,
        and others in alphabetical order.

    Raises:
        TypeError: If a column contains dates, several types of values, or types other than numbers,
            words, and booleans.
        ValueError: If there are no rows, the number of columns differs from the number of names, a
            name is repeated or unknown, a value is missing or not a number, or the standard
            deviation of a column is not in 1e-30 to 1e30.

    Example:
        >>> table_columns(np.array([["3", "cat"], ["5", "dog"]]), ["age", "kind"], ["age"])
        [Column(name='age', categories=(), mean=4.0, scale=1.0), Column(name='kind', ...)]
    """
    if hasattr(rows, "columns"):
        table = by_name(rows)
        names = list(table) if names is None else _checked_names(names)
        if numbers is None:
            numbers = [name for name in names if name in table and _holds_numbers(name, table)]
        rows = table_rows(rows, names)
    if names is None or numbers is None:
        raise ValueError(
            "names or numbers is missing: pass both for rows that are not a DataFrame."
        )
    names = _checked_names(names)
    numbers = list(map(str, checked_list("numbers", numbers)))
    rows = row_texts(rows, names)
    if not len(rows):
        raise ValueError("The table has no rows: expected at least one.")
    if unknown := [name for name in numbers if name not in names]:
        raise ValueError(
            f"There is no column {unknown[0]}: expected some of {', '.join(names)}."
        )
    found = []
    for name, values in zip(names, rows.T, strict=True):
        if name in numbers:
            found.append(_of_numbers(name, as_numbers(name, values)))
        else:
            found.append(Column(name, tuple(sorted_names(values.tolist()))))
    return found


def _of_numbers(name: str, numbers: np.ndarray) -> Column:
    least, most = numbers.min(), numbers.max()
    if not varies(least, most):
        return Column(name, mean=float(least))
    with np.errstate(over="ignore", invalid="ignore"):  # such numbers are refused
        mean, deviation = float(numbers.mean()), float(numbers.std())
    refuse_deviation(name, deviation)
    return Column(name, mean=mean, scale=deviation)


def varies(least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Returns whether columns of such smallest and largest numbers differ by more than rounding."""
    return most / 2 - least / 2 > 1e-15 * np.maximum(np.abs(least), np.abs(most))


def refuse_deviation(column: str, deviation: float) -> None:
    """Raises a ValueError for a standard deviation that float32 cannot hold well."""
    if not _LEAST_DEVIATION <= deviation <= _LARGEST_DEVIATION:
        raise ValueError(
            f"The standard deviation of column {column} is {deviation:g}: expected "
            f"{_LEAST_DEVIATION:g} to {_LARGEST_DEVIATION:g}, beyond which float32 overflows or "
            "underflows. Choose another unit for this column."
        )


def row_texts(rows: Any, names: Sequence[str]) -> np.ndarray:
    """Returns rows as strings `[n, columns]`. Errors: see `table_rows`.

    Args:
        rows: Numbers, words, or booleans `[n, columns]`, in an array or in lists.
        names: Names of the columns.
    """
    # From a list of lists, so that NumPy does not convert its numbers and gaps to strings.
    rows = rows if hasattr(rows, "dtype") else np.array(rows, object)
    if len(np.shape(rows)) != 2 or np.shape(rows)[1] != len(names):
        raise ValueError(
            f"The rows have shape {np.shape(rows)}: expected [n, {len(names)}], with the columns "
            f"{', '.join(names)}."
        )
    texts = [column_texts(name, rows[:, place]) for place, name in enumerate(names)]
    return np.stack(texts, axis=1)


def by_name(table: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a table by name; names must be unique strings."""
    given = list(table.columns if hasattr(table, "columns") else table)
    return dict(zip(_checked_names(given), (table[name] for name in given), strict=True))


def _checked_names(names: Iterable[Any]) -> list[str]:
    names = [str(name) for name in names]
    if not names or len(set(names)) < len(names):
        found = f"The columns are {', '.join(names)}" if names else "The table has no columns"
        raise ValueError(f"{found}: expected at least one name, and each name once.")
    return names


def _holds_numbers(name: str, table: Mapping[str, Any]) -> bool:
    values = table[name]
    is_categorical = str(getattr(values, "dtype", "")) == "category"
    return not is_categorical and _texts_and_type(name, values)[1] == "numbers"


def as_numbers(name: str, values: np.ndarray) -> np.ndarray:
    """Returns the numbers of a column, float64; a ValueError names the first other value."""
    for place, value in enumerate(values):
        # With 400 digits, or an exponent of 400, a float would be infinite.
        if not re.fullmatch(_NUMBER, str(value)) or not math.isfinite(float(value)):
            raise ValueError(
                f"The column {name} has the value {value!s:.40} in row {place}: expected a "
                "number. Leave out such rows, or correct them."
            )
    return values.astype(np.float64)


def is_missing(value: Any) -> bool:
    """Returns whether a value is missing: None, NaN, masked, a blank string, and so on."""
    return value is None or value is np.ma.masked or str(value).strip() in _MISSING


def refuse_missing(name: str, missing: Sequence[bool] | np.ndarray) -> None:
    """Raises a ValueError with the number and the first of any missing values in a column.

    Args:
        name: Name of the column.
        missing: Whether a value is missing, for each row.
    """
    count = int(np.sum(missing))
    if count == len(missing) > 1:
        raise ValueError(
            f"The column {name} has no values, because all {count} are missing: leave the "
            "column out."
        )
    if count:
        raise ValueError(
            f"The column {name} lacks {count} of {len(missing)} values, the first in row "
            f"{int(np.argmax(missing))}, counted from 0: expected a value in each row. Drop "
            "such rows (frame.dropna()), or fill them in (frame.fillna(...)), for instance "
            "with 'missing' as a category."
        )


def column_texts(name: str, values: Any) -> np.ndarray:
    """Returns the values of a column as strings `[n]`.

    Args:
        name: Name of the column.
        values: Numbers, words, or booleans `[n]`. Bytes are decoded as UTF-8.

    Raises:
        TypeError: If the values are dates, of several types, or of another type.
        ValueError: If a value is missing, or the values have other axes.
    """
    return _texts_and_type(name, values)[0]


def _texts_and_type(name: str, values: Any) -> tuple[np.ndarray, str]:
    if np.ma.isMaskedArray(values):
        values = values.tolist()  # which contains None where a value is masked
    # From a list, so that NumPy does not convert its numbers and gaps to strings.
    array = np.asarray(values, None if hasattr(values, "dtype") else object)
    if array.ndim != 1:
        raise ValueError(
            f"The column {name} has shape {array.shape}: expected one value per row."
        )
    if array.dtype.kind in "mM":
        _refuse_type(name, "dates or durations", array[:1])
    if array.dtype.kind in "biuf":
        refuse_missing(name, array != array)
        return array.astype(str), "booleans" if array.dtype.kind == "b" else "numbers"
    texts = [value.decode() if isinstance(value, bytes) else value for value in array]
    refuse_missing(name, [is_missing(value) for value in texts])
    first_of_type: dict[str, Any] = {}
    for value in texts:
        first_of_type.setdefault(_type_of(value), value)
    if len(first_of_type) > 1 or not first_of_type.keys() <= set(_TYPES):
        _refuse_type(name, " and ".join(first_of_type), list(first_of_type.values()))
    return np.array(texts, object).astype(str), next(iter(first_of_type), "words")


def _type_of(value: Any) -> str:
    """Describes the type of a value for a message."""
    if isinstance(value, bool | np.bool_):
        return "booleans"
    if isinstance(value, str):
        return "words"
    if isinstance(value, numeric.Real | decimal.Decimal):
        return "numbers"
    if isinstance(value, _DATES):
        return "dates or durations"
    return f"values of type {type(value).__name__}"


def _refuse_type(name: str, found: str, examples: Any) -> None:
    shown = ", ".join(f"{example!s:.40}" for example in examples)
    way_out = "convert it to strings (.astype(str))"
    if "dates" in found:
        way_out = "convert it to numbers, such as days since a date or .astype('int64')"
    raise TypeError(
        f"The column {name} contains {found}, such as {shown}: expected numbers, words, or "
        f"booleans, all of one type. Leave the column out, or {way_out}."
    )


@checked_types
def table_rows(values: Any, names: Sequence[str]) -> np.ndarray:
    """Returns the rows of a table given by its columns, strings `[n, columns]`.

    Args:
        values: Values of each column, `[n]`, by name; or a DataFrame. See `table_columns` for
            values that are refused.
        names: Names of the columns, in the order of the rows.

    Raises:
        TypeError: If a column contains dates, several types of values, or types other than numbers,
            words, and booleans.
        ValueError: If a column is missing, repeated, or unknown, a value is missing, or the columns
            differ in length.

    Example:
        >>> table_rows({"kind": ["cat"], "age": [3]}, ["age", "kind"])
        array([['3', 'cat']], dtype='<U3')
    """
    table = by_name(values)
    names = _checked_names(names)
    missing = [name for name in names if name not in table]
    others = [name for name in table if name not in names]
    if missing or others:
        raise ValueError(
            f"The table lacks the columns {', '.join(missing) or '(none)'} and has the extra "
            f"columns {', '.join(others) or '(none)'}: expected {', '.join(names)}."
        )
    texts = {name: column_texts(name, table[name]) for name in names}
    if len(set(map(len, texts.values()))) > 1:
        found = ", ".join(f"{name} {len(column)}" for name, column in texts.items())
        raise ValueError(
            f"The columns have different lengths ({found}): expected equal lengths."
        )
    return np.stack(list(texts.values()), axis=1)


class RowVectors(tf.Module):
    """Converts rows to vectors, identically in Python and inside a SavedModel.

    A number is standardized with the mean and scale of its column; a category is one-hot.

    Args:
        columns: Columns, at least one.

    Example:
        >>> columns = [Column("age", mean=4.0), Column("kind", ("cat", "dog"))]
        >>> RowVectors(columns)(tf.constant([["3", "dog"]])).numpy()
        array([[-1.,  0.,  1.]], dtype=float32)
    """

    @checked_types
    def __init__(self, columns: Sequence[Column]):
        super().__init__()
        if not columns:
            raise ValueError("columns is empty: expected at least one column.")
        self.columns = list(columns)
        self.size = sum(column.width for column in columns)
        self.tables = [_numbered(column) for column in columns]

    def __call__(self, rows) -> tf.Tensor:
        """Returns vectors, float32 `[n, size]`, for strings `[n, columns]`.

        Raises:
            ValueError: In eager mode, for a value that is not a number, an unknown category, or a
                different number of columns.
        """
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
    """The number of each category; None for a numeric column."""
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
    # In float64, since float32 loses small differences between large numbers, such as times.
    found = tf.cast((numbers - column.mean) / column.scale, tf.float32)
    sentence = f"The column {column.name} has the value {{}}: expected a number."
    right = are_numbers & tf.math.is_finite(found)
    with tf.control_dependencies([_all_right(right, values, sentence)]):
        return tf.identity(found)[:, None]


def _all_right(right, values, sentence):
    """Requires all values to be valid, and names the first that is not."""
    wrong = tf.boolean_mask(values, ~right)
    first = tf.concat([wrong, [""]], axis=0)[0]
    return require(tf.reduce_all(right), sentence, first)
