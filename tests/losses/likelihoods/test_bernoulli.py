import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.losses import Bernoulli


def test_bernoulli_against_scipy(rng):
    logits = 3 * rng.normal(size=(3, 4, 4, 2))
    x = rng.integers(0, 2, size=(3, 4, 4, 2))
    wanted = stats.bernoulli(1 / (1 + np.exp(-logits))).logpmf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(Bernoulli().log_prob(logits, x), wanted, rtol=1e-5)


def test_bernoulli_is_exact_and_differentiable_at_extreme_logits():
    logits = tf.constant([[200.0], [200.0], [-200.0], [-200.0], [1e4]])
    x = tf.constant([[1.0], [0.0], [1.0], [0.0], [0.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = Bernoulli().log_prob(logits, x)
    np.testing.assert_allclose(value, [0.0, -200.0, -200.0, 0.0, -1e4])
    np.testing.assert_allclose(tape.gradient(value, logits), [[0.0], [-1.0], [1.0], [0.0], [-1.0]])


@pytest.mark.parametrize("x", [0.0, 0.25, 1.0])
def test_bernoulli_and_its_slope_are_the_closed_forms_for_shares_too(x):
    logits = np.array([-100.0, -30.0, -2.0, 0.0, 0.5, 30.0, 100.0])
    params = tf.constant(logits[:, None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(params)
        values = Bernoulli().log_prob(params, tf.fill([7, 1], x))
    np.testing.assert_allclose(
        values,
        -x * np.logaddexp(0, -logits) - (1 - x) * np.logaddexp(0, logits),
        rtol=1e-5,
        atol=1e-6,
    )
    slopes = x - np.exp(-np.logaddexp(0, -logits))
    np.testing.assert_allclose(tape.gradient(values, params)[:, 0], slopes, atol=1e-6)


def test_bernoulli_of_gray_data_is_the_mean_over_their_binarization():
    logits, gray = tf.constant([[0.7]]), tf.constant([[0.3]])
    likelihood = Bernoulli()
    white = likelihood.log_prob(logits, tf.ones([1, 1]))
    black = likelihood.log_prob(logits, tf.zeros([1, 1]))
    np.testing.assert_allclose(
        likelihood.log_prob(logits, gray), 0.3 * white + 0.7 * black, rtol=1e-6
    )
