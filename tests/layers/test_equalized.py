"""Layers of equal learning speed against Keras' own with scaled weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import EqualizedConv2D, EqualizedDense, PixelNormalization


def test_dense_is_dense_with_hes_constant(rng):
    x = rng.normal(size=(5, 8)).astype("float32")
    layer = EqualizedDense(3, gain=1.5, rate=0.1, activation="leaky_relu")
    layer.build((None, 8))
    layer.bias.assign([1.0, -2.0, 3.0])
    kernel = 1.5 * 0.1 / np.sqrt(8) * layer._kernel.numpy()
    linear = x @ kernel + 0.1 * layer.bias.numpy()
    np.testing.assert_allclose(layer(x), np.where(linear > 0, linear, 0.2 * linear), rtol=1e-5)


def test_convolution_is_a_convolution_with_hes_constant(rng):
    x = rng.normal(size=(2, 6, 6, 4)).astype("float32")
    layer, plain = EqualizedConv2D(3, 3, gain=1.5), keras.layers.Conv2D(3, 3, padding="same")
    layer.build(x.shape), plain.build(x.shape)
    plain.set_weights([1.5 / np.sqrt(3 * 3 * 4) * layer._kernel.numpy(), np.arange(1.0, 4.0)])
    layer.bias.assign([1.0, 2.0, 3.0])
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "layer,shape",
    [
        (EqualizedDense(2000, gain=1.0), (200, 500)),
        (EqualizedDense(2000, gain=1.0, rate=0.01), (200, 500)),
        (EqualizedConv2D(500, 3, gain=1.0, padding="valid"), (200, 3, 3, 64)),
    ],
)
def test_variance_is_kept_whatever_the_size_and_the_rate(rng, layer, shape):
    outputs = layer(rng.normal(size=shape).astype("float32")).numpy()
    assert outputs.var() == pytest.approx(1.0, rel=0.05)


def test_all_weights_start_from_one_size_and_move_alike():
    """What the layers are for: a step of Adam moves outputs of wide and narrow layers alike."""
    small, large = (EqualizedDense(1, gain=1.0, use_bias=False) for _ in range(2))
    small(tf.zeros([1, 4])), large(tf.zeros([1, 4000]))
    assert large._kernel.numpy().std() == pytest.approx(1.0, rel=0.05)
    slow = EqualizedDense(1, gain=1.0, rate=0.01, use_bias=False)
    slow(tf.zeros([1, 4000]))
    assert slow._kernel.numpy().std() == pytest.approx(100.0, rel=0.05)
    for layer, expected in ((large, 1e-3), (slow, 1e-5)):
        before = layer(tf.ones([1, 4000])).numpy()
        layer._kernel.assign_add(1e-3 * tf.ones_like(layer._kernel.value))
        moved = (layer(tf.ones([1, 4000])).numpy() - before) / np.sqrt(4000)
        np.testing.assert_allclose(moved, expected, rtol=2e-2)


def test_pixel_normalization(rng):
    x = rng.normal(size=(2, 3, 3, 8)).astype("float32")
    y = PixelNormalization()(x).numpy()
    np.testing.assert_allclose((y**2).mean(axis=-1), 1.0, rtol=1e-5)
    directions = [v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (x, y)]
    np.testing.assert_allclose(*directions, rtol=1e-4)
    np.testing.assert_array_equal(PixelNormalization()(np.zeros((1, 4), "float32")), 0)
