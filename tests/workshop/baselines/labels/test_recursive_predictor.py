"""Recursive least squares of sounds against least squares and known processes."""

import itertools

import numpy as np
import pytest
from scipy import signal

from keras_gen.data import mu_law_levels
from keras_gen.workshop.baselines import LinearPredictor, RecursivePredictor


def resonances(rng, n, samples, second, deviation=0.02):
    """Sounds of an autoregression of order 2."""
    noise = rng.normal(0, deviation, (n, samples))
    return np.clip(signal.lfilter([1], [1, -1.6, second], noise, axis=1), -1, 1)


def test_is_a_distribution(rng):
    train = rng.integers(0, 6, (4, 20))
    every = np.array(list(itertools.product(range(6), repeat=3)))
    p = np.exp(RecursivePredictor(2, 6).fit(train).log_prob(every))
    assert p.sum() == pytest.approx(1)


def test_tight_coefficients_are_those_of_training(rng):
    levels = mu_law_levels(resonances(rng, 5, 300, 0.8)).numpy()
    fixed = LinearPredictor(3).fit(levels)
    recursive = RecursivePredictor(3, forgetting=1.0, looseness=1e-12).fit(levels)
    np.testing.assert_allclose(recursive.log_prob(levels), fixed.log_prob(levels), rtol=1e-5)


def test_follows_sounds_that_differ(rng):
    """One half of the sounds has another resonance than the other half."""
    both = [resonances(rng, 10, 1500, second) for second in (0.95, 0.65)]
    levels = mu_law_levels(np.concatenate(both), 1024).numpy()
    fixed = -LinearPredictor(2, 1024).fit(levels).log_prob(levels)
    predictor = RecursivePredictor(2, 1024, forgetting=1.0)
    recursive = -predictor.fit(levels).log_prob(levels)
    alone = [-LinearPredictor(2, 1024).fit(half).log_prob(half) for half in np.split(levels, 2)]
    assert recursive.mean() < fixed.mean() - 0.05 * 1500
    assert recursive.mean() == pytest.approx(np.mean(alone), abs=0.1 * 1500)


def test_padding_counts_nothing(rng):
    levels = mu_law_levels(resonances(rng, 3, 50, 0.8)).numpy()
    around = np.pad(levels, ((0, 1), (0, 9)), constant_values=-1)
    predictor = RecursivePredictor(3).fit(levels)
    expected = predictor.log_prob(levels)
    np.testing.assert_allclose(predictor.log_prob(around), [*expected, 0], rtol=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="forgetting is 0 and looseness 1: expected a number"):
        RecursivePredictor(forgetting=0, looseness=1)
