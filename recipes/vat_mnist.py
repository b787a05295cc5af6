"""Virtual adversarial training on MNIST with few labels.

Miyato, Maeda, Koyama, Ishii: "Virtual Adversarial Training: A Regularization Method for Supervised
and Semi-Supervised Learning", TPAMI 2018, table 3, with 100 MNIST labels.

  python recipes/vat_mnist.py                    71 minutes on two CPU cores (shared by five jobs)
  python recipes/vat_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a test error of 3.5%, or 1.8% to 8.4% depending on the label
sample (label spreading over HOG of deslanted digits: 5.4%; training only on the labels: 23.5%).

The 100 labels are balanced over the digits and resampled for each seed; all other training digits
are unlabeled. The comparison includes the same network trained only on the labels, label spreading
over a graph, and support vector machines. The perturbation length and the network were chosen on
the last 10,000 training digits.

Deviations: a small convolutional network with batch normalization, and fewer steps. In addition,
the entropy of the predictions is minimized (VAT+EntMin, which the paper uses on other data). Its
weight increases from 0, because with the full weight from the start, the network would become
confident in its early errors.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.classifiers import Classifier
from keras_gen.core.schedules import Linear
from keras_gen.data import few_labels, partly_labeled, small_images
from keras_gen.metrics import mean_and_deviation
from keras_gen.networks import normalized_lenet
from keras_gen.robustness import VAT
from keras_gen.workshop.baselines import few_label_baselines
from keras_gen.workshop.visualize import image_rows

CLASSES = 10
COLUMNS = 10  # digits in a sample grid


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    labels: int = 100  # Number of labeled digits, split evenly among the classes
    draws: int = 5
    """Number of seeds, starting at --seed; each seed selects different labeled digits."""
    labels_per_batch: int = 32  # Number of labeled digits per batch
    filters: int = 32  # Channels of the first convolution; the second has twice as many
    hidden: int = 128  # Units in the classifier's dense layer
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0
    epsilon: float = 4.0  # Length of the perturbation (Euclidean norm over a digit's pixels)
    smoothness: float = 1.0
    """Weight of the smoothness loss, relative to the mean cross-entropy of labeled digits."""
    entropy: float = 1.0
    """Final weight of the predictions' entropy, relative to the mean cross-entropy of labeled
    digits; the weight rises from 0."""


PRESETS = {
    "smoke": dict(labels=50, draws=1, labels_per_batch=4, filters=4, hidden=8, epochs=2,
                  steps_per_epoch=10, batch_size=8, steps_per_execution=5),
    "cpu": dict(epochs=6, steps_per_epoch=500, batch_size=160, steps_per_execution=50),
    "paper": dict(epochs=100, steps_per_epoch=500, batch_size=320, labels_per_batch=64,
                  steps_per_execution=50, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    images, labels = data.test.arrays()

    with run.strategy.scope():
        model = build(VAT, s, s.seed, **weights(s))
        run.compile(model, Adam(rate(s)))

    def draw(model):
        return changed_rows(model, images[:COLUMNS])

    run.fit(model, partial(batches, s, data.train, s.seed), draw)
    run.export(model, default="classify")

    measure = partial(test_errors, s, data.train, images, labels, model)
    errors = run.each_seed("labels of seed {}", measure, s.draws)

    with run.evaluation(model) as metrics:
        metrics |= mean_and_deviation(errors)


def rate(s):
    return keras.optimizers.schedules.PolynomialDecay(
        s.learning_rate, s.epochs * s.steps_per_epoch, 0.0
    )


def build(cls, s, seed, **options):
    """Returns a convolutional classifier with initial weights from the seed."""
    keras.utils.set_random_seed(seed)
    networks = normalized_lenet((28, 28, 1), CLASSES, s.filters, s.hidden)
    return cls(*networks, seed=seed, **options)


def weights(s):
    # The cross-entropy is averaged over all digits in a batch, most of which have no label.
    labeled = s.labels_per_batch / s.batch_size
    entropy = Linear(0.0, labeled * s.entropy, steps=s.epochs * s.steps_per_epoch)
    return dict(epsilon=s.epsilon, weight=labeled * s.smoothness, entropy_weight=entropy)


def batches(s, train, seed, start=0):
    """Returns batches of digits, the first of which have labels."""
    _, classes = train.arrays()
    shown = few_labels(classes, s.labels, seed) >= 0
    few = train.select(shown)
    many = train.select(~shown)
    return partly_labeled(few, many, s.batch_size, seed, start, s.labels_per_batch)


def test_errors(s, train, images, labels, model, seed):
    """Returns test errors in percent with a seed's labels; the model belongs to the first seed."""
    steps = dict(epochs=s.epochs, steps_per_epoch=s.steps_per_epoch, verbose=0)
    several = dict(steps_per_execution=s.steps_per_execution)
    if seed != s.seed:
        model = build(VAT, s, seed, **weights(s))
        model.compile(Adam(rate(s)), **several)
        model.fit(batches(s, train, seed), **steps)
    digits, classes = train.arrays()
    shown = few_labels(classes, s.labels, seed)
    few = train.select(shown >= 0)
    alone = build(Classifier, s, seed)
    alone.compile(Adam(rate(s)), **several)
    alone.fit(few.stream(s.labels_per_batch, seed), **steps)
    accuracies = {
        "vat": np.mean(model.classify(images).argmax(axis=1) == labels),
        "labels_alone": np.mean(alone.classify(images).argmax(axis=1) == labels),
    }
    accuracies |= few_label_baselines(digits, shown, images, labels)
    return {name: 100 - 100 * float(accuracy) for name, accuracy in accuracies.items()}


def changed_rows(model, images):
    """Shows digits, the digits after the worst perturbation, and the perturbation around gray."""
    x = model.prepare(images)
    answer = model(x)
    change = model.worst_change(x, answer).numpy()
    rows = {"digit": x, "perturbed": np.clip(x + change, 0, 1), "perturbation": 0.5 + change / 2}
    return image_rows(
        {name: np.round(255 * np.asarray(row)).astype("uint8") for name, row in rows.items()}
    )


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
