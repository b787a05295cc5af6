"""Divergences against closed forms and samples."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, special, stats

from keras_gen.losses import (
    free_kl_standard_normal,
    kl_categorical,
    kl_normal,
    kl_standard_normal,
    log_ratio_normal,
)
from keras_gen.losses.divergences import fourier_discrepancy, importance_weighted_nats


def quadrature(mean_q, log_var_q, mean_p, log_var_p):
    q = stats.norm(mean_q, np.exp(log_var_q / 2))
    p = stats.norm(mean_p, np.exp(log_var_p / 2))
    low, high = q.mean() - 12 * q.std(), q.mean() + 12 * q.std()
    return integrate.quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), low, high)[0]


@pytest.mark.parametrize(
    "parameters", [(0.5, -1.0, 0.0, 0.0), (0.0, 1.5, 2.0, -0.5), (-3.0, 0.2, 1.0, 1.0)]
)
def test_kl_normal_against_quadrature(parameters):
    value = kl_normal(*(tf.constant([[p]]) for p in parameters))
    np.testing.assert_allclose(value, [quadrature(*parameters)], rtol=1e-5)


def test_the_standard_normal_is_the_special_case_and_axes_are_summed(rng):
    mean, log_var = rng.normal(size=(2, 3, 4, 4, 2)).astype("float32")
    zeros = tf.zeros_like(mean)
    value = kl_standard_normal(mean, log_var)
    assert value.shape == (3,)
    np.testing.assert_allclose(value, kl_normal(mean, log_var, zeros, zeros), rtol=1e-5)
    single = kl_standard_normal(mean.reshape(-1, 1), log_var.reshape(-1, 1)).numpy()
    np.testing.assert_allclose(value, single.reshape(3, -1).sum(axis=1), rtol=1e-5)


def test_a_latent_of_few_nats_is_free(rng):
    """Of two latents the first is above its free nats, on average, and the second is below."""
    mean = tf.constant(rng.normal(size=(6, 2)) * [2.0, 0.1], tf.float32)
    log_var = tf.constant(rng.normal(size=(6, 2)) * [1.0, 0.1], tf.float32)
    first = kl_standard_normal(mean[:, :1], log_var[:, :1]).numpy().mean()
    assert first > 0.3 > kl_standard_normal(mean[:, 1:], log_var[:, 1:]).numpy().mean()
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        value = free_kl_standard_normal(mean, log_var, 0.3)
        loss = tf.reduce_mean(value)
    np.testing.assert_allclose(value, [first + 0.3] * 6, rtol=1e-5)
    by_mean, by_log_var = tape.gradient(loss, [mean, log_var])
    np.testing.assert_allclose(by_mean, mean * [1, 0] / 6, atol=1e-6)
    np.testing.assert_allclose(by_log_var, tf.math.expm1(log_var) * [0.5, 0] / 6, atol=1e-6)
    whole = tf.reduce_mean(kl_standard_normal(mean, log_var))
    np.testing.assert_allclose(free_kl_standard_normal(mean, log_var, 0.0), [whole] * 6, rtol=1e-5)


def test_a_tiny_divergence_is_not_lost_to_rounding():
    # exp(v) - 1 - v loses all digits in float32 at v = 1e-4; the series is v^2 / 2.
    log_var = tf.constant([[1e-2]])
    np.testing.assert_allclose(
        kl_standard_normal(tf.zeros([1, 1]), log_var), [0.25e-4 * (1 + 1e-2 / 3)], rtol=1e-3
    )


def test_low_precision_is_computed_in_float32(rng):
    mean = tf.cast(tf.constant(rng.normal(size=(2, 64))), tf.bfloat16)
    value = kl_standard_normal(mean, mean)
    assert value.dtype == tf.float32
    exact = tf.cast(mean, tf.float32)
    np.testing.assert_array_equal(value, kl_standard_normal(exact, exact))


def test_log_ratio_normal_is_the_difference_of_log_densities_and_averages_to_the_divergence(rng):
    values, mean_q, log_var_q, mean_p, log_var_p = rng.normal(size=(5, 3, 4, 2))
    q, p = stats.norm(mean_q, np.exp(log_var_q / 2)), stats.norm(mean_p, np.exp(log_var_p / 2))
    value = log_ratio_normal(*map(tf.constant, (values, mean_q, log_var_q, mean_p, log_var_p)))
    assert value.shape == (3,) and value.dtype == tf.float32
    np.testing.assert_allclose(value, (q.logpdf(values) - p.logpdf(values)).sum((1, 2)), rtol=1e-4)
    parameters = [tf.constant([[v]]) for v in (0.5, -1.0, 0.0, 0.0)]
    draws = rng.normal(0.5, np.exp(-0.5), (40_000, 1))
    ratios = log_ratio_normal(draws, *parameters).numpy()
    assert abs(ratios.mean() - kl_normal(*parameters)[0]) < 4 * ratios.std() / 200


def test_kl_categorical_against_explicit_sums(rng):
    logits_q, logits_p = 2 * rng.normal(size=(2, 3, 4, 5))
    q, p = special.softmax(logits_q, axis=-1), special.softmax(logits_p, axis=-1)
    value = kl_categorical(tf.constant(logits_q), tf.constant(logits_p))
    assert value.shape == (3,) and value.dtype == tf.float32
    np.testing.assert_allclose(value, special.rel_entr(q, p).sum(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(
        kl_categorical(tf.constant(logits_q), tf.constant(logits_p[:1, :1])),
        special.rel_entr(q, p[:1, :1]).sum(axis=(1, 2)),
        rtol=1e-5,
    )
    uniform = special.rel_entr(q, 1 / 5).sum(axis=(1, 2))
    np.testing.assert_allclose(kl_categorical(tf.constant(logits_q)), uniform, rtol=1e-5)


def test_kl_categorical_is_finite_at_extreme_logits():
    logits = tf.constant([[1e4, 0.0, -1e4, 0.0]])
    other = tf.constant([[0.0, 1e4, 0.0, 0.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([logits, other])
        values = kl_categorical(logits), kl_categorical(logits, other)
    np.testing.assert_allclose(values, [[np.log(4.0)], [1e4]], rtol=1e-6)
    # A certain q no longer moves, and p is pulled towards it.
    np.testing.assert_allclose(tape.gradient(values[0], logits), [[0, 0, 0, 0]])
    np.testing.assert_allclose(tape.gradient(values[1], other), [[-1, 1, 0, 0]])


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


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_importance_weights_of_any_precision_give_float32(rng, dtype):
    log_weights = rng.normal(-50, 3, (4, 6)).astype(dtype)
    found = importance_weighted_nats(log_weights)
    expected = -np.log(np.exp(log_weights.astype("float64")).mean(axis=0))
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, expected, rtol=1e-6)
