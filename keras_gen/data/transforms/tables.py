"""Converts table rows to vectors with TensorFlow operations."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import decimal
import io
import itertools
import math
import numbers as numeric
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import (
    checked_choice,
    checked_flag,
    checked_integer,
    checked_list,
    checked_number,
    checked_positive,
    refuse_empty,
    require_unicode,
    shown,
)
from keras_gen.checked_arguments import checked_by_type, checked_types
from keras_gen.data.transforms.texts import sorted_names
from keras_gen.files.reading import MOST_BYTES, read_text
from keras_gen.tensor_checks import require

_NUMBER = r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*"
# Texts to which missing values are converted; "None" and "NA" may be categories.
_MISSING = ("", "nan", "NaN", "NaT", "<NA>")
# Range of a column's standard deviation; outside this range, float32 overflows or underflows.
_LEAST_DEVIATION = 1e-30
_LARGEST_DEVIATION = 1e30
MOST_DECIMALS = 6
"""Maximum number of decimal places in a column."""
MOST_VALUES = 128
"""Maximum number of distinct numbers for which each number has its own cell."""
QUANTILES = 64
"""Maximum number of cells for the infrequent numbers in a column with more distinct numbers."""
MOST_WORDS = 1000
"""Maximum number of distinct words in a column."""
_TYPES = ("numbers", "words", "booleans")
_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


@keras.saving.register_keras_serializable("keras_gen")
@dataclasses.dataclass(frozen=True, repr=False)
class Column:
    """A categorical or numeric table column.

    Tabular models, such as `MADE.for_table`, require the cells of each column. Each category is a
    cell, and each interval of numbers that begins with one of the `starts` is a cell.

    Args:
        name: Column name.
        categories: Allowed values; each is one-hot encoded. Empty for a numeric column.
        mean: Mean subtracted from numeric values.
        scale: Divisor applied to numeric values after the mean is subtracted.
        starts: Smallest training value in each numeric cell, ascending.
        ends: Largest training value in each numeric cell.
        means: Mean training value in each numeric cell.
        shares: Fraction of the known training values in each cell, above 0.
        decimals: Number of decimal places; None if there are more than six.
        missing: Fraction of the training rows without a value.
        dtype: Dtype of the column in the training DataFrame; empty if the training rows were not a
            DataFrame.
        unknown: `"error"` to reject a value that is not in `categories`, or `"gap"` to treat it as
            missing.
        value_dtype: Dtype of the column's array if the training rows were a dict of arrays, or
            dtype of the categories if the column had the dtype "category" in a DataFrame. `"bool"`
            for a column of objects that are True or False; empty for other categories.
        levels: All categories, in order, of a DataFrame column with dtype "category", including
            categories without training rows.
        ordered: Whether the categories in `levels` are ordered.

    Raises:
        TypeError: If an argument has a different type.
        ValueError: If a number is not finite or is out of range, if categories repeat, if the lists
            of cells have different lengths, if `starts` and `ends` are not ascending, or if shares
            do not sum to 1.
    """

    name: str
    categories: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    starts: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()
    means: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    decimals: int | None = None
    missing: float = 0.0
    dtype: str = ""
    unknown: str = "error"
    value_dtype: str = ""
    levels: tuple[str, ...] = ()
    ordered: bool = False

    def __post_init__(self):
        for name in ("name", "dtype", "value_dtype"):
            checked_by_type(name, str, getattr(self, name))
        for name in ("categories", "levels"):
            texts = checked_list(name, getattr(self, name))
            if not all(isinstance(text, str) for text in texts) or len({*texts}) < len(texts):
                raise ValueError(f"{name} is {shown(texts)}: expected distinct strings.")
        checked_number("mean", self.mean)
        checked_positive("scale", self.scale)
        checked_number("missing", self.missing, minimum=0, maximum=1)
        checked_choice("unknown", self.unknown, ("error", "gap"))
        checked_flag("ordered", self.ordered)
        if self.decimals is not None:
            checked_integer("decimals", self.decimals, minimum=0, maximum=MOST_DECIMALS)
        self._check_cells()

    def _check_cells(self) -> None:
        cells = {name: getattr(self, name) for name in ("starts", "ends", "means", "shares")}
        for name, values in cells.items():
            for value in checked_list(name, values):
                checked_number(f"A value of {name}", value)
        if self.categories:
            cells = {"categories": self.categories, "shares": self.shares or self.categories}
        lengths = {name: len(values) for name, values in cells.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{count} {name}" for name, count in lengths.items())
            raise ValueError(
                f"The column {self.name} has {found}: expected lists of equal length."
            )
        limits = [limit for pair in zip(self.starts, self.ends, strict=False) for limit in pair]
        if sorted(limits) != limits:
            raise ValueError(
                f"The column {self.name} has starts and ends of cells that are not ascending: "
                "expected each cell to end before the next one starts."
            )
        if self.shares and not (min(self.shares) > 0 and abs(sum(self.shares) - 1) < 1e-3):
            raise ValueError(
                f"The column {self.name} has shares with the minimum {min(self.shares):g} and the "
                f"sum {sum(self.shares):g}: expected shares above 0 that sum to 1."
            )

    @property
    def width(self) -> int:
        """Number of vector components that represent the column."""
        return len(self.categories) or 1

    def __repr__(self) -> str:
        if self.categories:
            words = ", ".join(self.categories[:3]) + ", ..." * (len(self.categories) > 3)
            found = f"{len(self.categories)} words ({words})"
        elif self.starts:
            span = f"{self.starts[0]:g} to {self.ends[-1]:g}"
            found = f"numbers from {span} in {len(self.starts)} cells"
        else:
            found = f"numbers with mean {self.mean:g} and standard deviation {self.scale:g}"
        return f"Column({self.name!r}: {found}, {self.missing:.1%} missing)"

    def described(self) -> dict[str, Any]:
        """Returns the name, the type, and the known values or the range of the column."""
        if self.categories:
            return {"name": self.name, "type": "word", "categories": self.categories}
        described: dict[str, Any] = {
            "name": self.name,
            "type": "number",
            "decimals": self.decimals,
        }
        if self.starts:
            described |= {"minimum": self.starts[0], "maximum": self.ends[-1]}
        return described

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for saving models."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Column:
        """Creates a column from the return value of `get_config`."""
        lists = {name: tuple(value) for name, value in config.items() if isinstance(value, list)}
        return cls(**config | lists)


def table_columns(
    rows: Any,
    names: Sequence[str] | None = None,
    numbers: Sequence[str] | None = None,
    unknown: Literal["error", "gap"] = "error",
) -> list[Column]:
    """Describes each column of a table: its categories or numbers, cells, and missing values.

    None, NaN, NaT, `pandas.NA`, masked values, and blank strings are missing values (gaps). Models
    that use cells, such as `MADE.for_table`, accept gaps; other models reject gaps. "?" and similar
    marks are treated as categories.

    Each category is a cell. In a numeric column, each distinct training value is a cell. If there
    are more than 128 distinct values, only frequent values have their own cells: each value that
    occurs in at least 1/64 of the rows, such as an amount of 0, and each value that occurs in at
    least 1/64 of the remaining rows. About 64 cells divide all other rows into approximately equal
    parts.

    Args:
        rows: Training rows: a DataFrame, a dict of columns, the path of a CSV file, or strings or
            numbers `[n, columns]`.
        names: Names of the columns. If None, the table's column names are used.
        numbers: Names of the numeric columns; all others are categorical. If None, a column is
            numeric if its values are numbers and its dtype is not "category".
        unknown: Treatment of categories that do not occur in the training rows: `"error"` to reject
            them, or `"gap"` to treat them as missing.

    Returns:
        One `Column` per name, in the order of `names`. Categories are in numeric order if all are
        numbers, otherwise in alphabetical order.

    Raises:
        TypeError: If a column contains dates, several types of values, or types other than numbers,
            strings, and booleans.
        ValueError: If there are no rows, if the number of columns differs from the number of names,
            if a name is repeated or unknown, if a value in a numeric column is not a number, if a
            column has no values, if a column has so many distinct strings that it is probably an
            identifier, or if the standard deviation of a column is outside the range 1e-30 to 1e30.

    Example:
        >>> table_columns({"age": [3, 5], "kind": ["cat", "dog"]})
        [Column('age': numbers from 3 to 5 in 2 cells, 0.0% missing), Column('kind': 2 words ...)]
    """
    checked_choice("unknown", unknown, ("error", "gap"))
    is_file, is_frame = is_table_file(rows), hasattr(rows, "columns")
    rows = as_table(rows)
    formats: dict[str, dict[str, Any]] = {}
    if is_frame or isinstance(rows, Mapping):
        table = by_name(rows)
        if not is_file:  # the numbers in a file are all float64
            formats = {name: _format(name, table[name], is_frame) for name in table}
        names = list(table) if names is None else _checked_names(names)
        if numbers is None:
            numbers = [name for name in names if name in table and _holds_numbers(name, table)]
        rows = table_rows(rows, names, gaps=True)
    if names is None or numbers is None:
        raise ValueError(
            "names or numbers is missing: pass both if the rows are not in a DataFrame."
        )
    names = _checked_names(names)
    numbers = list(map(str, checked_list("numbers", numbers)))
    rows = row_texts(rows, names, gaps=True)
    if not len(rows):
        raise ValueError("The table has no rows: expected at least one row.")
    if others := [name for name in numbers if name not in names]:
        raise ValueError(
            f"There is no column {others[0]}: expected one or more of {', '.join(names)}."
        )
    found = []
    for name, values in zip(names, rows.T, strict=True):
        known = values[values != ""]
        if not len(known):
            refuse_missing(name, values == "")
        missing = 1 - len(known) / len(values)
        more = dict(missing=missing, unknown=unknown, **formats.get(name, {}))
        of_column = _numbers_column if name in numbers else _words_column
        found.append(of_column(name, known, **more))
    return found


def _format(name: str, values: Any, in_frame: bool) -> dict[str, Any]:
    """Returns the dtypes and the levels of a column, as arguments of `Column`."""
    texts, type_of_values = _texts_and_type(name, values)
    dtype = str(values.dtype) if in_frame else ""
    if _is_categorical(values):
        levels = _levels(values)
        return dict(
            dtype=dtype,
            value_dtype=_number_dtype(levels.categories),
            levels=tuple(column_texts(name, levels.categories).tolist()),
            ordered=bool(levels.ordered),
        )
    if type_of_values == "booleans":
        return dict(dtype=dtype, value_dtype="bool")
    value_dtype = "" if in_frame else _number_dtype(values)
    # An array of integers cannot have gaps.
    has_gaps = "int" in value_dtype and (texts == "").any()
    return dict(dtype=dtype, value_dtype="" if has_gaps else value_dtype)


def _number_dtype(values: Any) -> str:
    dtype = np.asarray(values).dtype
    return dtype.name if dtype.kind in "biuf" else ""


def _is_categorical(values: Any) -> bool:
    return str(getattr(values, "dtype", "")) == "category"


def _levels(values: Any) -> Any:
    """Returns the categories, the codes, and the order of a column with dtype "category"."""
    return getattr(values, "cat", values)


def _numbers_column(name, values, **more):
    numbers = as_numbers(name, values)
    mean, scale = _mean_and_scale(name, numbers)
    ascending = np.sort(numbers)
    starts, counts = np.unique(ascending, return_counts=True)
    if len(starts) > MOST_VALUES:
        rare = np.full(len(starts), True)
        for _ in range(2):  # first among all rows, then among the remaining rows
            rare &= counts * QUANTILES < counts[rare].sum()
        # A frequent value has its own cell, which ends before the next value.
        (frequent,) = np.where(~rare)
        after = starts[np.minimum(frequent + 1, len(starts) - 1)]
        others = np.repeat(starts[rare], counts[rare])
        parts = np.arange(QUANTILES) / QUANTILES
        quantiles = np.quantile(others, parts, method="lower")
        starts = np.unique(np.concatenate([quantiles, starts[frequent], after]))
    cells = np.searchsorted(starts, ascending, side="right") - 1
    counts = np.bincount(cells)
    sums = np.bincount(cells, weights=ascending - starts[cells])
    return Column(
        name,
        mean=mean,
        scale=scale,
        starts=tuple(starts.tolist()),
        ends=tuple(ascending[np.cumsum(counts) - 1].tolist()),
        means=tuple((starts + sums / counts).tolist()),
        shares=tuple((counts / len(numbers)).tolist()),
        decimals=_decimals(starts),
        **more,
    )


def _mean_and_scale(name: str, numbers: np.ndarray) -> tuple[float, float]:
    least, most = numbers.min(), numbers.max()
    if not varies(least, most):
        return float(least), 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # such numbers are rejected
        mean, deviation = float(numbers.mean()), float(numbers.std())
    refuse_deviation(name, deviation)
    return mean, deviation


def varies(least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Returns whether the smallest and the largest numbers differ by more than rounding errors."""
    return most / 2 - least / 2 > 1e-15 * np.maximum(np.abs(least), np.abs(most))


