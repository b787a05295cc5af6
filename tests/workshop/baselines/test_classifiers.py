"""Classifiers of few labels, on classes whose best classifier is known."""

import numpy as np
import pytest

from keras_gen.files.images import flat_pixels
from keras_gen.metrics import linear_probe
from keras_gen.workshop.baselines import (
    color_balanced_classes,
    coral,
    coral_accuracy,
    few_label_baselines,
    gradient_accuracy,
    svm_accuracy,
)


def circles(rng, n):
    """A circle inside another: no line tells them apart."""
    labels = np.arange(n) % 2
    angles = rng.uniform(0, 2 * np.pi, n)
    radii = 1.0 + 2.0 * labels + 0.1 * rng.normal(size=n)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1), labels


def test_a_machine_with_a_gaussian_kernel_finds_a_circle(rng):
    x, y = circles(rng, 60)
    test_x, test_y = circles(rng, 300)
    assert svm_accuracy(x, y, test_x, test_y) > 0.99


def test_cheap_classifiers_of_images_see_the_known_labels_alone(rng):
    labels, test_labels = np.arange(90) % 3, np.arange(60) % 3
    patterns = rng.integers(0, 256, (3, 8, 8, 1))

    def noisy(classes):
        drawn = patterns[classes] + rng.normal(0, 60, (len(classes), 8, 8, 1))
        return np.clip(drawn, 0, 255).astype("uint8")

    images, test_images = noisy(labels), noisy(test_labels)
    (few,) = np.where(np.arange(90) < 15)
    known = np.where(np.arange(90) < 15, labels, -1)
    found = few_label_baselines(images, known, test_images, test_labels, dimensions=2, graph=40)
    part = flat_pixels(images[few]), labels[few], flat_pixels(test_images), test_labels
    assert found["svm"] == svm_accuracy(*part)
    assert found["logistic"] == linear_probe(*part)[15]
    distances = ((part[2][:, None] - part[0]) ** 2).sum(axis=2)
    assert found["neighbor"] == (part[1][distances.argmin(axis=1)] == test_labels).mean()
    assert found.keys() == {"svm", "pca_svm", "graph", "stroke_graph", "logistic", "neighbor"}
    assert min(found.values()) > 0.6


def test_labels_spread_along_chains_of_images(rng):
    """Two chains of brightness, each with a label at one end: the nearest label says less."""
    brightness = np.arange(0, 200, 5, dtype="uint8")
    chains = np.zeros([2, 40, 8, 8, 1], "uint8")
    chains[:, :, 0, 0, 0] = brightness
    chains[1, :, 1, 1] = 60
    images, labels = chains.reshape(80, 8, 8, 1), np.repeat([0, 1], 40)
    known = np.where(np.isin(np.arange(80) % 40, np.arange(5)), labels, -1)
    found = few_label_baselines(images, known, images, labels, dimensions=2)
    assert found["graph"] == 1.0


def test_neighbors_by_gradients_ignore_the_brightness():
    """Bars are told apart by their direction, whatever their brightness and background."""
    random = np.random.default_rng(0)
    images = random.integers(0, 20, (40, 16, 16, 1), dtype="uint8")
    labels = np.arange(40) % 2
    images[labels == 0, 6:10] += 100
    images[labels == 1, :, 6:10] += 100
    inverted = 255 - images
    assert gradient_accuracy(images, labels, inverted, labels) == 1.0
    assert gradient_accuracy(images, labels, inverted, 1 - labels) == 0.0


def test_rare_colors_count_as_much_as_others(rng):
    """Class 1 is mostly red, like class 0: shape decides for whoever sees both colors equally."""
    labels = np.arange(400) % 2
    green = (labels == 1) & (np.arange(400) < 12) | (labels == 0) & (np.arange(400) < 388)
    shapes = np.where(labels[:, None] == 1, [[200, 0]], [[0, 200]])

    def colored(green):
        images = np.zeros([400, 1, 2, 3], "uint8")
        images[np.arange(400), 0, :, green.astype(int)] = shapes + rng.integers(0, 30, (400, 2))
        return images

    found = color_balanced_classes(colored(green), labels, colored(~green))
    np.testing.assert_array_equal(found, labels)


def features(rng, n=4000):
    """Of a source and a target with other means and covariances, of variances far above 1."""
    mixed = [rng.normal(size=(n, 3)) @ rng.normal(0, 30, (3, 3)) for _ in range(2)]
    return mixed[0] + [10.0, -20.0, 5.0], mixed[1] + [-40.0, 0.0, 60.0]


def test_aligned_features_have_the_moments_of_the_target():
    source, target = features(np.random.default_rng(0))
    found = coral(source, target)
    np.testing.assert_allclose(found.mean(0), target.mean(0), atol=1e-6)
    covariances = [np.cov(values, rowvar=False) for values in (found, target)]
    # But for the 1 that is added to the variances.
    np.testing.assert_allclose(*covariances, rtol=0.1, atol=5)
    each = coral(source, target, covariance=False)
    np.testing.assert_allclose(each.mean(0), target.mean(0), atol=1e-6)
    np.testing.assert_allclose(each.var(0), target.var(0), rtol=0.01)
    same = coral(source, source)
    np.testing.assert_allclose(same, source, atol=1e-6)


def test_a_shifted_and_stretched_target_is_named_right():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    centers = 20 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    source = centers[labels] + rng.normal(size=(300, 2))
    target = [3.0, -2.0] * (centers[labels] + rng.normal(size=(300, 2))) + 100
    arrays = source, labels, target, target, labels
    assert coral_accuracy(*arrays, covariance=False) < 0.9  # the flip is not undone
    stretched = [3.0, 2.0] * (centers[labels] + rng.normal(size=(300, 2))) + 100
    assert coral_accuracy(source, labels, stretched, stretched, labels) == pytest.approx(1.0)
