"""Regularizers of generators, by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import SpectralNormalization
from keras_gen.losses import orthogonality, path_lengths
from keras_gen.losses.regularizers import lazily


def network(*layers):
    return keras.Sequential([keras.Input((4, 4, 3)), *layers])


def overlaps(filters):
    """|W^T W * (1 - I)|_F^2 of columns."""
    products = filters.T @ filters
    return np.sum(products[~np.eye(len(products), dtype=bool)] ** 2)


def test_is_the_overlap_of_the_filters_of_all_kernels(rng):
    layers = keras.layers.Conv2D(5, 2), keras.layers.Conv2DTranspose(6, 2), keras.layers.Dense(7)
    found = network(*layers, keras.layers.BatchNormalization())
    for layer in layers:
        layer.kernel.assign(rng.normal(size=layer.kernel.shape))
        layer.bias.assign(rng.normal(size=layer.bias.shape))
    convolution, transposed, dense = (layer.kernel.numpy() for layer in layers)
    expected = overlaps(convolution.reshape(-1, 5)) + overlaps(dense)
    expected += overlaps(np.swapaxes(transposed, 2, 3).reshape(-1, 6))
    assert float(orthogonality(found)) == pytest.approx(expected, rel=1e-5)
    layers[0].trainable = False
    expected -= overlaps(convolution.reshape(-1, 5))
    assert float(orthogonality(found)) == pytest.approx(expected, rel=1e-5)


def test_a_network_without_kernels_has_none():
    assert float(orthogonality(network(keras.layers.Flatten()))) == 0


def test_a_wrapped_layer_counts_once(rng):
    layer = keras.layers.Conv2D(5, 2)
    expected = float(orthogonality(network(layer)))
    wrapped = network(SpectralNormalization(layer))
    assert float(orthogonality(wrapped)) == pytest.approx(expected) and expected > 0


def linear(rng, layers=2, dim=3, side=2):
    matrix = rng.normal(size=(layers * dim, side * side)).astype("float32")

    def generate(styles):
        return tf.reshape(tf.reshape(styles, [-1, layers * dim]) @ matrix, [-1, side, side, 1])

    return generate, matrix


def test_is_the_length_of_the_jacobians_product(rng):
    generate, matrix = linear(rng)
    styles = tf.constant(rng.normal(size=(5, 2, 3)), tf.float32)
    y = rng.normal(size=(5, 2, 2, 1)).astype("float32")
    found = path_lengths(generate, styles, tf.constant(y))
    slopes = (y.reshape(5, 4) / 2) @ matrix.T
    expected = np.sqrt((slopes**2).sum(axis=1) / 2)  # the mean over two layers
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_generator_that_ignores_its_styles_has_a_gradient():
    w = tf.Variable(tf.zeros([3, 4]))
    with tf.GradientTape() as tape:
        lengths = path_lengths(
            lambda s: tf.reshape(s[:, 0] @ w, [-1, 2, 2, 1]),
            tf.ones([2, 1, 3]),
            tf.ones([2, 2, 2, 1]),
        )
    np.testing.assert_allclose(lengths, 1e-6, rtol=1e-3)
    assert np.isfinite(tape.gradient(lengths, w)).all()


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
def test_lazily(graph):
    weight, step, calls = tf.Variable(2.0), tf.Variable(0, dtype=tf.int64), []

    def compute():
        calls.append(1)
        return weight * tf.ones([2])

    def term(every):
        with tf.GradientTape() as tape:
            value = lazily(every, step, 2, compute)
        return value, tape.gradient(value, weight, unconnected_gradients="zero")

    term = tf.function(term) if graph else term
    for number, factor in enumerate([3, 0, 0, 3]):
        step.assign(number)
        value, slope = term(3)
        np.testing.assert_array_equal(value, [2 * factor] * 2)
        assert float(slope) == 2 * factor
        value, slope = term(1)
        np.testing.assert_array_equal(value, [2, 2])
        assert float(slope) == 2
    # In a graph it is traced once for each interval, and else computed only when it is due.
    assert len(calls) == (2 if graph else 2 + 4)
