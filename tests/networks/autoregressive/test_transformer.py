"""The transformer sees all codes before a code, none after, and the class at every place."""

import keras
import numpy as np
import pytest

from causality import dependence
from keras_gen.layers import OneHot
from keras_gen.networks import transformer


def perturbed(rng, **options):
    """A small network whose weights are not those it starts from."""
    network = transformer(5, 3, units=6, blocks=2, heads=2, **options)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.5, weight.shape))
    return network


@pytest.mark.thorough
def test_every_code_depends_on_exactly_the_codes_before_it(rng):
    """By the gradient with respect to one-hot vectors, for codes are integers."""
    network = perturbed(rng)
    (one_hot,) = (layer for layer in network.layers if isinstance(layer, OneHot))
    of_vectors = keras.Model(one_hot.output, network.output)
    x = np.eye(3, dtype="float32")[rng.integers(0, 3, (4, 5))]
    found = dependence(of_vectors, x).any(axis=(1, 3))
    np.testing.assert_array_equal(found, np.tri(5, k=-1, dtype=bool))


def test_every_code_depends_on_the_class(rng):
    network = perturbed(rng, classes=2)
    codes = rng.integers(0, 3, (1, 5, 1))
    first, second = (network([codes, np.array([label])]).numpy() for label in (0, 1))
    assert (np.abs(first - second).max(axis=-1) > 1e-3).all()


def test_padding_after_a_text_changes_nothing_before(rng):
    network = perturbed(rng)
    codes = rng.integers(0, 3, (2, 5, 1))
    padded = codes.copy()
    padded[:, 3:] = -1
    np.testing.assert_allclose(network(padded)[:, :4], network(codes)[:, :4], atol=1e-5)


def test_heads_must_divide_the_units():
    with pytest.raises(ValueError, match="units is 6 and heads 4: expected a multiple"):
        transformer(5, 3, units=6, heads=4)
