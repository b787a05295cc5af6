"""Relaxed codes and their density against quadrature, frequencies and the formula of the paper."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from keras_gen.core.noise import gumbel
from keras_gen.losses import log_concrete, relaxed_codes, relaxed_kl

SEED = tf.constant([3, 0], tf.int64)


def test_codes_are_the_softmax_of_noisy_logits(rng):
    logits, noise = rng.normal(size=(2, 4, 3, 5)).astype("float32")
    codes = np.exp(relaxed_codes(logits, noise, 0.7))
    np.testing.assert_allclose(codes, special.softmax((logits + noise) / 0.7, axis=-1), rtol=1e-4)
    np.testing.assert_allclose(codes.sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_density_is_definition_1(temperature, rng):
    """That of the codes, less the Jacobian of their logarithms, prod_k x_k."""
    logits, n = rng.normal(size=(4, 3)), 3
    x = rng.dirichlet(np.ones(n), size=4)
    terms = np.exp(logits) * x ** (-temperature - 1)
    total = (np.exp(logits) * x**-temperature).sum(axis=1, keepdims=True)
    density = math.factorial(n - 1) * temperature ** (n - 1) * (terms / total).prod(axis=1)
    found = log_concrete(tf.constant(np.log(x), tf.float32), tf.constant(logits), temperature)
    np.testing.assert_allclose(found, np.log(density * x.prod(axis=1)), rtol=1e-4)


def test_relaxed_kl_is_zero_of_equals_and_else_positive_in_the_mean():
    noise = gumbel([20_000, 1, 3], SEED)
    even, uneven = tf.zeros([1, 1, 3]), tf.constant([[[2.0, 0.0, -1.0]]])
    codes = relaxed_codes(even, noise, 0.6)
    np.testing.assert_allclose(relaxed_kl(codes, even, 0.6, 0.6), 0, atol=1e-4)
    codes = relaxed_codes(uneven, noise, 0.6)
    values = relaxed_kl(codes, uneven, 0.6, 0.6).numpy()
    assert values.mean() > 0.3 and values.min() < 0
    # A function of the codes, by which the discrete ones are known, it is no smaller.
    p = special.softmax([2.0, 0.0, -1.0])
    assert values.mean() > math.log(3) + (p * np.log(p)).sum() - 0.02
