"""Latents of several scales."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.layers.flows import ActNorm, Chain, Factored, Squeeze


def test_latents_of_all_scales_are_one_vector():
    image = np.arange(32.0, dtype="float32").reshape(1, 4, 4, 2)
    y, log_det, _ = Factored(Squeeze())(image)
    leaving = image[..., 1].ravel()
    rest = Squeeze()(image[..., :1])[0].numpy().ravel()
    np.testing.assert_array_equal(y[0], np.concatenate([leaving, rest]))
    np.testing.assert_array_equal(log_det, [0])
    assert Factored(Squeeze()).y_shape((None, 4, 4, 2)) == (None, 32)


def prior(mean, log_scale):
    stay = keras.Input((2, 2, 1))
    heads = [
        keras.layers.Dense(1, kernel_initializer="ones", bias_initializer=constant)(stay)
        for constant in map(keras.initializers.Constant, (mean, log_scale))
    ]
    return keras.Model(stay, heads)


def test_a_prior_is_a_normal_given_the_other_half(rng):
    """The density of what leaves is N(z; mean(h), exp(log scale(h))^2)."""
    flow = Chain([Factored(Chain([Squeeze()]), prior(0.5, -0.3))])
    flow.build((None, 2, 2, 2))
    x = rng.normal(size=(3, 2, 2, 2)).astype("float32")
    y, log_det, _ = flow(x)
    h, z = x[..., 0].reshape(3, 4), x[..., 1].reshape(3, 4)
    scale = np.exp(h - 0.3)
    log_normal = -0.5 * (((z - h - 0.5) / scale) ** 2 + np.log(2 * np.pi)) - np.log(scale)
    latents = y.numpy()[:, :4]
    found = -0.5 * (latents**2 + np.log(2 * np.pi)).sum(1) + log_det
    np.testing.assert_allclose(found, log_normal.sum(1), rtol=1e-4)
    mean = flow.inverse(tf.concat([tf.zeros([3, 4]), y[:, 4:]], 1)).numpy()[..., 1]
    np.testing.assert_allclose(mean.reshape(3, 4), h + 0.5, rtol=1e-4, atol=1e-5)


def test_latents_side_by_side_keep_the_size(rng):
    """Of any size: the channels that leave come first, then those of the rest."""
    flow = Chain([Factored(ActNorm(), leaving=2, flat=False)])
    flow.build((None, None, 5))
    assert flow.output_shape == (None, None, 5)
    for time in (3, 4):
        x = rng.normal(size=(2, time, 5)).astype("float32")
        y, _, _ = flow(x)
        np.testing.assert_array_equal(y, np.concatenate([x[..., 3:], x[..., :3]], axis=-1))
        np.testing.assert_array_equal(flow.inverse(y), x)
