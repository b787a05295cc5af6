import numpy as np
import tensorflow as tf
from scipy import special, stats

from keras_gen.losses import Multinomial, Poisson

SHAPE = (3, 4, 4, 2)


def test_poisson_against_scipy(rng):
    log_rates, x = rng.normal(size=SHAPE), rng.integers(0, 9, size=SHAPE)
    wanted = stats.poisson(np.exp(log_rates)).logpmf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(Poisson().log_prob(log_rates, x), wanted, rtol=1e-5)


def test_multinomial_against_scipy_without_the_coefficient(rng):
    logits, x = rng.normal(size=(3, 7)), rng.integers(0, 5, size=(3, 7))
    x[2] = 0  # a document without words
    fractions = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    coefficient = special.gammaln(x.sum(axis=1) + 1) - special.gammaln(x + 1).sum(axis=1)
    wanted = stats.multinomial.logpmf(x, x.sum(axis=1), fractions) - coefficient
    value = Multinomial().log_prob(logits, x)
    np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
    # The coefficient counts the orders in which the same words may come.
    word = tf.constant([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        Multinomial().log_prob(logits[:1], 3 * word), 3 * np.log(fractions[0, 1:2]), rtol=1e-5
    )


def test_multinomial_draws_as_many_words_as_it_says(rng):
    likelihood = Multinomial(draws=5)
    logits = tf.constant(rng.normal(size=(2, 3, 4)), tf.float32)
    draw = likelihood.sample(logits, [1, 2])
    np.testing.assert_array_equal(tf.reduce_sum(draw, axis=-1), np.full((2, 3), 5.0))
    np.testing.assert_allclose(likelihood.mean(logits), 5 * tf.nn.softmax(logits), rtol=1e-6)
    one = tf.tile(logits[:1, :1], [1, 4000, 1])
    draws = Multinomial().sample(one, [3, 4]).numpy()[0]
    fractions = tf.nn.softmax(logits[0, 0]).numpy()
    error = np.sqrt(fractions * (1 - fractions) / len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - fractions) < 5 * error)
    np.testing.assert_array_equal(draws, Multinomial().sample(one, [3, 4])[0])
