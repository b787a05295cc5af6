"""Small networks that measure images learn what they are trained for."""

import itertools
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_gen.metrics import pixel_accuracy, train_classifier, train_point_reader, train_segmenter
from keras_gen.metrics.evaluation_networks.labelers import _moved, build_classifier, fit_logits
from keras_gen.metrics.samples.generation import shifted

KINDS = ("conv", "max", "average")


def labeled(n=60, channels=1):
    """Three classes of brightness."""
    labels = np.arange(n) % 3
    noise = np.random.default_rng(1).integers(0, 40, (n, 8, 8, channels))
    return (noise + 80 * labels[:, None, None, None]).astype("uint8"), labels


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_classifier_learns_and_repeats_itself(kind):
    images, labels = labeled(channels=3)
    settings = dict(steps=40, batch_size=16, kind=kind)
    first, second = (train_classifier(images, labels, **settings) for _ in range(2))
    outputs = first(images)
    assert outputs["features"].shape == (60, 128) and outputs["logits"].shape == (60, 3)
    assert (outputs["logits"].numpy().argmax(axis=1) == labels).mean() > 0.9
    np.testing.assert_allclose(outputs["logits"], second(images)["logits"], atol=1e-3)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_fixed_and_weights_follow_from_the_seed(kind):
    first, again, other = (build_classifier((8, 8, 1), 3, seed, kind) for seed in (1, 1, 2))
    assert first.input_shape == (None, 8, 8, 1)
    np.testing.assert_equal(first.get_weights(), again.get_weights())
    assert (first.get_weights()[0] != other.get_weights()[0]).all()


def test_pooled_kinds_are_trained_on_moved_images():
    images = np.arange(4 * 8 * 8 * 1).reshape(4, 8, 8, 1).astype("uint8")
    rng = np.random.default_rng(0)
    places = set()
    for _ in range(300):
        for image, original in zip(_moved(images, rng), images, strict=True):
            top, left = np.argwhere(image[:, :, 0] == original[3, 3, 0])[0] - 3
            places.add((int(top), int(left)))
            wanted = original[2 - top : 6 - top, 2 - left : 6 - left]
            np.testing.assert_array_equal(image[2:-2, 2:-2], wanted)
    # Up to two pixels along each axis, and all of these alike.
    assert places == set(itertools.product(range(-2, 3), repeat=2))
    right = _moved(images, SimpleNamespace(integers=lambda *_: np.array([[2] * 4, [1] * 4])))
    np.testing.assert_array_equal(right, shifted(images))  # the border is repeated


class Slope(keras.losses.Loss):
    """The labels times the logits: a gradient that the weights do not change."""

    def call(self, y_true, y_pred):
        return y_true * y_pred


@pytest.mark.thorough
@pytest.mark.parametrize("steps", [1, 2, 10])
def test_each_batch_is_one_step_of_adamw_with_a_rate_along_a_cosine(steps):
    x = keras.Input((1,))
    y = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(x)
    model = keras.Model(x, {"features": x, "logits": y})
    seen = []

    def batches():
        for step in range(steps):
            seen.append(step)
            yield np.ones([4, 1], "float32"), np.ones([4, 1], "float32")

    fit_logits(model, Slope(), batches(), steps, learning_rate=0.01)
    # Adam's steps along a constant gradient have the length of the rate, and decay comes first.
    wanted = 1.0
    for rate in 0.01 * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2:
        wanted = wanted * (1 - 1e-3 * rate) - rate
    assert model.get_weights()[0].item() == pytest.approx(wanted, abs=1e-6)
    assert seen == list(range(steps))


@pytest.mark.thorough
def test_it_finds_a_bright_pixel(rng):
    def pictures(count):
        places = rng.integers(1, 15, (count, 2))
        images = np.zeros((count, 16, 16, 1), np.uint8)
        for image, (x, y) in zip(images, places, strict=True):
            image[y - 1 : y + 2, x - 1 : x + 2] = 255
        return images, places[:, None] / 16

    images, points = pictures(500)
    network = train_point_reader(images, points, steps=200)
    test_images, test_points = pictures(50)
    found = network.predict(test_images, verbose=0)
    assert found.shape == (50, 1, 2)
    error = np.linalg.norm(found - test_points, axis=-1).mean()
    middle = np.linalg.norm(test_points - points.mean(axis=0), axis=-1).mean()
    assert error < 0.25 * middle


@pytest.mark.thorough
def test_reads_bright_and_dark_squares(rng):
    labels = np.kron(rng.integers(0, 2, (40, 4, 4)), np.ones([1, 4, 4], int))
    images = np.clip(60 + 120 * labels + rng.normal(0, 20, labels.shape), 0, 255)
    images = images[..., None].astype("uint8")
    segmenter = train_segmenter(images[:30], labels[:30], 2, filters=8, steps=200)
    assert pixel_accuracy(segmenter, images[30:], labels[30:]) > 0.9
    assert pixel_accuracy(segmenter, images[30:], 1 - labels[30:]) < 0.1
    first, second = (
        train_segmenter(images[:30], labels[:30], 2, filters=8, steps=3)(images[30:])["logits"]
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
