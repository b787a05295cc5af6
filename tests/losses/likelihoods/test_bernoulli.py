import numpy as np
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


def test_bernoulli_of_gray_data_is_the_mean_over_their_binarization():
    logits, gray = tf.constant([[0.7]]), tf.constant([[0.3]])
    likelihood = Bernoulli()
    white = likelihood.log_prob(logits, tf.ones([1, 1]))
    black = likelihood.log_prob(logits, tf.zeros([1, 1]))
    np.testing.assert_allclose(
        likelihood.log_prob(logits, gray), 0.3 * white + 0.7 * black, rtol=1e-6
    )
