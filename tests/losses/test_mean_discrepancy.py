"""The discrepancy of two groups against the kernel's own."""

import numpy as np
import tensorflow as tf

from keras_gen.losses.mean_discrepancy import fourier_discrepancy

SEEDS = [tf.constant([seed, 0], tf.int64) for seed in range(40)]


def kernel_discrepancy(x, y, gamma):
    """The biased squared MMD with exp(-|x - y|^2 / gamma)."""

    def mean(a, b):
        return np.exp(-np.sum((a[:, None] - b[None]) ** 2, axis=-1) / gamma).mean()

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


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
