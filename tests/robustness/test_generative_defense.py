"""Defenses by generative models, where the nearest image is known."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.robustness import FGSM, projected, reconstructed, robust_accuracy
from shared import linear_classifier

SHAPE = (2, 2, 1)


def plane(latents):
    """Images whose first two pixels are the latents, and whose others are 0."""
    rest = tf.zeros_like(latents)
    return tf.reshape(tf.concat([latents, rest], axis=1), [-1, *SHAPE])


def first_pixels(x):
    return tf.reshape(x, [-1, 4])[:, :2]


def test_the_descent_ends_at_the_nearest_image():
    x = np.random.default_rng(0).uniform(size=(3, *SHAPE)).astype("float32")
    network = linear_classifier(SHAPE, [1.0, 2.0, 3.0, 4.0])
    origin = lambda x: tf.zeros([tf.shape(x)[0], 2])  # noqa: E731
    defended = projected(network, plane, origin, steps=200, rate=0.5)
    expected = x.reshape(3, 4)[:, :2] @ [1.0, 2.0]
    np.testing.assert_allclose(defended(x)[:, 1], expected, atol=1e-4)
    none = projected(network, plane, origin, steps=0)
    np.testing.assert_allclose(none(x)[:, 1], 0.0, atol=1e-6)


@pytest.mark.thorough
def test_attacks_reach_through_the_defenses():
    # The third pixel misleads the network, and no defended one, which does not see it.
    network = linear_classifier(SHAPE, [1.0, 0.0, -2.0, 0.0])
    x = np.full((1, *SHAPE), 0.3, "float32")
    x[0, 1, 0, 0] = 0.1
    labels = np.ones(1, int)
    attacks = {"weak": FGSM(0.2), "strong": FGSM(0.4)}
    assert robust_accuracy(network, x, labels, attacks)["weak"] == 0.0
    ways = (
        projected(network, plane, first_pixels, steps=2),
        reconstructed(network, lambda x, training=False: plane(first_pixels(x))),
    )
    for defended in ways:
        found = robust_accuracy(defended, x, labels, attacks)
        assert found["clean"] == found["weak"] == 1.0 and found["strong"] == 0.0
