"""The affine coupling layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers.flows import AffineCoupling


def constant_network(shape, scale, shift, condition=None):
    """A network that returns the same scale and shift for whatever it is given."""
    passive = keras.Input(shape)
    inputs = [passive, keras.Input(condition)] if condition else passive
    heads = [
        keras.layers.Dense(shape[-1], kernel_initializer="zeros", bias_initializer=constant)(
            passive
        )
        for constant in map(keras.initializers.Constant, (scale, shift))
    ]
    return keras.Model(inputs, heads)


@pytest.mark.parametrize(
    ("mask", "flip", "stays"),
    [
        ("channels", False, [1, 1, 0, 0, 0]),
        ("channels", True, [0, 0, 1, 1, 1]),
        ("checkerboard", False, [0, 1, 0, 1, 0]),
    ],
)
def test_one_half_stays_and_the_other_is_scaled_and_shifted(mask, flip, stays, rng):
    layer = AffineCoupling(constant_network((5,), 0.5, -2.0), mask, flip)
    x = rng.normal(size=(4, 5)).astype("float32")
    y, log_det, _ = layer(x)
    layer.factor.assign(3.0)
    wider, log_det_wider, _ = layer(x)
    for factor, result, change in ((1, y, log_det), (3, wider, log_det_wider)):
        log_scale = factor * np.tanh(0.5)
        expected = np.where(stays, x, x * np.exp(log_scale) - 2)
        np.testing.assert_allclose(result, expected, rtol=1e-5)
        np.testing.assert_allclose(change, 4 * [log_scale * (5 - sum(stays))], rtol=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_the_checkerboard_is_one_of_pixels(flip):
    layer = AffineCoupling(constant_network((3, 4, 2), 0.0, 1.0), "checkerboard", flip)
    moved = layer(tf.zeros([1, 3, 4, 2]))[0].numpy()[0]
    rows, columns = np.indices((3, 4))
    expected = (rows + columns) % 2 == flip
    np.testing.assert_array_equal(moved, np.stack([expected] * 2, axis=-1))


def test_the_network_sees_the_passive_half_only(rng):
    passive = keras.Input([4])
    dense = keras.layers.Dense(4)
    layer = AffineCoupling(keras.Model(passive, [dense(passive), dense(passive)]))
    x = tf.constant(rng.normal(size=(2, 4)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, _, _ = layer(x)
    jacobian = np.abs(tape.batch_jacobian(y, x))
    # Eq. (6): the identity, anything, nothing, a diagonal.
    np.testing.assert_array_equal(jacobian[:, :2], np.tile(np.eye(2, 4), [2, 1, 1]))
    assert (jacobian[:, 2:, :2] > 0).all()
    np.testing.assert_array_equal(jacobian[:, 2:, 2:] > 0, np.tile(np.eye(2) > 0, [2, 1, 1]))


def test_a_network_of_zeros_is_the_identity_and_learns():
    passive = keras.Input([2])
    heads = [keras.layers.Dense(2, kernel_initializer="zeros")(passive) for _ in range(2)]
    layer, x = AffineCoupling(keras.Model(passive, heads)), tf.ones([3, 2])
    with tf.GradientTape() as tape:
        y, log_det, _ = layer(x)
        loss = tf.reduce_sum(y**2) - tf.reduce_sum(log_det)
    np.testing.assert_array_equal(y, x)
    gradients = tape.gradient(loss, [head.kernel.value for head in layer.network.layers[1:]])
    assert all((np.abs(gradient) > 0).any() for gradient in gradients)