def refuse_deviation(column: str, deviation: float) -> None:
    """Raises a ValueError for a standard deviation that float32 cannot represent well."""
    if not _LEAST_DEVIATION <= deviation <= _LARGEST_DEVIATION:
        raise ValueError(
            f"The standard deviation of column {column} is {deviation:g}: expected "
            f"{_LEAST_DEVIATION:g} to {_LARGEST_DEVIATION:g}, because float32 overflows or "
            "underflows outside this range. Choose another unit for this column."
        )


def _decimals(values: np.ndarray) -> int | None:
    for decimals in range(MOST_DECIMALS + 1):
        if (np.abs(np.round(values, decimals) - values) <= 1e-9 * np.abs(values)).all():
            return decimals
    return None


def _words_column(name, values, **more):
    words = sorted_names(values.tolist())
    if len(words) > MOST_WORDS or (len(words) == len(values) > 100):
        raise ValueError(
            f"The column {name} has {len(words):,} different strings in {len(values):,} rows, and "
            "probably contains identifiers: leave the column out, or replace rare strings with a "
            "single one."
        )
    counts = dict(zip(*np.unique(values, return_counts=True), strict=True))
    shares = tuple(float(counts[word] / len(values)) for word in words)
    return Column(name, tuple(words), shares=shares, **more)


