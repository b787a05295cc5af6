"""Conditional normalizing flow on Adult.

Winkler, Worrall, Hoogeboom, Welling: "Learning Likelihoods with Conditional Normalizing Flows",
2019, here for table rows given a label, with the couplings of Dinh, Sohl-Dickstein, Bengio:
"Density Estimation Using Real NVP", ICLR 2017.

  python recipes/conditional_flow_adult.py                  about 3 minutes on one of two CPU cores
  python recipes/conditional_flow_adult.py --preset smoke   under a minute

Expected result of the cpu preset: 17.7 nats per test row and label (Bayesian network of columns:
17.3; mixture of 80 products: 17.4; Gaussian per class: 19.3) and an income accuracy of 0.845
(logistic regression: 0.853). `MADE.for_table` is a better model for tables; see
`table_models_adult`.

The flow models rows of 13 columns, given low or high income. Bayes' rule turns the flow into a
classifier, with the class frequencies of the training set as priors. The recipe reports the
negative log-likelihood, in nats, of a test row with its label, and the accuracy of the more likely
label.

Categories and frequent values have no density. Therefore, `NormalScores` spreads each value over
its quantile range in the training set, which makes every column normally distributed. The density
of these numbers gives a bound on the probability of the row, here with 16 samples. Numeric columns
are split into 32 intervals. The education name is omitted, because another column contains the same
information as a number.

Baselines for rows with their label are a mixture of 80 products of categorical distributions,
fitted by EM in seconds; the Chow-Liu tree, in which each column depends on one other column; and a
Bayesian network with up to four parents per column.
Baselines for rows given their label are a Gaussian per label on the same numbers, with full
covariance (quadratic discriminant analysis), and the frequencies of each column's values per label
(naive Bayes). Logistic regression only predicts the label.

The likelihood of 4,000 held-out training examples determines which epoch is evaluated; the numbers
of couplings and units were also chosen on these examples.

Data: adult through tensorflow-datasets (from adult.zip, which you download yourself; the error
message explains how).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from scipy.special import log_softmax, logsumexp
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB

from keras_gen.core.noise import stateless_seed
from keras_gen.data import NormalScores, Source, people_table
from keras_gen.flows import ConditionalFlow
from keras_gen.metrics import nll_summary
from keras_gen.workshop.baselines import ChowLiuTree, ColumnNetwork, ProductMixture
from keras_gen.workshop.visualize import code_scatter

LEFT_OUT = ("education",)  # columns that are omitted
SHOWN = 2000  # people per image


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    held_out: int = 4000  # Number of training examples held out to choose the epoch
    couplings: int = 8  # Number of coupling layers in the flow
    hidden: int = 64  # Units in each of the two hidden layers of a coupling network
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    draws: int = 16  # Number of samples per test row in the likelihood bound


PRESETS = {
    "smoke": dict(held_out=20, couplings=2, hidden=8, draws=2, epochs=2, steps_per_epoch=20,
                  batch_size=32, steps_per_execution=10),
    "cpu": dict(epochs=20, steps_per_epoch=500, batch_size=256, steps_per_execution=100),
    "paper": dict(couplings=16, hidden=128, epochs=100, steps_per_epoch=1000, batch_size=256,
                  steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(people_table())
    kept = [column.name not in LEFT_OUT for column in data.columns]
    columns = [column for column, keep in zip(data.columns, kept, strict=True) if keep]
    scores = NormalScores(data.train_rows[:, kept], columns)
    vectors, labels, _ = data.train.arrays()
    test_vectors, test_labels, _ = data.test.arrays()
    levels = scores.levels(data.train_rows[: len(labels), kept])
    test_levels = scores.levels(data.test_rows[: len(test_labels), kept])

    with run.strategy.scope():
        hidden = (s.hidden, s.hidden)
        sizes = dict(steps=s.couplings, hidden=hidden)
        model = ConditionalFlow.for_vectors(len(columns), classes=2, **sizes, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    def drawn(batch, seed):
        rows, labels = batch
        return scores.drawn(rows, seed), labels

    def validate(model):
        bounds = joint_nats(model.classify, scores, levels[-s.held_out :], s.seed, draws=1)
        return {"nats": -of_label(bounds, labels[-s.held_out :]).mean()}

    def draw(model):
        z = scores.drawn(test_levels[:SHOWN], stateless_seed(s.seed, 0, "shown")).numpy()
        shown_labels = test_labels[:SHOWN]
        samples = model.sample(len(z), seed=s.seed, label=shown_labels)
        panels = {"people": z[:, :2], "samples": samples[:, :2]}
        names = [f"normal score of {column.name}" for column in columns[:2]]
        return code_scatter(panels, shown_labels, ["<=50K", ">50K"], tuple(names))

    # Each step: one gradient update on log p(x|y), with resampled normal scores.
    train = Source((levels[: -s.held_out], labels[: -s.held_out]))
    stream = partial(train.stream, s.batch_size, s.seed, augment_batch=drawn)
    run.fit(model, stream, draw, validate=validate, best="nats")
    run.restore_best(model)
    run.export(model, default="classify")

    with run.evaluation(model) as metrics:
        z = scores.drawn(levels, stateless_seed(s.seed, 0, "fitted")).numpy()
        by_normals = normal_densities(z, labels)
        by_shares = CategoricalNB(min_categories=scores.shares.shape[1]).fit(levels, labels)
        linear = LogisticRegression(max_iter=1000).fit(vectors, labels)
        joints = {
            "": joint_nats(model.classify, scores, test_levels, s.seed, s.draws),
            "normal_": joint_nats(by_normals, scores, test_levels, s.seed, s.draws),
            "naive_": by_shares.predict_joint_log_proba(test_levels),
        }
        for name, joint in joints.items():
            metrics |= nll_summary({"nll": -of_label(joint, test_labels)}, prefix=name)
        sizes = [*(known.numpy().astype(bool).sum() for known in scores.shares), 2]
        together = np.concatenate([levels, labels[:, None]], axis=1)
        test_together = np.concatenate([test_levels, test_labels[:, None]], axis=1)
        rivals = {
            "mixture": ProductMixture(together, sizes, seed=s.seed),
            "tree": ChowLiuTree(together, sizes),
            "network": ColumnNetwork(together, sizes),
        }
        for name, rival in rivals.items():
            metrics[f"{name}_nll"] = -rival.log_prob(test_together).mean()
        odds = linear.decision_function(test_vectors)
        joints["linear_"] = np.stack([np.zeros_like(odds), odds], axis=1)
        for name, logits in joints.items():
            right = logits.argmax(axis=1) == test_labels
            metrics[f"{name}accuracy"] = right.mean()
            given_row = log_softmax(logits, axis=1)
            metrics[f"{name}label_nats"] = -of_label(given_row, test_labels).mean()


def joint_nats(log_joint, scores, levels, seed, draws):
    """Returns a bound on log P(row, y) for every label y, float64 `[n, 2]`, from samples.

    Args:
        log_joint: Function that maps numbers `[n, columns]` to log p(z, y), `[n, 2]`.
        scores: Scores that convert levels to numbers.
        levels: Int32 `[n, columns]`.
        seed: Seed for the samples.
        draws: Number of samples.
    """
    bounds = []
    for number in range(draws):
        z = scores.drawn(tf.constant(levels), stateless_seed(seed, number, "draws"))
        each = log_joint(z.numpy()).astype(np.float64)
        bounds.append(each + scores.log_widths(z, levels)[:, None])
    return logsumexp(bounds, axis=0) - np.log(draws)


def normal_densities(z, labels):
    """Returns the function log p(z, y) for one Gaussian per label."""
    parts = [z[labels == label] for label in (0, 1)]
    normals = [
        multivariate_normal(part.mean(axis=0), np.cov(part.T), allow_singular=True)
        for part in parts
    ]
    priors = np.log([len(part) / len(z) for part in parts])

    def log_joint(z):
        return np.stack([normal.logpdf(z) for normal in normals], axis=1) + priors

    return log_joint


def of_label(values, labels):
    """Returns each row's value at its label."""
    return values[np.arange(len(labels)), labels]


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
