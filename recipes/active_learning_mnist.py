"""Active learning on MNIST with autoencoder codes.

Sener, Savarese: "Active Learning for Convolutional Neural Networks: A Core-Set Approach", ICLR
2018, choose examples that cover the rest of the dataset. Lewis, Gale: "A Sequential Algorithm for
Training Text Classifiers", SIGIR 1994, choose examples whose class is least certain.

  python recipes/active_learning_mnist.py                    about 7 minutes on two CPU cores
  python recipes/active_learning_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: with 50 labels, an accuracy of 79% if the labeled digits cover
the pool, and 65% if they are chosen at random (PCA and pixels: 70% each; label spreading through a
graph: 96%). Coverage saves 117 labels.

An autoencoder is trained without labels. Some digits from a pool of training digits are labeled,
logistic regression is fitted to their codes, and test digits are classified. Digits are chosen

- at random;
- by coverage: the digits nearest to the k-means centers, one per label. k-means replaces the
  core-set, which minimizes the largest distance and therefore picks outliers first;
- by uncertainty: half of the digits cover the pool; the other half have the smallest margin
  between the two most likely classes, according to a classifier fitted to the first half.

The experiment is repeated with as many principal components and with pixels. The strongest baseline
uses neither codes nor a classifier: the labeled digits cover the pool by histograms of oriented
gradients, and their labels are spread through a graph of the whole pool. "Labels saved" is the
number of additional labels that a random choice of codes would require for the same accuracy,
interpolated linearly between the measured label counts.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import plot_by_count

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances_argmin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import small_images
from keras_gen.files.images import flat_pixels
from keras_gen.networks import mlp_networks
from keras_gen.workshop.baselines import PrincipalComponents, graph_accuracy, stroke_codes
from keras_gen.workshop.visualize import image_rows, reconstructions

COUNTS = (20, 50, 100, 200)
LINES = {
    "codes_covering": "codes, coverage",
    "codes_doubtful": "codes, uncertainty",
    "codes_random": "codes, random",
    "pca_covering": "PCA, coverage",
    "pixels_covering": "pixels, coverage",
}
MORE = (400, 800)  # additional label counts for random choices, to compute "labels saved"


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 32  # Number of code dimensions and of principal components
    hidden: int = 500  # Units in the encoder's first layer; the second has half as many
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    pool: int = 10_000  # Number of digits in the pool; the first training digits are used
    draws: int = 5  # Number of repetitions of the experiment; accuracies are averaged


PRESETS = {
    "smoke": dict(hidden=32, epochs=2, steps_per_epoch=20, batch_size=50, pool=1000, draws=1,
                  steps_per_execution=20),
    "cpu": dict(epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10,
                steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20, draws=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    pool, pool_labels = data.train.select(np.arange(s.pool)).arrays()
    test, test_labels = data.test.arrays()

    with run.strategy.scope():
        hidden = (s.hidden, s.hidden // 2)
        encoder, decoder = mlp_networks((28, 28, 1), s.latent_dim, hidden, "relu")
        model = Autoencoder(encoder, decoder, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of the encoder and the decoder.
    run.fit(model, data.train, partial(reconstructions, images=test[:12]))
    run.export(model)

    images, _ = data.train.arrays()
    pca = PrincipalComponents(images, s.latent_dim)

    with run.evaluation(model) as metrics:
        encoders = {"codes": model.encode, "pca": pca.encode, "pixels": flat_pixels}
        seeds = range(s.seed, s.seed + s.draws)
        numbers = {}
        for name, encode in encoders.items():
            numbers[name] = (encode(pool), pool_labels, encode(test), test_labels)
        for name, of_digits in numbers.items():
            run.say(f"selecting digits to label, using {name}")
            for way, choose in WAYS.items():
                for count in COUNTS:
                    found = [accuracy(choose, count, seed, *of_digits) for seed in seeds]
                    metrics |= with_error(f"{name}_{way}_{count}", found)
        run.say("propagating labels through a neighbor graph of gradient histograms")
        strokes, test_strokes = stroke_codes(pool, test)
        of_digits = strokes, pool_labels, test_strokes, test_labels
        for count in COUNTS:
            found = [spread_accuracy(count, seed, *of_digits) for seed in seeds]
            metrics |= with_error(f"strokes_spread_{count}", found)
        codes, *others = numbers["codes"]
        for count in MORE:
            found = [accuracy(at_random, count, seed, codes, *others) for seed in seeds]
            metrics[f"codes_random_{count}"] = np.mean(found)
        for way in ("covering", "doubtful"):
            metrics[f"saved_{way}"] = labels_saved(metrics, way, spent=50)

        rows = {}
        for way, choose in WAYS.items():
            chosen = choose(codes, pool_labels, 20, s.seed)
            rows[way] = pool[chosen]
        run.draw("sample_grid", image_rows(rows, columns=10))
        y_label = f"test accuracy (%), mean and standard error over {s.draws} draws"
        run.draw("accuracies", plot_by_count(metrics, LINES, COUNTS, "error", y_label))


def accuracy(choose, count, seed, codes, labels, test_codes, test_labels):
    """Returns the accuracy, in percent, of a classifier fitted to `count` chosen digits."""
    chosen = choose(codes, labels, count, seed)
    classifier = fitted(codes[chosen], labels[chosen])
    return 100 * classifier.score(test_codes, test_labels)


def spread_accuracy(count, seed, codes, labels, test_codes, test_labels):
    """Returns the accuracy, in percent, of labels spread from `count` digits for coverage."""
    chosen = covering(codes, labels, count, seed)
    known = np.full_like(labels, -1)
    known[chosen] = labels[chosen]
    return 100 * graph_accuracy(codes, known, test_codes, test_labels)


def with_error(name, found):
    """Returns the mean of several results and its standard error."""
    deviation = np.std(found, ddof=min(1, len(found) - 1))
    return {name: np.mean(found), f"{name}_error": deviation / len(found) ** 0.5}


def fitted(codes, labels):
    """Returns logistic regression on standardized inputs."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(codes, labels)


def at_random(codes, labels, count, seed):
    """Returns the indices of random digits."""
    order = np.random.default_rng(seed).permutation(len(codes))
    return order[:count]


def covering(codes, labels, count, seed):
    """Returns the indices of the digits nearest to `count` k-means centers."""
    clusters = KMeans(count, n_init=1, random_state=seed).fit(codes)
    return pairwise_distances_argmin(clusters.cluster_centers_, codes)


def doubtful(codes, labels, count, seed):
    """Returns the indices of digits, half chosen for coverage and half for uncertainty."""
    first = covering(codes, labels, count // 2, seed)
    odds = np.sort(fitted(codes[first], labels[first]).predict_proba(codes), axis=1)
    margins = odds[:, -1] - odds[:, -2]
    margins[first] = np.inf
    return np.concatenate([first, np.argsort(margins, kind="stable")[: count - len(first)]])


WAYS = {"random": at_random, "covering": covering, "doubtful": doubtful}


def labels_saved(metrics, way, spent):
    """Returns the number of additional labels that a random choice needs for the same accuracy."""
    counts = COUNTS + MORE
    accuracies = np.maximum.accumulate([metrics[f"codes_random_{count}"] for count in counts])
    return np.interp(metrics[f"codes_{way}_{spent}"], accuracies, counts) - spent


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