def as_table(values: Any) -> Any:
    """Returns the columns of a CSV file by name, given its path; other values are unchanged.

    Columns whose values are all numbers or missing become float64 with NaN; other columns remain
    strings.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If a quotation mark is not closed, if a value is longer than 131,072 characters,
            if the values are separated by semicolons or tabs, or if the lines of the file have
            different numbers of values.
    """
    if not is_table_file(values):
        return values
    # `newline=None` converts all line endings to newlines.
    text = io.StringIO(read_text(values, MOST_BYTES), newline=None)
    reader = csv.reader(text, strict=True)
    try:
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise ValueError(
            f"{values} cannot be read ({error} on line {reader.line_num}): expected "
            "comma-separated values, each unquoted or in one pair of quotation marks."
        ) from None
    names, rows = (lines or [[]])[0], lines[1:]
    if len(names) == 1 and (separator := re.search("[;\t]", names[0])):
        raise ValueError(
            f"The first line of {values}, {shown(names[0])}, has the separator {separator[0]!r}: "
            "expected commas. Pass pandas.read_csv(path, sep=..., decimal=...) instead."
        )
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(
                f"{values} has {len(row)} values in row {number}, but {len(names)} column names "
                "in its first line: expected one value per column name."
            )
    if any(not name.strip() for name in names):
        raise ValueError(
            f"{values} has a column without a name, such as a pandas index: save the table with "
            "index=False, or give the column a name."
        )
    columns = np.array(rows, object).reshape(len(rows), len(names)).T
    return {
        name: _numbers_or_texts(name, column)
        for name, column in zip(_checked_names(names), columns, strict=True)
    }


