import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import InstanceNormalization


def inputs(rng, dtype="float32"):
    return tf.constant(rng.normal(1, 3, size=(3, 6, 7, 5)), dtype)


def test_normalizes_each_channel_of_each_image(rng):
    x = inputs(rng)
    y = InstanceNormalization(epsilon=1e-9)(x).numpy()
    np.testing.assert_allclose(y.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(1, 2)), 1, rtol=1e-4)


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


def test_images_do_not_influence_each_other_and_any_size_goes(rng):
    layer = InstanceNormalization()
    x = inputs(rng)
    np.testing.assert_allclose(layer(x)[:1], layer(x[:1]), atol=1e-6)
    assert layer(x[:, :1, :1]).shape == (3, 1, 1, 5)


def test_half_precision_outside_and_float32_inside(rng):
    layer = InstanceNormalization(dtype="mixed_bfloat16")
    y = layer(inputs(rng, "bfloat16"))
    assert y.dtype == tf.bfloat16 and layer.scale.dtype == "float32"
    # The mean of bfloat16 numbers near 1000 would be off by several units.
    far = tf.cast(inputs(rng) + 1000, tf.bfloat16)
    np.testing.assert_allclose(tf.reduce_mean(tf.cast(layer(far), tf.float32)), 0, atol=0.02)


def test_bad_shapes():
    with pytest.raises(ValueError, match="expected \\[batch, height, width, channels\\]"):
        InstanceNormalization()(tf.ones([2, 3]))
