"""Activation normalization and its first batch."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers.flows import ActNorm


def batch(rng, n=7, mean=3.0):
    spread = np.array([0.1, 1.0, 20.0])
    return tf.constant(rng.normal(mean, 1, (n, 4, 2, 3)) * spread, tf.float32)


def state(layer):
    return [weight.numpy() for weight in (layer.mean, layer.log_deviation, layer.initialized)]


def test_the_first_batch_leaves_with_mean_0_and_variance_1(rng):
    layer, x = ActNorm(), batch(rng)
    y, log_det, statistics = layer(x, training=True)
    np.testing.assert_allclose(np.mean(y, (0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.var(y, (0, 1, 2)), 1, rtol=1e-4)
    np.testing.assert_allclose(log_det, -8 * np.log(np.std(x, (0, 1, 2))).sum(), rtol=1e-5)
    assert all((value == 0).all() for value in state(layer))
    layer.after_update(statistics)
    np.testing.assert_allclose(layer.mean, np.mean(x, (0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(np.exp(layer.log_deviation), np.std(x, (0, 1, 2)), rtol=1e-4)


def test_only_the_first_batch_is_stored(rng):
    layer = ActNorm()
    first, second = batch(rng), batch(rng, mean=-1)
    layer.after_update(layer(first, training=True)[2])
    stored = state(layer)
    y, _, statistics = layer(second, training=True)
    np.testing.assert_array_equal(y, layer(second)[0])
    layer.after_update([2 * value for value in statistics])
    for now, before in zip(state(layer), stored, strict=True):
        np.testing.assert_array_equal(now, before)


def test_it_is_the_identity_until_then(rng):
    x = batch(rng)
    y, log_det, statistics = ActNorm()(x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(log_det, np.zeros(7))
    assert statistics == ()


def test_the_first_step_is_that_of_an_initialized_layer(rng):
    layer, x = ActNorm(), batch(rng)
    layer.build(x.shape)
    layer.log_scale.assign([0.1, -0.2, 0.3]), layer.bias.assign([1.0, 2.0, 3.0])

    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, log_det, statistics = layer(x, training=True)
            loss = tf.reduce_mean(tf.reduce_sum(y**4, [1, 2, 3]) - log_det)
        weights = [layer.log_scale.value, layer.bias.value]
        return tape.gradient(loss, [x, *weights]), statistics

    before, statistics = step()
    layer.after_update(statistics)
    for one, other in zip(before, step()[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_constant_channel_keeps_its_scale():
    x = np.stack([np.full(5, 0.7), np.arange(5.0)], axis=1).astype("float32")
    y, log_det, statistics = ActNorm()(x, training=True)
    np.testing.assert_allclose(y[:, 0], 0, atol=1e-6)
    np.testing.assert_allclose(log_det, -np.log(np.std(np.arange(5.0))), rtol=1e-6)
    assert statistics[1][0] == 0


def test_a_step_that_is_refused_stores_nothing(rng):
    layer = ActNorm()
    layer.build((None, 4, 2, 3))

    @tf.function
    def step(x):
        y, _, statistics = layer(x, training=True)
        with tf.control_dependencies([tf.debugging.check_numerics(y, "bad")]):
            layer.after_update(statistics)

    bad = batch(rng).numpy()
    bad[0, 0, 0, 0] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match="bad"):
        step(tf.constant(bad))
    assert all((value == 0).all() for value in state(layer))
    step(batch(rng))
    assert layer.initialized.numpy() == 1 and np.isfinite(layer.mean).all()
