"""Tables of people, with a label and an attribute that should not determine the label."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_gen.data.sets.splits import OFFLINE_WARNING, Parts
from keras_gen.data.sets.tfds import DataUnavailable, load_tfds
from keras_gen.data.source import Source
from keras_gen.data.tfds_builders.adult.columns import COLUMNS, NUMBERS
from keras_gen.data.transforms.tables import Column, RowVectors, table_columns, table_rows


@dataclasses.dataclass(frozen=True)
class PeopleTable(Parts):
    """Training data on people; `test` and `test_rows` are the held-out counterparts.

    Attributes:
        train: Tuples of a row's vector, float32 `[values]`, its label, and its attribute. The label
            and the attribute are int64, either 0 or 1.
        train_rows: Rows, an array of Python strings `[n, columns]`.
        columns: Columns, with the categories, means, and standard deviations of the training rows.
        attribute: Name of the column with the attribute.
        values: Values in the column `attribute` that correspond to 0 and 1.
        warning: See `Split`.
    """

    train: Source
    test: Source
    train_rows: np.ndarray
    test_rows: np.ndarray
    columns: list[Column]
    attribute: str
    values: tuple[str, str]
    warning: str = ""


def people_table() -> PeopleTable:
    """Loads Adult: people in the 1994 US census, labeled by whether their income is high.

    Becker, Kohavi: "Adult", UCI Machine Learning Repository 1996: 32,561 people for training and
    16,281 for testing, with 14 columns. The attribute is 1 for men. If the table is unavailable,
    the 442 patients of `sklearn.datasets.load_diabetes` replace it. The label is then 1 if a
    patient's disease progressed more than the median, and every third patient is held out.

    Example:
    ```python
    data = people_table()
    batches = data.train.stream(100)  # of vectors, labels, and attributes
    ```
    """
    try:
        return _adult()
    except DataUnavailable as error:
        return dataclasses.replace(_diabetes(), warning=OFFLINE_WARNING.format(error))


def _adult() -> PeopleTable:
    rows = {}
    labels = {}
    origins = []
    for split in ("train", "test"):
        features = [f"columns/{name}" for name in COLUMNS]
        source = load_tfds("adult", split, features=(*features, "label"))
        *values, labels[split] = source.arrays()
        rows[split] = table_rows(dict(zip(COLUMNS, values, strict=True)), COLUMNS)
        origins.append(source.origin)
    return _table(rows, labels, COLUMNS, NUMBERS, ("Female", "Male"), origins)


def _diabetes() -> PeopleTable:
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    names = found.feature_names
    columns = dict(zip(names, found.data.T, strict=True))
    columns["sex"] = np.where(columns["sex"] == 1, "1", "2")
    rows = table_rows(columns, names)
    labels = (found.target > np.median(found.target)).astype(np.int64)
    held_out = np.arange(len(rows)) % 3 == 2
    numbers = [name for name in names if name != "sex"]
    parts = {"train": ~held_out, "test": held_out}
    return _table(
        {split: rows[some] for split, some in parts.items()},
        {split: labels[some] for split, some in parts.items()},
        names,
        numbers,
        ("1", "2"),
        [f"offline sample: patients that ship with scikit-learn, split {s}" for s in parts],
    )


def _table(
    rows: dict, labels: dict, names: Sequence[str], numbers: Sequence[str],
    sexes: tuple[str, str], origins: list[str],
) -> PeopleTable:  # fmt: skip
    """Returns labeled people, with the column `sex` as the attribute."""
    columns = table_columns(rows["train"], names, numbers)
    vectors = RowVectors(columns)
    parts = {}
    for split, origin in zip(rows, origins, strict=True):
        attributes = rows[split][:, list(names).index("sex")] == sexes[1]
        found = vectors(tf.constant(rows[split])).numpy()
        parts[split] = Source((found, labels[split], attributes.astype(np.int64)), origin=origin)
    return PeopleTable(
        parts["train"], parts["test"], rows["train"], rows["test"], columns, "sex", sexes
    )
