"""Metrics that compare sampled table rows with real rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from keras_gen.arguments import checked_integer, checked_seed
from keras_gen.core.kinds_of_data import Rows
from keras_gen.data.transforms.cells import require_cells
from keras_gen.data.transforms.tables import Column

_BLOCK = 200  # number of rows whose distances are computed at once


def table_fidelity(
    columns: Sequence[Column], real: Any, samples: Any, bins: int = 32
) -> dict[str, float]:
    """Compares the distributions of columns, and of pairs of columns, in sampled and real rows.

    The total variation distance between two finite samples is above 0 even if their distributions
    are equal. The floor is the expected distance between two independent samples of these sizes,
    computed for frequencies that are normally distributed around the frequencies in the real rows.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        real: Held-out rows: a DataFrame, a dict of columns, or strings `[n, columns]`.
        samples: Sampled rows, in one of the same formats.
        bins: Maximum number of quantile bins per numeric column, at least 2. Gaps have a separate
            bin.

    Returns:
        A dict with `column_tv` and `pair_tv`, the total variation distances averaged over the
        columns and over the pairs of columns, from 0 to 1; `column_floor` and `pair_floor`, the
        floors of these two distances; and `worst_column_tv`, the largest distance of any column.

    Raises:
        ValueError: If rows do not match the columns, if there are fewer than 2 rows, or if `bins`
            is below 2.

    Example: `table_fidelity(columns, held_out, model.sample(len(held_out)))["pair_tv"]`.
    """
    bins = checked_integer("bins", bins, minimum=2)
    edge = Rows(columns)
    texts = [edge.as_array(rows) for rows in (real, samples)]
    cells = [_binned(columns, _cells(edge, part), bins) for part in texts]
    counts = np.max([part.max(axis=0) for part in cells], axis=0) + 1
    singles = [_distance(*(part[:, i] for part in cells)) for i in range(len(columns))]
    pairs = []
    for i in range(len(columns)):
        for j in range(i):
            pairs.append(_distance(*(part[:, i] * counts[j] + part[:, j] for part in cells)))
    (column_tv, column_floor), (pair_tv, pair_floor) = (
        np.mean(each or [(0.0, 0.0)], axis=0) for each in (singles, pairs)
    )
    return {
        "column_tv": float(column_tv),
        "pair_tv": float(pair_tv),
        "column_floor": float(column_floor),
        "pair_floor": float(pair_floor),
        "worst_column_tv": float(max(tv for tv, _ in singles)),
    }


def _distance(real, samples):
    """Returns the total variation distance between two samples of integers, and its floor."""
    size = max(real.max(), samples.max()) + 1
    p, q = (np.bincount(part, minlength=size) / len(part) for part in (real, samples))
    # The mean of |N(0, s^2)|, for a difference of two shares, is s sqrt(2 / pi).
    deviation = np.sqrt(p * (1 - p) * (1 / len(real) + 1 / len(samples)))
    return 0.5 * np.abs(p - q).sum(), 0.5 * deviation.sum() * np.sqrt(2 / np.pi)


def _binned(columns, cells, bins):
    """Returns bin indices `[n, columns]`, counted from 1, with 0 for gaps."""
    cells = np.floor(cells).astype(int)
    for place, column in enumerate(columns):
        if not column.categories:
            ends = np.cumsum(column.shares)
            middles = ends - np.array(column.shares) / 2
            # Each cell is assigned to the bin that contains the middle of the cell.
            numbers = np.unique(np.floor(middles * bins), return_inverse=True)[1]
            known = cells[:, place] >= 0
            cells[known, place] = numbers[cells[known, place]]
    return cells + 1


def detection_auc(columns: Sequence[Column], real: Any, samples: Any, seed: int = 0) -> float:
    """Returns how well boosted trees distinguish samples from real rows.

    This is a classifier two-sample test: Lopez-Paz, Oquab: "Revisiting Classifier Two-Sample
    Tests", ICLR 2017. Equal numbers of real and sampled rows are used. The classifier is trained on
    half of the rows and tested on the other half.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        real: Held-out rows, at least 20; see `table_fidelity`.
        samples: Sampled rows, at least 20.
        seed: Seed for the selection of rows.

    Returns:
        The area under the ROC curve: 0.5 if the classifier cannot distinguish the samples from real
        rows, and 1 if it always can.

    Raises:
        ValueError: If rows do not match the columns, or if there are fewer than 20 rows.

    Example: `detection_auc(columns, held_out, model.sample(len(held_out)))`.
    """
    random = np.random.default_rng(checked_seed(seed))
    parts = [_values(columns, rows) for rows in (real, samples)]
    count = min(map(len, parts))
    if count < 20:
        raise ValueError(
            f"There are {count} real or sampled rows: expected at least 20 of each."
        )
    x = np.concatenate([part[random.permutation(len(part))[:count]] for part in parts])
    y = np.repeat([1, 0], count)
    train = np.tile(np.arange(count) < count // 2, 2)
    trees = _trees(columns).fit(x[train], y[train])
    return float(roc_auc_score(y[~train], trees.predict_proba(x[~train])[:, 1]))


def usefulness(
    columns: Sequence[Column], real: Any, samples: Any, target: str
) -> dict[str, float]:
    """Trains boosted trees on samples and tests them on real rows (TSTR).

    Samples that interpolate or copy training rows also score well, so report `detection_auc` and
    `closest_rows` with this metric.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        real: Held-out rows without gaps in the target; see `table_fidelity`.
        samples: Sampled rows. Rows with a gap in the target are omitted.
        target: Name of the column to predict, which must have two categories.

    Returns:
        A dict with `accuracy`, and with `auc`, the area under the ROC curve, which is 0.5 if the
        target column of the samples contains only one category.

    Raises:
        ValueError: If the target is not a column with two categories or is the only column, if
            `real` does not contain both categories, or if rows do not match the columns.

    Example: `usefulness(columns, held_out, model.sample(1000), target="kind")["auc"]`.
    """
    columns = require_cells(columns)
    names = [column.name for column in columns]
    if target not in names or len(columns[names.index(target)].categories) != 2:
        raise ValueError(
            f"target is {target!r}: expected the name of a column with two categories."
        )
    place = names.index(target)
    others = [column for column in columns if column.name != target]
    if not others:
        raise ValueError(
            f"columns contains only {target!r}: expected at least one other column, from which to "
            "predict it."
        )
    (x, y), (test_x, test_y) = (_without(_values(columns, r), place) for r in (samples, real))
    if len(np.unique(test_y)) < 2:
        raise ValueError(
            f"The rows of real in which {target} is known ({len(test_y)}) contain "
            f"{len(np.unique(test_y))} of its two categories: expected both categories."
        )
    if len(np.unique(y)) < 2:
        guess = y[0] if len(y) else 0
        return {"accuracy": float((test_y == guess).mean()), "auc": 0.5}
    p = _trees(others).fit(x, y).predict_proba(test_x)[:, 1]
    right = (p > 0.5) == test_y
    return {"accuracy": float(right.mean()), "auc": float(roc_auc_score(test_y, p))}


def _without(values, place):
    """Returns the other columns and this column, for rows in which this column is known."""
    known = values[~np.isnan(values[:, place])]
    return np.delete(known, place, axis=1), known[:, place]


def closest_rows(
    columns: Sequence[Column], samples: Any, training: Any, held_out: Any
) -> dict[str, float]:
    """Tests whether samples are closer to training rows than to held-out rows.

    The distance between two rows is Gower's distance, which is based on the ranks of numbers,
    scaled to [0, 1], and on whether categories differ. If training rows were not memorized, and if
    both sets of rows have the same size, about half of the samples are closer to a training row.
    Therefore, a random subset of the larger set, as large as the smaller set, is used.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        samples: Sampled rows; see `table_fidelity`.
        training: Training rows.
        held_out: Rows that were not used to train the model.

    Returns:
        A dict with `nearer_to_training`, the fraction of samples that are closer to a training row
        (ties count half); `copies`, the fraction of samples that equal a training row; and
        `held_out_copies`, the fraction of held-out rows that equal a training row.

    Raises:
        ValueError: If rows do not match the columns.

    Example: `closest_rows(columns, model.sample(1000), rows, held_out)["nearer_to_training"]`.
    """
    parts = [_values(columns, rows) for rows in (samples, training, held_out)]
    known = {row.tobytes() for row in parts[1]}
    copies = [np.mean([row.tobytes() in known for row in part]) for part in (parts[0], parts[2])]
    count = min(len(parts[1]), len(parts[2]))
    random = np.random.default_rng(0)
    # Rows are chosen at random, because the rows of a table are often sorted.
    others = [part[random.permutation(len(part))[:count]] for part in parts[1:]]
    ranks = [_ranks(columns, part) for part in (parts[0], *others)]
    near, other = (_nearest(columns, ranks[0], part) for part in ranks[1:])
    return {
        "nearer_to_training": float((near < other).mean() + (near == other).mean() / 2),
        "copies": float(copies[0]),
        "held_out_copies": float(copies[1]),
    }


def _ranks(columns, values):
    ranks = values.copy()
    for place, column in enumerate(columns):
        if not column.categories:
            above = np.nextafter(column.ends[-1], np.inf)
            limits = np.append(column.starts, above)
            ranks[:, place] = np.interp(
                values[:, place], limits, np.append(0, np.cumsum(column.shares))
            )
    return ranks.astype("float32")


def _nearest(columns, rows, others):
    words = np.array([bool(column.categories) for column in columns])
    found = []
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK, None]
        distance = np.zeros([len(some), len(others)], "float32")
        for place, is_word in enumerate(words):
            difference = np.abs(some[..., place] - others[:, place])
            # A gap differs from all values, but not from other gaps.
            gaps, other_gaps = np.isnan(some[..., place]), np.isnan(others[:, place])
            known = (difference != 0) if is_word else difference
            distance += np.where(gaps | other_gaps, gaps != other_gaps, known)
        found.append(distance.min(axis=1))
    return np.concatenate(found)


def _cells(edge, texts):
    """Returns the cells of rows from `as_array`, float32 `[n, columns]`, with -1 for gaps."""
    cells = edge.prepare(texts).numpy()
    if len(cells) < 2:
        raise ValueError(f"There are {len(cells)} rows: expected at least 2.")
    return cells


def _values(columns, rows):
    """Returns numbers and the indices of categories, float64 `[n, columns]`, with NaN for gaps."""
    edge = Rows(columns)
    texts = np.asarray(edge.as_array(rows)).astype(str)
    cells = _cells(edge, texts)
    values = np.floor(cells).astype(np.float64)
    for place, column in enumerate(columns):
        if not column.categories:
            known = cells[:, place] >= 0
            values[known, place] = texts[known, place].astype(np.float64)
    values[cells < 0] = np.nan
    return values + 0.0  # -0 becomes 0


def _trees(columns):
    # scikit-learn supports at most 255 categories per column.
    words = [0 < len(column.categories) <= 255 for column in columns]
    return HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=20,
        categorical_features=words,
        early_stopping=False,
        random_state=0,
    )
