"""Outlier exposure on Fashion-MNIST: low confidence on other types of images.

Hendrycks, Mazeika, Dietterich: "Deep Anomaly Detection with Outlier Exposure", ICLR 2019.

  python recipes/outlier_exposure_fashion_mnist.py         about 17 minutes on one of two CPU cores
  python recipes/outlier_exposure_fashion_mnist.py --preset smoke  about a minute

Expected result of the cpu preset: low confidence detects digits, which are not used in training,
with an AUROC of 0.91 (without exposure: 0.67; distance to the nearest training image: 0.98, in
histograms of gradients: 0.99).

A classifier's confidence is its largest probability, and test images with low confidence count as
outliers. During training, the classifier also sees other images, half as many as clothes: gray
photographs, clothes cut into sixteen shuffled pieces, rotated clothes, or all three. For these
outliers, the classifier should predict all classes with equal probability, so each outlier is
assigned a random class, resampled in every epoch. On average, this loss equals the paper's loss,
which is the mean cross-entropy over all classes; half as many images correspond to the paper's
weight of 0.5. Digits, the outliers to detect, are never shown.

The baselines are the same classifier without exposure, boosted trees on principal components
trained with the same outliers, and scores based only on clothes: the size as a PNG file, the
reconstruction error of principal components, and the distance to the nearest training image, in
pixels and in histograms of gradients.

Deviations: the classifier is small and is trained from the start with outliers, which have random
classes.

Data: fashion_mnist, mnist, and cifar10 through tensorflow-datasets (downloaded, or from
TFDS_DATA_DIR). The paper does not use clothes.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from keras_gen.classifiers import Classifier
from keras_gen.data import Sets, Source, small_images
from keras_gen.metrics import (
    gradient_histograms,
    mean_and_deviation,
    nearest_neighbors,
    squared_error,
)
from keras_gen.workshop.baselines import PrincipalComponents, compressed_bits
from keras_gen.workshop.visualize import image_rows, roc_plot

SHAPE = (28, 28, 1)
CLASSES = 10
KINDS = ("photographs", "pieces", "turned")
EXPOSURES = {"none": (), **{kind: (kind,) for kind in KINDS}, "all": KINDS}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    filters: int = 16  # Channels of the first convolution
    hidden: int = 128  # Units in the classifier's dense layer
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    repeats: int = 3  # Number of seeds per classifier, starting at --seed
    tested: int = 2000  # Number of test images of clothes, and number for each type of outlier
    known: int = 10_000
    """Number of training images of clothes, and number of outliers, used to fit the baselines."""


PRESETS = {
    "smoke": dict(filters=4, hidden=8, repeats=1, tested=100, known=200, epochs=2,
                  steps_per_epoch=10, batch_size=30),
    "cpu": dict(epochs=3, steps_per_epoch=600, batch_size=100, steps_per_execution=100),
    "paper": dict(filters=64, hidden=512, epochs=100, steps_per_epoch=600, batch_size=150,
                  repeats=5, tested=10_000, steps_per_execution=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    fashion = small_images("fashion_mnist", labels=True)
    used = ("train_fashion", "test_fashion", "test_mnist", "train_cifar10", "test_cifar10")
    sets = dict(mnist=small_images("mnist"), cifar10=small_images("cifar10"))
    data = run.load(Sets(used, fashion=fashion, **sets))
    images, labels = data.train_fashion.arrays()
    shown = others(data.train_cifar10, images, s.seed)
    clothes, clothes_labels = (part[: s.tested] for part in data.test_fashion.arrays())
    test = {"digits": data.test_mnist.arrays()}
    test |= others(data.test_cifar10, data.test_fashion.arrays()[0][::-1], s.seed)
    test = {kind: found[: s.tested] for kind, found in test.items()}

    # Train a classifier for each exposure and seed, the main model last.
    seeds = range(s.seed, s.seed + s.repeats)
    draw = partial(by_confidence, sets={"clothes": clothes, **test})
    models = {}
    for exposure, kinds in EXPOSURES.items():
        source = mixed(images, labels, [shown[kind] for kind in kinds])
        for seed in reversed(seeds):
            model = build(run, s, seed)
            # Each step: one update of the classifier on clothes and outliers.
            stream = partial(source.stream, s.batch_size, seed, augment_batch=any_class)
            is_main = (exposure, seed) == ("all", s.seed)
            run.fit(model, stream, draw, part="" if is_main else f"{exposure}_seed_{seed}")
            models[exposure, seed] = model
    run.export(models["all", s.seed])

    run.say("fitting the baselines")
    scores = baseline_scores(s, images, np.concatenate(list(shown.values())))

    with run.evaluation(models["all", s.seed]) as metrics:
        for exposure in EXPOSURES:
            found = [aurocs(doubt(models[exposure, seed]), clothes, test) for seed in seeds]
            for of_seed, seed in zip(found, seeds, strict=True):
                logits = models[exposure, seed].classify(clothes)
                of_seed["accuracy"] = np.mean(logits.argmax(axis=1) == clothes_labels)
            metrics |= mean_and_deviation(found, f"{{}}_{exposure}")
        for name, score in scores.items():
            found = aurocs(score, clothes, test)
            metrics |= {f"{kind}_{name}": value for kind, value in found.items()}
        compared = np.concatenate([clothes, test["digits"]])
        is_digit = np.arange(len(compared)) >= len(clothes)
        curves = {
            "confidence, with exposure": doubt(models["all", s.seed])(compared),
            "confidence, without exposure": doubt(models["none", s.seed])(compared),
            "nearest training image": scores["nearest"](compared),
            "boosted trees, with exposure": scores["trees"](compared),
        }
        run.draw("roc", roc_plot(curves, is_digit))


def others(photographs, clothes, seed):
    """Returns outlier images by type, each uint8 `[n, 28, 28, 1]`."""
    return {
        "photographs": photographs.map(gray).arrays(),
        "pieces": shuffled(clothes, seed),
        "turned": np.rot90(clothes, axes=(1, 2)),
    }


def gray(photograph):
    """Returns the center of 32x32 photographs, in gray."""
    return tf.image.rgb_to_grayscale(photograph[2:30, 2:30])


def shuffled(images, seed):
    """Returns images whose sixteen 7x7 pieces are shuffled."""
    pieces = images.reshape(-1, 4, 7, 4, 7).swapaxes(2, 3).reshape(-1, 16, 7, 7)
    places = np.random.default_rng(seed).random((len(images), 16)).argsort(axis=1)
    pieces = np.take_along_axis(pieces, places[:, :, None, None], axis=1)
    return pieces.reshape(-1, 4, 4, 7, 7).swapaxes(2, 3).reshape(images.shape)


def mixed(images, labels, outliers):
    """Returns a source of clothes and, with outliers, half as many labeled -1."""
    if not outliers:
        return Source((images, labels))
    outliers = np.concatenate(outliers)
    order = np.random.default_rng(0).permutation(len(outliers))
    outliers = outliers[np.resize(order, len(images) // 2)]
    labels = np.concatenate([labels, np.full(len(outliers), -1)])
    return Source((np.concatenate([images, outliers]), labels))


def any_class(batch, seed):
    """Returns the batch with a random label for each outlier."""
    images, labels = batch
    drawn = tf.random.stateless_uniform(tf.shape(labels), seed, 0, CLASSES, labels.dtype)
    return images, tf.where(labels < 0, drawn, labels)


def build(run, s, seed):
    """Returns a compiled classifier."""
    with run.strategy.scope():
        keras.utils.set_random_seed(seed)
        model = Classifier.for_images(SHAPE, CLASSES, s.filters, s.hidden, seed=seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate)))
    return model


def doubt(model):
    """Returns a score that is high for images with low confidence."""

    def score(images):
        return -softmax(model.classify(images), axis=1).max(axis=1)

    return score


def baseline_scores(s, images, outliers):
    """Returns scores that need no network, as functions of images; high for outliers."""
    known = images[: s.known]
    histograms = gradient_histograms(known)
    pca = PrincipalComponents(images, 20)
    usual = compressed_bits(known).mean()
    order = np.random.default_rng(s.seed).permutation(len(outliers))
    both = np.concatenate([known, outliers[order[: s.known]]])
    trees = HistGradientBoostingClassifier(random_state=s.seed)
    trees.fit(pca.encode(both), np.arange(len(both)) >= len(known))

    def nearest(found, reference):
        return nearest_neighbors(found, reference)[0][:, 0]

    return {
        "nearest": lambda found: nearest(found, known),
        "gradients": lambda found: nearest(gradient_histograms(found), histograms),
        "png": lambda found: np.abs(compressed_bits(found) - usual),
        "pca": lambda found: squared_error(pca.reconstruct(found), found),
        "trees": lambda found: trees.predict_proba(pca.encode(found))[:, 1],
    }


def aurocs(score, clothes, test):
    """Returns how well a score separates each type of outlier from clothes, by type."""
    of_clothes = score(clothes)
    found = {}
    for kind, images in test.items():
        scores = np.concatenate([of_clothes, score(images)])
        is_outlier = np.arange(len(scores)) >= len(clothes)
        found[kind] = roc_auc_score(is_outlier, scores)
    return found


def by_confidence(model, sets):
    """Shows one row per type, evenly spaced from the lowest to the highest confidence."""
    rows = {}
    for name, images in sets.items():
        order = doubt(model)(images).argsort()[::-1]
        rows[name] = images[order[np.linspace(0, len(order) - 1, 12).round().astype(int)]]
    return image_rows(rows)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
