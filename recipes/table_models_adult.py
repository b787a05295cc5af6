"""Tabular MADE on Adult.

Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation", ICML
2015, here for table rows with categories and numbers; the variant for any order follows Uria,
Murray, Larochelle: "A Deep and Tractable Density Estimator", ICML 2014.

  python recipes/table_models_adult.py                  about 5 minutes on one of two CPU cores
  python recipes/table_models_adult.py --preset smoke   under a minute

Expected result of the cpu preset: 19.5 nats per row (Bayesian network of columns: 19.7; mixture of
80 products: 20.9), a total variation distance of 0.035 for pairs of columns (mixture: 0.040; real
rows: 0.030), and an AUC of 0.54 for distinguishing samples from real rows (network: 0.60).

Each value is a cell: a word, a distinct number, or one of 64 quantile intervals. Two models are
trained on 20,000 people: one predicts columns in a fixed order, and generates people; the other
predicts columns in any order, and fills in values. To evaluate imputation, 20% of all values are
hidden at random, in training and in 3,000 test rows; the error of numbers is divided by the
column's standard deviation.

The baselines are independent columns; the Chow-Liu tree, which is fitted in 0.1 seconds; a Bayesian
network with up to four parents per column, fitted in less than a minute; a mixture of 80 products
of categorical distributions, fitted by EM in seconds; and, for imputation, means and most frequent
words, and the mixture. Real rows show the best possible result, because two samples of real people
also differ.

Data: adult through tensorflow-datasets (from adult.zip, which you download yourself; the error
message explains how).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.tables import People, cells_of, labeled_people, report_on_rows

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from keras_gen import MADE
from keras_gen.data import Source
from keras_gen.workshop.baselines import ProductMixture


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    rows: int = 20_000  # Number of training rows; the other rows are used to detect copying
    hidden: int = 256  # Units in each of the two hidden layers
    learning_rate: float = 2e-3  # Adam's learning rate; cosine decay to 0
    any_order_epochs: int = 10
    """Number of epochs for the model that predicts columns in any order."""
    components: int = 80  # Number of product distributions in the baseline mixture
    hidden_fraction: float = 0.2  # Fraction of the values hidden in the imputation test
    filled: int = 3000  # Number of test rows to impute


PRESETS = {
    "smoke": dict(rows=200, hidden=32, any_order_epochs=2, components=3, filled=50,
                  epochs=2, steps_per_epoch=20, batch_size=32, steps_per_execution=10),
    "cpu": dict(epochs=6, steps_per_epoch=500, batch_size=256, steps_per_execution=100),
    "paper": dict(hidden=1000, any_order_epochs=100, epochs=100, steps_per_epoch=500,
                  batch_size=256, steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    people = labeled_people(run, s.rows, s.seed)

    with run.strategy.scope():
        model = MADE.for_table(people.columns, hidden=(s.hidden, s.hidden), seed=s.seed)
        run.compile(model, Adam(CosineDecay(s.learning_rate, s.epochs * s.steps_per_epoch)))

    # Each step: one gradient update on the log-likelihood of the cells.
    cells = Source(model.prepare(people.train).numpy())
    stream = partial(cells.stream, s.batch_size, s.seed)
    run.fit(model, stream, partial(People.draw, people, seed=s.seed))
    run.export(model, default="sample")

    random = np.random.default_rng(s.seed)
    gaps = with_gaps(people.train, s.hidden_fraction, random)
    gap_columns = people.columns_of(gaps)
    keras.utils.set_random_seed(s.seed)
    with run.strategy.scope():
        filler = MADE.for_table(gap_columns, (s.hidden, s.hidden), any_order=True, seed=s.seed)
        steps = s.any_order_epochs * s.steps_per_epoch
        run.compile(filler, Adam(CosineDecay(s.learning_rate, steps)))
    stream = partial(Source(filler.prepare(gaps).numpy()).stream, s.batch_size, s.seed)
    run.fit(filler, stream, part="any order", epochs=s.any_order_epochs)

    with run.evaluation(model) as metrics:
        metrics |= report_on_rows(model, people, s.components, s.seed)
        test = people.test[: s.filled]
        part = with_gaps(test, s.hidden_fraction, random)
        gap_sizes = [len(column.shares) for column in gap_columns]
        by_mixture = ProductMixture(
            cells_of(gap_columns, gaps), gap_sizes, s.components, seed=s.seed
        )
        shares = [np.tile(column.shares, (len(part), 1)) for column in gap_columns]
        guesses = {
            "": filler.expected(part),
            "mixture_": likeliest(
                gap_columns, by_mixture.probabilities(cells_of(gap_columns, part))
            ),
            "means_": likeliest(gap_columns, shares),
        }
        for name, guess in guesses.items():
            metrics |= filling_errors(gap_columns, test, part, guess, name)


def with_gaps(rows, fraction, random):
    """Returns rows in which a random fraction of the values is missing."""
    return np.where(random.uniform(size=rows.shape) < fraction, "", rows)


def likeliest(columns, probabilities):
    """Returns the most probable words and the mean numbers, strings `[n, columns]`."""
    guesses = []
    for column, each in zip(columns, probabilities, strict=True):
        values = np.array(column.categories) if column.categories else np.array(column.means)
        guess = values[each.argmax(axis=1)] if column.categories else each @ values
        guesses.append(guess.astype(str))
    return np.stack(guesses, axis=1)


def filling_errors(columns, rows, part, guess, prefix):
    """Returns the errors of imputed values: of numbers, and the fraction of wrong words."""
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


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
