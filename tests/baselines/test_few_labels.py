"""Classifiers of few labels, on classes whose best classifier is known."""

import numpy as np
import pytest

from keras_gen.baselines import few_label_baselines, graph_accuracy, svm_accuracy
from keras_gen.media.images import flat_pixels
from keras_gen.metrics import knn_accuracy, linear_probe


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
    # So small a cost lets the machine forget all but the more frequent class.
    few = np.concatenate([x[y == 0], x[y == 1][:5]])
    frequent = np.repeat([0, 1], [30, 5])
    assert svm_accuracy(few, frequent, test_x, test_y, costs=[1e-6]) == 0.5


def test_one_label_spreads_over_a_circle(rng):
    x, y = circles(rng, 400)
    test_x, test_y = circles(rng, 300)
    known = np.full(400, -1)
    known[:2] = y[:2]
    assert graph_accuracy(x, known, test_x, test_y) == 1.0
    # The nearest of the two labels says much less.
    assert knn_accuracy(x[:2], y[:2], test_x, test_y, neighbors=1) < 0.9


def test_where_no_label_is_near_there_is_an_answer_all_the_same():
    x = np.array([[0.0], [0.1], [1.0], [1.1], [9.0], [9.1]])
    labels = np.array([0, -1, 1, -1, -1, -1])
    assert graph_accuracy(x, labels, x, np.array([0, 0, 1, 1, 0, 0]), neighbors=2) == 1.0


def test_what_cannot_be_told_apart_is_refused():
    x, y = np.zeros([6, 2]), np.array([0, 0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="5 examples of each: found 2 classes, the smallest of 3"):
        svm_accuracy(x, y, x, y)
    with pytest.raises(ValueError, match="found 1 classes, the smallest of 6"):
        svm_accuracy(x, 0 * y, x, y)
    with pytest.raises(ValueError, match=r"found share=1\.0 and 2 classes"):
        graph_accuracy(x, y, x, y, neighbors=2, share=1.0)
    with pytest.raises(ValueError, match=r"found share=0\.9 and 1 classes"):
        graph_accuracy(x, np.where(y, -1, 0), x, y, neighbors=2)
    with pytest.raises(ValueError, match="neighbors must be between 1 and 6, found 7"):
        graph_accuracy(x, y, x, y, neighbors=7)


def test_cheap_classifiers_of_images_see_the_known_labels_alone(rng):
    labels, test_labels = np.arange(90) % 3, np.arange(60) % 3
    patterns = rng.integers(0, 256, (3, 4, 4, 1))

    def noisy(classes):
        drawn = patterns[classes] + rng.normal(0, 60, (len(classes), 4, 4, 1))
        return np.clip(drawn, 0, 255).astype("uint8")

    images, test_images = noisy(labels), noisy(test_labels)
    (few,) = np.where(np.arange(90) < 15)
    known = np.where(np.arange(90) < 15, labels, -1)
    found = few_label_baselines(images, known, test_images, test_labels, dimensions=2, graph=40)
    part = flat_pixels(images[few]), labels[few], flat_pixels(test_images), test_labels
    assert found["svm"] == svm_accuracy(*part)
    assert found["logistic"] == linear_probe(*part)[15]
    assert found["neighbor"] == knn_accuracy(*part, neighbors=1)
    assert found.keys() == {"svm", "pca_svm", "graph", "logistic", "neighbor"}
    assert min(found.values()) > 0.6
