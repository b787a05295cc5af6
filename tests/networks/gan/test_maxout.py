"""Maxout networks: units that are the largest of their pieces, and dropout."""

import numpy as np
import pytest

from keras_gen.networks import maxout_discriminator


def test_units_are_the_largest_of_their_pieces(rng):
    network = maxout_discriminator((4, 4, 1), hidden=(3, 2), pieces=5)
    weights = [rng.normal(size=v.shape) for v in network.trainable_variables]
    for variable, value in zip(network.trainable_variables, weights, strict=True):
        variable.assign(value)
    x = images = rng.uniform(-1, 1, [6, 4, 4, 1]).astype("float32")
    x = (x.reshape(6, -1) + 1) / 2
    for kernel, bias in (weights[:2], weights[2:4]):
        x = (x @ kernel + bias).reshape(6, -1, 5).max(axis=-1)
    np.testing.assert_allclose(network(images), x @ weights[4] + weights[5], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dropout", "same"), [(0.0, True), (0.5, False)])
def test_units_drop_in_training_only(rng, dropout, same):
    network = maxout_discriminator((4, 4, 1), hidden=(8,), dropout=dropout)
    images = rng.uniform(-1, 1, [6, 4, 4, 1]).astype("float32")
    assert np.array_equal(network(images), network(images))
    assert np.allclose(network(images), network(images, training=True)) == same


def test_pixels_that_drop_are_black():
    network = maxout_discriminator((4, 4, 1), hidden=())
    for value, same in ((-1.0, True), (1.0, False)):
        images = np.full([6, 4, 4, 1], value, "float32")
        assert np.allclose(network(images), network(images, training=True)) == same
