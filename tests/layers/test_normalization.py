"""Normalized maps, filters, and kernels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import stateless
from keras_gen.layers import (
    BatchNormalization,
    EqualizedConv2D,
    EqualizedDense,
    InstanceNormalization,
    PixelNormalization,
    SpectralNormalization,
)
from keras_gen.networks import dcgan_discriminator


def inputs(rng, dtype="float32"):
    return tf.constant(rng.normal(1, 3, size=(3, 6, 7, 5)), dtype)


def test_equals_keras_group_normalization_up_to_second_derivatives(rng):
    x, w = inputs(rng), inputs(rng)
    layers = InstanceNormalization(), keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)
    results = []
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights([np.linspace(0.5, 2, 5), np.linspace(-1, 1, 5)])
        weights = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = layer(x)
                loss = tf.reduce_sum(tf.tanh(y) * w)
            first = inner.gradient(loss, [x, *weights])
            square = tf.reduce_sum(first[0] ** 2)
        results.append([y, *first, outer.gradient(square, x)])
    for ours, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_batch_normalization_equals_keras_up_to_second_derivatives(rng, policy):
    x, w = inputs(rng), inputs(rng)
    results = []
    for kind in (BatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.9, epsilon=1e-5, dtype=policy)
        layer.build(x.shape)
        layer.set_weights([np.linspace(0.5, 2, 5), *3 * [np.linspace(1, 2, 5)]])
        weights = [v.value for v in layer.trainable_variables]
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.cast(layer(x, training=True), "float32")
                loss = tf.reduce_sum(tf.tanh(y) * w)
            first = inner.gradient(loss, [x, *weights])
            square = tf.reduce_sum(first[0] ** 2)
        results.append([y, *first, outer.gradient(square, x), *layer.get_weights(), layer(x)])
    tolerance = 1e-3 if policy == "float32" else 0.1
    for ours, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(
            *(tf.cast(each, "float32") for each in (ours, keras_own)),
            rtol=tolerance,
            atol=tolerance,
        )


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision_outside_and_float32_inside(rng, half):
    # The mean of bfloat16 numbers near 1000 would be off by several units.
    x = tf.cast(inputs(rng) + 1000, half)
    slopes = inputs(rng, half)
    results = []
    for policy in (f"mixed_{half}", "float32"):
        layer = InstanceNormalization(dtype=policy)
        layer.build(x.shape)
        layer.scale.assign(np.linspace(0.5, 2, 5))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        weights = [layer.scale.value, layer.offset.value]
        found = [y, *tape.gradient(y, [x, *weights], tf.cast(slopes, y.dtype))]
        assert [each.dtype for each in found] == [y.dtype, half, "float32", "float32"]
        results.append([tf.cast(each, half) for each in found])
    assert results[0][0].dtype == half
    # Only the results are rounded, to the nearest number or its neighbor.
    spacing = {"bfloat16": 2**-7, "float16": 2**-10}[half]
    for found, expected in zip(*results, strict=True):
        error = np.abs(np.float32(found) - np.float32(expected))
        assert (error <= spacing * np.maximum(np.abs(np.float32(expected)), 0.01)).all()


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_policies_that_are_not_mixed(rng, dtype):
    x = inputs(rng, dtype)
    found, expected = InstanceNormalization(dtype=dtype)(x), InstanceNormalization()(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(tf.cast(expected, dtype), found, rtol=2**-7)


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


def test_pixel_normalization(rng):
    x = rng.normal(size=(2, 3, 3, 8)).astype("float32")
    y = PixelNormalization()(x).numpy()
    np.testing.assert_allclose((y**2).mean(axis=-1), 1.0, rtol=1e-5)
    directions = [v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (x, y)]
    np.testing.assert_allclose(*directions, rtol=1e-4)
    np.testing.assert_array_equal(PixelNormalization()(np.zeros((1, 4), "float32")), 0)


LAYERS = {
    "dense": (lambda: keras.layers.Dense(4), (5, 3)),
    "convolution": (lambda: keras.layers.Conv2D(4, 2), (5, 4, 4, 3)),
    "transposed": (lambda: keras.layers.Conv2DTranspose(4, 2, strides=2), (5, 2, 2, 3)),
}


def matrix(layer, kernel):
    """The paper's W `[outputs, all others]`."""
    if isinstance(layer, keras.layers.Conv2DTranspose):
        kernel = np.swapaxes(kernel, -1, -2)
    return kernel.reshape(-1, kernel.shape[-1]).T


def sigma(layer, kernel):
    return np.linalg.svd(matrix(layer, kernel), compute_uv=False)[0]


def converged(build, shape, rng):
    """The wrapper after many calls in training, its layer, and the inputs."""
    layer, x = build(), tf.constant(rng.normal(size=shape), tf.float32)
    spectral = SpectralNormalization(layer, iterations=50)
    for _ in range(4):
        spectral(x, training=True)
    return spectral, layer, x


