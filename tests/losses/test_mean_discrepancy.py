"""The discrepancy of two groups against the kernel's own."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses.mean_discrepancy import fourier_discrepancy

SEEDS = [tf.constant([seed, 0], tf.int64) for seed in range(40)]


def kernel_discrepancy(x, y, gamma):
    """The biased squared MMD with exp(-|x - y|^2 / gamma)."""

    def mean(a, b):
        return np.exp(-np.sum((a[:, None] - b[None]) ** 2, axis=-1) / gamma).mean()

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


@pytest.mark.thorough
def test_on_average_it_is_the_kernels(rng):
    values = rng.normal(size=(40, 3)).astype("float32")
    groups = np.arange(40) % 2
    values[groups == 1] += 0.8
    for gamma in (1.0, 4.0):
        found = [fourier_discrepancy(values, groups, seed, gamma).numpy() for seed in SEEDS]
        assert found[0].shape == (40,) and np.ptp(found[0]) == 0
        expected = kernel_discrepancy(values[groups == 0], values[groups == 1], gamma)
        assert abs(np.mean(found) - expected) < 4 * np.std(found) / len(SEEDS) ** 0.5
        assert expected > 0.1


def test_groups_of_equal_values_and_a_group_without_examples_have_none():
    values = np.tile([[1.0, 2.0], [3.0, 4.0]], (2, 1))
    np.testing.assert_allclose(
        fourier_discrepancy(values, np.array([0, 0, 1, 1]), SEEDS[0]), 0, atol=1e-6
    )
    np.testing.assert_array_equal(fourier_discrepancy(values, np.ones(4, int), SEEDS[0]), 0)


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
def test_equals_features_of_numbers_far_from_0_in_float64(rng, offset):
    values = (rng.normal(size=(50, 3)) + offset).astype("float32")
    groups = np.arange(50) % 2
    seed = tf.constant([1, 2], tf.int32)
    frequencies = tf.random.stateless_normal([3, 500], seed).numpy().astype(float)
    phases = tf.random.stateless_uniform([500], tf.bitwise.invert(seed), maxval=2 * np.pi)
    angles = np.sqrt(2.0) * values.astype(float) @ frequencies + phases.numpy()
    features = np.sqrt(2 / 500) * np.cos(angles)
    expected = np.square(features[groups == 0].mean(0) - features[groups == 1].mean(0)).sum()
    found = fourier_discrepancy(tf.constant(values), tf.constant(groups), seed)
    np.testing.assert_allclose(found, [expected] * 50, rtol=1e-3)
