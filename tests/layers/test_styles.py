"""What a style does to maps, against the formulas of the papers."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import (
    AdaptiveInstanceNormalization,
    LearnedConstant,
    ModulatedConv2D,
    NoisyActivation,
)


def inputs(rng, channels=3, style=5):
    maps = rng.normal(2.0, 3.0, size=(2, 6, 6, channels)).astype("float32")
    return maps, rng.normal(size=(2, style)).astype("float32")


def affine(layer, style):
    kernel, bias = layer.affine._kernel.numpy(), layer.affine.bias.numpy()
    return style @ kernel / np.sqrt(style.shape[1]) + bias


def test_adaptive_normalization_sets_mean_and_deviation(rng):
    maps, style = inputs(rng)
    layer = AdaptiveInstanceNormalization()
    made = layer([maps, style]).numpy()
    scale, offset = np.split(affine(layer, style), 2, axis=1)
    np.testing.assert_allclose(made.mean(axis=(1, 2)), offset, atol=1e-5)
    np.testing.assert_allclose(made.std(axis=(1, 2)), np.abs(scale + 1), rtol=1e-4)


@pytest.mark.parametrize("demodulate", [False, True])
def test_modulation_is_a_kernel_for_each_example(rng, demodulate):
    """Eq. (1) and (3) as they stand: each example is convolved with its own kernel."""
    maps, style = inputs(rng)
    layer = ModulatedConv2D(4, 3, demodulate=demodulate, use_bias=not demodulate)
    made = layer([maps, style]).numpy()
    w = layer.kernel.numpy() / np.sqrt(3 * 3 * 3)
    s = affine(layer, style)
    assert s.mean() == pytest.approx(1.0, abs=1.5)
    for example in range(2):
        kernel = w * s[example][:, None]
        if demodulate:
            kernel = kernel / np.sqrt((kernel**2).sum(axis=(0, 1, 2)) + 1e-8)
        expected = tf.nn.conv2d(maps[example : example + 1], kernel, 1, "SAME")[0]
        np.testing.assert_allclose(made[example], expected, rtol=1e-3, atol=1e-4)


def test_noise_has_a_place_and_a_strength(rng):
    maps, noise = rng.normal(size=(2, 2, 2, 3)), rng.normal(size=(2, 10))
    maps, noise = maps.astype("float32"), noise.astype("float32")
    layer = NoisyActivation(offset=4, gain=1.5)
    before = layer([maps, noise])
    np.testing.assert_allclose(before, 1.5 * np.where(maps > 0, maps, 0.2 * maps), rtol=1e-6)
    layer.strength.assign([0.0, 1.0, 2.0])
    layer.bias.assign([0.5, 0.0, 0.0])
    linear = maps + noise[:, 4:8].reshape(2, 2, 2, 1) * np.array([0, 1, 2]) + np.array([0.5, 0, 0])
    expected = 1.5 * np.where(linear > 0, linear, 0.2 * linear)
    np.testing.assert_allclose(layer([maps, noise]), expected, rtol=1e-5, atol=1e-6)


def test_a_learned_constant_is_the_same_for_all():
    layer = LearnedConstant((4, 4, 2))
    np.testing.assert_array_equal(layer(tf.zeros([3, 7])), np.ones((3, 4, 4, 2)))
    layer.maps.assign(np.arange(32).reshape(4, 4, 2))
    np.testing.assert_array_equal(layer(tf.zeros([2, 1]))[1], np.arange(32).reshape(4, 4, 2))