def is_table_file(values: Any) -> bool:
    """Returns whether a value is the path of a file. A string that ends in .csv is a path."""
    is_csv = isinstance(values, str) and values.lower().endswith(".csv")
    return is_csv or isinstance(values, os.PathLike)


def _numbers_or_texts(name, texts):
    known = [text for text in texts if not is_missing(text)]
    if not known or not all(re.fullmatch(_NUMBER, text) for text in known):
        return texts
    for row, text in enumerate(texts):
        _refuse_rounding(name, text, row)
    return np.array([math.nan if is_missing(text) else float(text) for text in texts])


def row_texts(rows: Any, names: Sequence[str], gaps: bool = False) -> np.ndarray:
    """Returns rows as strings `[n, columns]`. For errors, see `table_rows`.

    Args:
        rows: Numbers, strings, or booleans `[n, columns]`, in an array or in lists.
        names: Names of the columns.
        gaps: Whether a missing value becomes an empty string; otherwise, it is rejected.
    """
    # The array is built from a list of lists, so that NumPy does not convert numbers and gaps to
    # strings.
    rows = rows if hasattr(rows, "dtype") else np.array(rows, object)
    if len(np.shape(rows)) != 2 or np.shape(rows)[1] != len(names):
        raise ValueError(
            f"The rows have shape {np.shape(rows)}: expected [n, {len(names)}], with the columns "
            f"{', '.join(names)}."
        )
    texts = [column_texts(name, rows[:, place], gaps) for place, name in enumerate(names)]
    return np.stack(texts, axis=1)