@pytest.mark.thorough
@pytest.mark.parametrize("kind", LAYERS)
def test_the_kernel_is_divided_by_its_largest_singular_value(kind, rng):
    spectral, layer, x = converged(*LAYERS[kind], rng)
    layer.bias.assign(rng.normal(size=4))
    found = spectral(x).numpy()
    divided = LAYERS[kind][0]()
    divided.build(x.shape)
    divided.set_weights([layer.kernel / sigma(layer, layer.kernel.numpy()), layer.bias.numpy()])
    np.testing.assert_allclose(found, divided(x), rtol=1e-4, atol=1e-5)


def test_an_iteration_by_hand(rng):
    """W / (u^T W v), where u and v follow algorithm 1 and are held in the gradient."""
    layer, x = keras.layers.Dense(2, use_bias=False), tf.eye(3)
    spectral = SpectralNormalization(layer)
    spectral.build(x.shape)
    w, u = layer.kernel.numpy().T, spectral.direction.numpy()
    v = w.T @ u / np.linalg.norm(w.T @ u)
    u = w @ v / np.linalg.norm(w @ v)
    with tf.GradientTape() as tape:
        loss = spectral(x, training=True)[0, 0]
    np.testing.assert_allclose(spectral.direction, u, rtol=1e-5)
    v = w.T @ u / np.linalg.norm(w.T @ u)
    s = u @ w @ v
    assert float(loss) == pytest.approx(w[0, 0] / s, rel=1e-5)
    expected = -np.outer(u, v) * w[0, 0] / s**2  # eq. of W / sigma, d sigma / dW = u v^T
    expected[0, 0] += 1 / s
    np.testing.assert_allclose(tape.gradient(loss, layer.kernel.value), expected.T, atol=1e-5)


class TestState:
    def test_moves_in_training_alone(self, rng):
        spectral = SpectralNormalization(keras.layers.Dense(4))
        x = tf.constant(rng.normal(size=(5, 3)), tf.float32)
        spectral(x)
        before = spectral.direction.numpy()
        spectral(x, training=False)
        np.testing.assert_array_equal(spectral.direction, before)
        trained = spectral(x, training=True)
        moved = spectral.direction.numpy()
        assert not np.array_equal(moved, before)
        np.testing.assert_array_equal(spectral(x), trained)  # inference repeats what training saw
        trained = [w.path for w in spectral.trainable_weights]
        assert trained == [w.path for w in spectral.layer.weights]

    def test_stays_where_a_network_is_called_with_other_weights(self, rng):
        network = keras.Sequential([keras.Input([3]), SpectralNormalization(keras.layers.Dense(2))])
        x, spectral = tf.constant(rng.normal(size=(5, 3)), tf.float32), network.layers[0]
        before = spectral.direction.numpy()
        with stateless():
            own = network(x, training=True)
        np.testing.assert_array_equal(spectral.direction, before)
        np.testing.assert_allclose(own, network(x, training=True), rtol=1e-5)
        kernel, bias = rng.normal(size=(3, 2)), np.array([1.0, 2.0])
        with stateless(network, [tf.constant(w, tf.float32) for w in (kernel, bias)]):
            other = network(x)
        u = spectral.direction.numpy()
        expected = x.numpy() @ kernel / np.linalg.norm(kernel @ u) + bias
        np.testing.assert_allclose(other, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.thorough
def test_mixed_precision_computes_inside_and_finds_sigma_in_float32(rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = dcgan_discriminator((8, 8, 1), filters=2, normalization="spectral")
    layer = next(x for x in network.layers if isinstance(x, SpectralNormalization))
    assert layer.layer.compute_dtype == "bfloat16" and layer.output.dtype == "bfloat16"
    layer.layer.kernel.assign(rng.normal(size=layer.layer.kernel.shape))
    for _ in range(50):
        network(tf.ones([2, 8, 8, 1]), training=True)
    u, kernel = layer.direction.numpy(), layer.layer.kernel.numpy()
    assert np.linalg.norm(matrix(layer.layer, kernel).T @ u) == pytest.approx(
        sigma(layer.layer, kernel), rel=1e-4
    )


def test_a_kernel_of_zeros_stays_one():
    spectral = SpectralNormalization(keras.layers.Dense(2, kernel_initializer="zeros"))
    np.testing.assert_array_equal(spectral(tf.ones([1, 3]), training=True), [[0, 0]])
    np.testing.assert_array_equal(spectral.direction, [0, 0])


def test_a_kernel_that_is_not_finite_leaves_no_trace():
    layer = keras.layers.Dense(2)
    spectral = SpectralNormalization(layer)
    spectral(tf.ones([1, 3]))
    before, kernel = spectral.direction.numpy(), layer.kernel.numpy()
    layer.kernel.assign(np.full([3, 2], np.nan))
    assert np.isnan(spectral(tf.ones([1, 3]), training=True)).all()
    np.testing.assert_array_equal(spectral.direction, before)
    layer.kernel.assign(kernel)
    assert np.isfinite(spectral(tf.ones([1, 3]), training=True)).all()
