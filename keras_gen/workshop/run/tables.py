"""Table rows about people, and reports on sampled rows, for recipes."""

from typing import Any, NamedTuple

import numpy as np

from keras_gen.core import LikelihoodModel
from keras_gen.core.kinds_of_data import Rows
from keras_gen.data import Column, people_table, table_columns
from keras_gen.metrics import (
    closest_rows,
    detection_auc,
    nll_summary,
    table_fidelity,
    usefulness,
)
from keras_gen.workshop.baselines import (
    ChowLiuTree,
    ColumnNetwork,
    IndependentColumns,
    ProductMixture,
)
from keras_gen.workshop.run.run import Run
from keras_gen.workshop.visualize import code_scatter

LABEL = "label"  # name of the last column
SHOWN = 1500  # maximum number of people per image


class People(NamedTuple):
    """Rows (strings `[n, columns]`, with the label as the last column) and their columns.

    `others` are held-out training rows, which show whether a model copied training rows.
    """

    columns: list[Column]
    train: np.ndarray
    others: np.ndarray
    test: np.ndarray

    def columns_of(self, rows: np.ndarray) -> list[Column]:
        """Returns the columns with the cells of other rows, such as rows with gaps."""
        names = [column.name for column in self.columns]
        numbers = [column.name for column in self.columns if not column.categories]
        return table_columns(rows, names, numbers, unknown="gap")

    def draw(self, model: Any, seed: int) -> np.ndarray:
        """Returns a plot of two numeric columns with equally many rows per label and table."""
        shown = {"real people": self.test[:SHOWN], "samples": rows_of(model.sample(SHOWN, seed))}
        places = [place for place, column in enumerate(self.columns) if not column.categories]
        pair = places[0], places[-1]
        labels = {title: (rows[:, -1] == "high").astype(int) for title, rows in shown.items()}
        count = min(np.bincount(each, minlength=2).min() for each in labels.values())
        panels = {}
        for title, rows in shown.items():
            chosen = [np.flatnonzero(labels[title] == label)[:count] for label in (0, 1)]
            panels[title] = rows[np.concatenate(chosen)][:, pair].astype(float)
        axes = self.columns[pair[0]].name, self.columns[pair[1]].name
        titles = ["low income", "high income"]
        return code_scatter(panels, np.repeat([0, 1], count), titles, axes)


def labeled_people(run: Run, rows: int, seed: int) -> People:
    """Loads a table of people, and selects `rows` shuffled rows for training.

    Test rows with categories that do not occur in the training rows are left out.
    """
    data = run.load(people_table(), train=rows + 20, test=40)
    names = [*(column.name for column in data.columns), LABEL]
    numbers = [column.name for column in data.columns if not column.categories]
    train, others = np.split(_labeled(data.train_rows, data.train, seed), [rows])
    test = _labeled(data.test_rows, data.test, seed)
    columns = table_columns(train, names, numbers, unknown="gap")
    known = (cells_of(columns, test) >= 0).all(axis=1)
    return People(columns, train, others, test[known])


def _labeled(rows, source, seed):
    """Returns shuffled rows with the label as the last column, strings `[n, columns]`."""
    labels = np.where(source.arrays()[1] == 1, "high", "low")
    rows = np.concatenate([rows[: len(labels)], labels[:, None]], axis=1)
    return rows[np.random.default_rng(seed).permutation(len(rows))]


def rows_of(table: dict[str, np.ndarray]) -> np.ndarray:
    """Returns a sampled table as strings `[n, columns]`."""
    return np.stack([values.astype(str) for values in table.values()], axis=1)


def cells_of(columns: list[Column], rows: np.ndarray) -> np.ndarray:
    """Returns the cells of rows, integers `[n, columns]`, with -1 for gaps."""
    return np.floor(Rows(columns).prepare(rows).numpy()).astype(int)


def report_on_rows(
    model: LikelihoodModel, people: People, components: int, seed: int
) -> dict[str, Any]:
    """Returns metrics of a model's rows, of the baselines' rows, and of real rows.

    Args:
        model: Trained model of the columns of `people`.
        people: Rows for training and testing.
        components: Number of components in the baseline `ProductMixture`.
        seed: Seed for samples and for the mixture.
    """
    columns, train, _, test = people
    known = cells_of(columns, train)
    sizes = [len(column.shares) for column in columns]
    rivals: dict[str, Any] = {
        "independent": IndependentColumns(known, sizes),
        "tree": ChowLiuTree(known, sizes),
        "network": ColumnNetwork(known, sizes),
        "mixture": ProductMixture(known, sizes, components, seed=seed),
    }
    metrics = nll_summary({"nll": -model.log_prob(test)})
    samples = {"": rows_of(model.sample(len(test), seed)), "real_": train}
    places = np.random.default_rng(seed).uniform(0, 0.99, test.shape)
    for name, rival in rivals.items():
        metrics[f"{name}_nll"] = -rival.log_prob(cells_of(columns, test)).mean()
        # A sampled number is placed at a position in its cell, because it may be anywhere in the
        # cell.
        cells = rival.sample(len(test), seed) + places
        samples[f"{name}_"] = model.restore(cells.astype("float32")).numpy().astype(str)
    for name, rows in samples.items():
        found = _report(people, rows)
        metrics |= {name + metric: value for metric, value in found.items()}
    return metrics


def _report(people, rows):
    columns, train, others, test = people
    found = table_fidelity(columns, test, rows)
    found["detection_auc"] = detection_auc(columns, test[:6000], rows[:6000])
    found |= {f"tstr_{k}": v for k, v in usefulness(columns, test, rows, LABEL).items()}
    found |= closest_rows(columns, rows[:1500], train[:8000], others[:8000])
    names = [column.name for column in columns]
    if "education" in names:
        pair = [names.index("education"), names.index("education-num")]
        seen = {tuple(row) for row in train[:, pair]}
        found["consistent"] = np.mean([tuple(row) in seen for row in rows[:, pair]])
    return found