def by_name(table: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the columns of a table by name. Names must be unique strings."""
    given = list(table.columns if hasattr(table, "columns") else table)
    for name in given:
        values = table[name]
        if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
            raise TypeError(
                f"The column {name} is {shown(values)}: expected a list or an array of values."
            )
    return dict(zip(_checked_names(given), (table[name] for name in given), strict=True))


def _checked_names(names: Iterable[Any]) -> list[str]:
    names = list(map(str, checked_list("names", names)))
    require_unicode("names", names)
    if not names or len(set(names)) < len(names):
        found = f"The columns are {', '.join(names)}" if names else "The table has no columns"
        raise ValueError(f"{found}: expected one or more unique names.")
    return names


def _holds_numbers(name: str, table: Mapping[str, Any]) -> bool:
    values = table[name]
    return not _is_categorical(values) and _texts_and_type(name, values)[1] == "numbers"


def as_numbers(name: str, values: np.ndarray) -> np.ndarray:
    """Returns the numbers in a column, float64; a ValueError names the first invalid value."""
    for place, value in enumerate(values):
        # A number with 400 digits or an exponent of 400 would become an infinite float.
        if not re.fullmatch(_NUMBER, str(value)) or not math.isfinite(float(value)):
            raise ValueError(
                f"The column {name} has the value {value!s:.40} in row {place}: expected a number. "
                "Leave out such rows, or correct the values."
            )
        _refuse_rounding(name, str(value), place)
    return values.astype(np.float64)


def _refuse_rounding(name: str, text: str, row: int) -> None:
    """Raises a ValueError for an integer that float64 cannot represent."""
    if len(text) < 16 or not re.fullmatch(r"\s*[-+]?\d+\s*", text):
        return
    if math.isfinite(float(text)) and int(text) != int(float(text)):
        raise ValueError(
            f"The column {name} has the integer {text:.40} in row {row}, which float64 cannot "
            "represent: expected integers of at most 2**53. If they are identifiers, convert them "
            "to strings (.astype(str), or pandas.read_csv with dtype=str); otherwise, subtract "
            "their minimum."
        )


def is_missing(value: Any) -> bool:
    """Returns whether a value is missing: None, NaN, masked, a blank string, or a similar value."""
    return value is None or value is np.ma.masked or str(value).strip() in _MISSING


def refuse_missing(name: str, missing: Sequence[bool] | np.ndarray) -> None:
    """Raises a ValueError with the number of missing values, and the row of the first such value.

    Args:
        name: Name of the column.
        missing: Whether a value is missing, for each row.
    """
    count = int(np.sum(missing))
    if count == len(missing) > 1:
        raise ValueError(
            f"The column {name} has no values (all {count} are missing): leave out the column."
        )
    if count:
        raise ValueError(
            f"The column {name} lacks {count} of {len(missing)} values, the first in row "
            f"{int(np.argmax(missing))}, counted from 0: expected a value in each row. Drop such "
            "rows (frame.dropna()), or fill in the values (frame.fillna(...)), for example with "
            "the category 'missing'."
        )


def column_texts(name: str, values: Any, gaps: bool = False) -> np.ndarray:
    """Returns the values of a column as strings `[n]`.

    Args:
        name: Name of the column.
        values: Numbers, strings, or booleans `[n]`. Bytes are decoded as UTF-8.
        gaps: Whether a missing value becomes an empty string; otherwise, it is rejected.

    Raises:
        TypeError: If the values are dates, if they have several types, or if their type is
            unsupported.
        ValueError: If a value is missing, or if the values are not one-dimensional.
    """
    return _texts_and_type(name, values, gaps)[0]


def _texts_and_type(name: str, values: Any, gaps: bool = True) -> tuple[np.ndarray, str]:
    if np.ma.isMaskedArray(values):
        values = values.tolist()  # the list contains None where a value is masked
    if _is_categorical(values):
        # The type is not inferred from the values, because integers with gaps would become floats.
        levels = _levels(values)
        categories, type_of_values = _texts_and_type(name, levels.categories)
        words = np.append(categories, "")[np.asarray(levels.codes)]
        if not gaps:
            refuse_missing(name, words == "")
        return words, type_of_values
    # The array is built from a list, so that NumPy does not convert numbers and gaps to strings, or
    # pandas integers with gaps to floats.
    plain = isinstance(getattr(values, "dtype", None), np.dtype)
    array = np.asarray(values) if plain else np.array(list(values), object)
    if array.ndim != 1:
        raise ValueError(
            f"The column {name} has shape {array.shape}: expected one value per row."
        )
    if array.dtype.kind in "mM":
        _refuse_type(name, "dates or durations", array[:1])
    if array.dtype.kind in "biuf":
        missing = array != array
        if not gaps:
            refuse_missing(name, missing)
        strings = np.where(missing, "", array.astype(str))
        return strings, "booleans" if array.dtype.kind == "b" else "numbers"
    try:
        texts = [value.decode() if isinstance(value, bytes) else value for value in array]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The column {name} contains {shown(error.object)}, which is not UTF-8: expected "
            "strings. Decode the bytes first."
        ) from None
    require_unicode(f"The column {name}", texts)
    missing = np.array([is_missing(value) for value in texts], bool)
    if not gaps:
        refuse_missing(name, missing)
    first_of_type: dict[str, Any] = {}
    for value in itertools.compress(texts, np.logical_not(missing)):
        first_of_type.setdefault(_type_of(value), value)
    if len(first_of_type) > 1 or not first_of_type.keys() <= set(_TYPES):
        _refuse_type(name, " and ".join(first_of_type), list(first_of_type.values()))
    texts = ["" if gap else value for gap, value in zip(missing, texts, strict=True)]
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
        f"The column {name} contains {found}, such as {shown}: expected numbers, strings, or "
        f"booleans, all of one type. Leave the column out, or {way_out}."
    )


@checked_types
def table_rows(values: Any, names: Sequence[str], gaps: bool = False) -> np.ndarray:
    """Converts a table from columns to rows, strings `[n, columns]`.

    Args:
        values: DataFrame, or dict that maps the name of each column to its values `[n]`. See
            `table_columns` for values that are rejected.
        names: Names of the columns, in the order of the rows.
        gaps: Whether a missing value becomes an empty string; otherwise, it is rejected.

    Raises:
        TypeError: If a column contains dates, several types of values, or types other than numbers,
            strings, and booleans.
        ValueError: If a column is missing, repeated, or unknown, if a value is missing, or if the
            columns differ in length.

    Example:
        >>> table_rows({"kind": ["cat"], "age": [3]}, ["age", "kind"])
        array([['3', 'cat']], dtype='<U3')
    """
    table = by_name(values)
    names = _checked_names(names)
    missing = [name for name in names if name not in table]
    others = [name for name in table if name not in names]
    faults = {"lacks the columns": missing, "has the unexpected columns": others}
    if missing or others:
        found = " and ".join(
            f"{fault} {', '.join(some)}" for fault, some in faults.items() if some
        )
        raise ValueError(f"The table {found}: expected {', '.join(names)}.")
    texts = {name: column_texts(name, table[name], gaps) for name in names}
    if len(set(map(len, texts.values()))) > 1:
        found = ", ".join(f"{name} {len(column)}" for name, column in texts.items())
        raise ValueError(
            f"The columns have different lengths ({found}): expected columns of equal length."
        )
    return np.stack(list(texts.values()), axis=1)


class RowVectors(tf.Module):
    """Converts rows to vectors, identically in Python and inside a SavedModel.

    Numbers are standardized with the mean and scale of their column; categories are one-hot
    encoded.

    Args:
        columns: One or more columns.

    Example:
        >>> columns = [Column("age", mean=4.0), Column("kind", ("cat", "dog"))]
        >>> RowVectors(columns)(tf.constant([["3", "dog"]])).numpy()
        array([[-1.,  0.,  1.]], dtype=float32)
    """

    @checked_types
    def __init__(self, columns: Sequence[Column]):
        super().__init__()
        refuse_empty("columns", columns, "column")
        self.columns = list(columns)
        self.size = sum(column.width for column in columns)
        self.tables = [_numbered(column) for column in columns]

    def __call__(self, rows) -> tf.Tensor:
        """Returns vectors, float32 `[n, size]`, for strings `[n, columns]`.

        Raises:
            ValueError: In eager mode, if a value in a numeric column is not a number, if a category
                is unknown, or if the number of columns differs.
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
    """Returns the index of each category; None for a numeric column."""
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


def parsed_numbers(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns, for each string, whether it is a number, and the number as float64 (otherwise 0)."""
    are_numbers = tf.strings.regex_full_match(texts, _NUMBER)
    return are_numbers, tf.strings.to_number(tf.where(are_numbers, texts, "0"), tf.float64)


def _standardized(column, values):
    are_numbers, numbers = parsed_numbers(values)
    # The numbers are float64, because float32 loses small differences between large numbers, such
    # as times.
    found = tf.cast((numbers - column.mean) / column.scale, tf.float32)
    sentence = f"The column {column.name} has the value {{}}: expected a number."
    right = are_numbers & tf.math.is_finite(found)
    with tf.control_dependencies([_all_right(right, values, sentence)]):
        return tf.identity(found)[:, None]


def _all_right(right, values, sentence):
    """Raises an error that names the first invalid value, unless all values are valid."""
    wrong = tf.boolean_mask(values, ~right)
    first = tf.concat([wrong, [""]], axis=0)[0]
    return require(tf.reduce_all(right), sentence, first)
