"""Tabular MADE on Adult.

Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation", ICML
2015, here for table rows with words and numbers; the variant for any order follows Uria, Murray,
Larochelle: "A Deep and Tractable Density Estimator", ICML 2014.

  python recipes/table_models_adult.py                  about 5 minutes on one of two CPU cores
  python recipes/table_models_adult.py --preset smoke   under a minute

Expected result of the cpu preset: 19.5 nats per row (Chow-Liu tree: 20.0; mixture of 80 products:
20.9), a total variation distance of 0.035 for pairs of columns (mixture: 0.040; real rows: 0.030),
and an AUC of 0.54 for distinguishing samples from real rows (mixture: 0.61).

Each value is a cell: a word, a distinct number, or one of 64 quantile intervals. Two models are
trained on 20,000 people: one predicts columns in a fixed order, and generates people; the other
predicts columns in any order, and fills in values. To evaluate filling in, 20% of all values are
hidden at random, in training and in 3,000 test rows; the error of numbers is divided by the
column's standard deviation.

The baselines are independent columns; the Chow-Liu tree, which is fitted in 0.1 seconds; a mixture
of 80 products of categorical distributions, fitted by EM in seconds; and, for filling in, means and
most frequent words, and the mixture. Real rows show the best possible result, because two samples
of real people also differ.

Data: adult through tensorflow-datasets (from adult.zip, which you download yourself; the error
message explains how).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from keras_gen import MADE
from keras_gen.data import Source, people_table, table_columns
from keras_gen.metrics import (
    closest_rows,
    detection_auc,
    nll_summary,
    table_fidelity,
    usefulness,
)
from keras_gen.workshop.baselines import ChowLiuTree, IndependentColumns, ProductMixture
from keras_gen.workshop.visualize import code_scatter

SHOWN = 1500  # people per image
LABEL = "label"  # the last column


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    rows: int = 20_000  # Training rows; the others measure whether rows were copied
    hidden: int = 256  # Units in each of the two hidden layers
    learning_rate: float = 2e-3  # Adam's learning rate, with cosine decay to 0
    any_order_epochs: int = 10  # Epochs of the model in any order
    components: int = 80  # Products in the mixture
    hidden_fraction: float = 0.2  # Fraction of the values hidden for filling in
    filled: int = 3000  # Test rows to fill in


PRESETS = {
    "smoke": dict(rows=200, hidden=32, any_order_epochs=2, components=3, filled=50,
                  epochs=2, steps_per_epoch=20, batch_size=32, steps_per_execution=10),
    "cpu": dict(epochs=6, steps_per_epoch=500, batch_size=256, steps_per_execution=100),
    "paper": dict(hidden=1000, any_order_epochs=100, epochs=100, steps_per_epoch=500,
                  batch_size=256, steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(people_table(), train=s.rows + 20, test=40)
    names = [*(column.name for column in data.columns), LABEL]
    numbers = [column.name for column in data.columns if not column.categories]
    train, others = np.split(labeled(data.train_rows, data.train, s.seed), [s.rows])
    test = labeled(data.test_rows, data.test, s.seed)
    columns = table_columns(train, names, numbers, unknown="gap")

    with run.strategy.scope():
        model = MADE.for_table(columns, hidden=(s.hidden, s.hidden), seed=s.seed)
        run.compile(model, Adam(CosineDecay(s.learning_rate, s.epochs * s.steps_per_epoch)))

    def draw(model):
        shown = {"real people": test[:SHOWN], "samples": rows_of(model.sample(SHOWN, s.seed))}
        return people(columns, shown)

    # Each step: one gradient update on the log-likelihood of the cells.
    cells = Source(model.prepare(train).numpy())
    stream = partial(cells.stream, s.batch_size, s.seed)
    run.fit(model, stream, draw)
    run.export(model, default="sample")

    random = np.random.default_rng(s.seed)
    gaps = with_gaps(train, s.hidden_fraction, random)
    gap_columns = table_columns(gaps, names, numbers, unknown="gap")
    keras.utils.set_random_seed(s.seed)
    with run.strategy.scope():
        filler = MADE.for_table(gap_columns, (s.hidden, s.hidden), any_order=True, seed=s.seed)
        steps = s.any_order_epochs * s.steps_per_epoch
        run.compile(filler, Adam(CosineDecay(s.learning_rate, steps)))
    stream = partial(Source(filler.prepare(gaps).numpy()).stream, s.batch_size, s.seed)
    run.fit(filler, stream, part="any order", epochs=s.any_order_epochs)

    with run.evaluation(model) as metrics:
        known = floored(model, train)
        test = test[(floored(model, test) >= 0).all(axis=1)]
        test_cells = floored(model, test)
        sizes = [len(column.shares) for column in columns]
        rivals = {
            "independent": IndependentColumns(known, sizes),
            "tree": ChowLiuTree(known, sizes),
            "mixture": ProductMixture(known, sizes, s.components, seed=s.seed),
        }
        metrics |= nll_summary({"nll": -model.log_prob(test)})
        samples = {"": rows_of(model.sample(len(test), s.seed)), "real_": train}
        for name, rival in rivals.items():
            metrics[f"{name}_nll"] = -rival.log_prob(test_cells).mean()
            samples[f"{name}_"] = texts_of(model, rival.sample(len(test), s.seed), s.seed)
        for name, rows in samples.items():
            metrics |= measured(columns, rows, train, others, test, name)
        part = with_gaps(test[: s.filled], s.hidden_fraction, random)
        gap_sizes = [len(column.shares) for column in gap_columns]
        by_mixture = ProductMixture(floored(filler, gaps), gap_sizes, s.components, seed=s.seed)
        shares = [np.tile(column.shares, (len(part), 1)) for column in gap_columns]
        guesses = {
            "": filler.expected(part),
            "mixture_": likeliest(gap_columns, by_mixture.probabilities(floored(filler, part))),
            "means_": likeliest(gap_columns, shares),
        }
        for name, guess in guesses.items():
            metrics |= filling_errors(gap_columns, test[: s.filled], part, guess, name)


def labeled(rows, source, seed):
    """Returns shuffled rows with the label as the last column, strings `[n, columns]`."""
    labels = np.where(source.arrays()[1] == 1, "high", "low")
    rows = np.concatenate([rows[: len(labels)], labels[:, None]], axis=1)
    return rows[np.random.default_rng(seed).permutation(len(rows))]


def rows_of(table):
    """Returns a sampled table as strings `[n, columns]`."""
    return np.stack([values.astype(str) for values in table.values()], axis=1)


def texts_of(model, cells, seed):
    """Returns rows for cells, strings `[n, columns]`, with numbers at random places in cells."""
    places = np.random.default_rng(seed).uniform(0, 0.99, cells.shape)
    return model.restore((cells + places).astype("float32")).numpy().astype(str)


def floored(model, rows):
    """Returns the cells of rows, integers `[n, columns]`, -1 for gaps."""
    return np.floor(model.prepare(rows).numpy()).astype(int)


def with_gaps(rows, fraction, random):
    """Returns rows of which a random fraction of the values is missing."""
    return np.where(random.uniform(size=rows.shape) < fraction, "", rows)


def measured(columns, rows, train, others, test, prefix):
    """Returns all metrics of sampled rows."""
    found = table_fidelity(columns, test, rows)
    found["detection_auc"] = detection_auc(columns, test[:6000], rows[:6000])
    found |= {f"tstr_{k}": v for k, v in usefulness(columns, test, rows, LABEL).items()}
    found |= closest_rows(columns, rows[:1500], train[:8000], others[:8000])
    names = [column.name for column in columns]
    if "education" in names:
        pair = [names.index("education"), names.index("education-num")]
        seen = {tuple(row) for row in train[:, pair]}
        found["consistent"] = np.mean([tuple(row) in seen for row in rows[:, pair]])
    return {prefix + name: value for name, value in found.items()}


def likeliest(columns, probabilities):
    """Returns the most probable words and the mean numbers, strings `[n, columns]`."""
    guesses = []
    for column, each in zip(columns, probabilities, strict=True):
        values = np.array(column.categories) if column.categories else np.array(column.means)
        guess = values[each.argmax(axis=1)] if column.categories else each @ values
        guesses.append(guess.astype(str))
    return np.stack(guesses, axis=1)


def filling_errors(columns, rows, part, guess, prefix):
    """Returns errors of guesses at missing values: for numbers, and the fraction of wrong words."""
    numbers = []
    words = []
    for place, column in enumerate(columns):
        gap = part[:, place] == ""
        true = rows[gap, place]
        found = guess[gap, place]
        if column.categories:
            words.append((true != found).mean())
        else:
            error = true.astype(float) - found.astype(float)
            numbers.append(np.sqrt(np.square(error).mean()) / column.scale)
    errors = {"number_error": np.mean(numbers), "wrong_words": np.mean(words)}
    return {prefix + name: value for name, value in errors.items()}


def people(columns, shown):
    """Returns a plot of two numeric columns, with equally many rows per label and table."""
    places = [place for place, column in enumerate(columns) if not column.categories]
    pair = places[0], places[-1]
    labels = {title: (rows[:, -1] == "high").astype(int) for title, rows in shown.items()}
    count = min(np.bincount(each, minlength=2).min() for each in labels.values())
    panels = {}
    for title, rows in shown.items():
        chosen = [np.flatnonzero(labels[title] == label)[:count] for label in (0, 1)]
        panels[title] = rows[np.concatenate(chosen)][:, pair].astype(float)
    axes = columns[pair[0]].name, columns[pair[1]].name
    return code_scatter(panels, np.repeat([0, 1], count), ["low income", "high income"], axes)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
