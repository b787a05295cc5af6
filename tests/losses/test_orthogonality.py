import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import SpectralNormalization
from keras_gen.losses import orthogonality


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


def test_orthogonal_filters_of_any_norm_are_free(rng):
    layer = keras.layers.Dense(3, use_bias=False)
    found = network(layer)
    filters, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    layer.kernel.assign(filters * [1, 5, 0.1])
    assert float(orthogonality(found)) == pytest.approx(0, abs=1e-9)
    assert float(orthogonality(network(keras.layers.Flatten()))) == 0


def test_a_wrapped_layer_counts_once(rng):
    layer = keras.layers.Conv2D(5, 2)
    expected = float(orthogonality(network(layer)))
    wrapped = network(SpectralNormalization(layer))
    assert float(orthogonality(wrapped)) == pytest.approx(expected) and expected > 0


def test_its_gradient(rng):
    """That of the squares is 4 W (W^T W * (1 - I))."""
    layer = keras.layers.Dense(3, use_bias=False)
    found = network(layer)
    kernel = layer.kernel.numpy()
    with tf.GradientTape() as tape:
        value = orthogonality(found)
    products = kernel.T @ kernel
    np.fill_diagonal(products, 0)
    gradient = tape.gradient(value, layer.kernel.value)
    np.testing.assert_allclose(gradient, 4 * kernel @ products, rtol=1e-4, atol=1e-5)
