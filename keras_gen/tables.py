"""Shared methods of tabular models, such as filling in missing values.

The tabular models `TableMADE` and `TableVAE` use these functions as methods. Both models have
`columns` and a `CellLikelihood`, and define the methods `probabilities` and `completed`, which fill
gaps.
"""

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_seed
from keras_gen.core.capabilities import capability, for_users
from keras_gen.core.kinds_of_data import KnownRows, Rows, Seeds
from keras_gen.core.kinds_of_data.kind_of_data import is_table
from keras_gen.data.transforms.cells import likeliest

DRAWS = 64  # number of weighted samples per row in `impute` and `complete`


@for_users
def impute(self, rows):  # noqa: D417
    """Fills gaps with the most likely category, or with a mean rounded like the column's values.

    Means minimize the squared error; medians would minimize the absolute error. Known values
    are unchanged.

    Args:
        rows: A DataFrame, a dict of columns, the path of a CSV file, or strings `[n, columns]`.

    Returns:
        All rows, in the format that `sample` returns. Rows of a DataFrame keep their index.

    Raises:
        ValueError: If columns are missing or unknown, or if a row contains a value that the model
            does not know.
    """
    return _filled(self, rows, self.expected)


@for_users
def complete(self, rows, seed: int | None = None):  # noqa: D417
    """Samples values for gaps, given all known values of a row.

    Calls with different seeds yield multiple imputations. To sample conditionally, pass rows in
    which only the values to condition on are known, and all other columns contain None.

    Args:
        rows: See `impute`.
        seed: Seed for the sampled values, 0 to 2**31 - 1. Equal seeds yield equal rows. If None,
            values differ from call to call.

    Returns:
        All rows; see `impute`.

    Raises:
        ValueError: If the seed is out of range; see also `impute`.
    """
    random = np.random.default_rng(None if seed is None else checked_seed(seed))

    def drawn(texts):
        return self.fill(texts, random.integers(2**31 - 1, size=len(texts), dtype=np.int32))

    return _filled(self, rows, drawn)


def _filled(self, rows, fill):
    """Returns rows with gaps filled by a function, which is applied only to rows with gaps."""
    edge = self.edges["rows"]
    texts = edge.as_array(rows.numpy() if tf.is_tensor(rows) else rows)
    # Use the prepared rows, because unknown categories may also be treated as gaps.
    some = (edge.prepare(texts).numpy() == b"").any(axis=1)
    texts = np.array(texts, object)
    if some.any():
        texts[some] = fill(texts[some].astype(str))
    table = edge.as_table(texts.astype(str))
    if is_table(rows) and is_table(table):
        table.index = rows.index
    return table


@capability
def expected(self, rows):
    """Returns rows, strings `[n, columns]`, with the most likely category or mean in each gap."""
    probabilities = self.probabilities(self.edges["x"].prepare(rows))
    pairs = zip(self.columns, probabilities, strict=True)
    filled = tf.stack([likeliest(column, each) for column, each in pairs], axis=1)
    return {"values": tf.where(rows == "", filled, rows)}


@capability
def fill(self, rows, seeds):
    """Returns rows, strings `[n, columns]`, with gaps sampled given all known values.

    The noise of each row is determined by its seed, an integer.
    """
    x = self.edges["x"]
    filled = x.restore(self.completed(x.prepare(rows), seeds))
    return {"rows": tf.where(rows == "", filled, rows)}


def set_up_rows(self, taken: tuple, made: tuple, builder: str) -> None:  # noqa: D417
    """Adds the edges for rows and seeds; called by `set_up`.

    Args:
        taken: Shape of the examples that the model's first network accepts.
        made: Output shape of the model's last network.
        builder: Name of the function in `keras_gen.networks` that builds suitable networks.

    Raises:
        ValueError: If the shapes do not match the columns.
    """
    count = len(self.columns)
    expected = (count, count * self.likelihood.params_per_value)
    if (*taken, *made) != expected:
        raise ValueError(
            f"The input and output sizes of {type(self).__name__} are {(*taken, *made)}: expected "
            f"{expected} for {count} columns. Build it with keras_gen.networks.{builder}."
        )
    self.edges["x"] = Rows(self.columns)
    self.edges["rows"] = KnownRows(self.columns)
    self.edges["seeds"] = Seeds()
    # The signatures read the lookup tables of categories in addition to the networks.
    self.resources = [self.edges["x"].cells, self.edges["rows"].cells]
