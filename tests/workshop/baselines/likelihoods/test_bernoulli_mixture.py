"""The mixture of Bernoulli distributions against what it is to find."""

import itertools

import numpy as np
import pytest

from keras_gen.workshop.baselines import BernoulliMixture
from keras_gen.workshop.baselines.likelihoods import bernoulli_mixture


def drawn(rng, weights, probabilities, count):
    templates = rng.choice(len(weights), count, p=weights)
    return (rng.uniform(size=(count, probabilities.shape[1])) < probabilities[templates]) * 1


def test_finds_the_distribution_that_it_was_drawn_from(rng):
    weights = np.array([0.3, 0.7])
    probabilities = np.array([[0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [0.1, 0.2, 0.1, 0.8, 0.9, 0.9]])
    x = drawn(rng, weights, probabilities, 20_000)
    mixture = BernoulliMixture(x, components=2, iterations=100, seed=3)
    order = np.argsort(mixture.weights)
    np.testing.assert_allclose(mixture.weights[order], weights, atol=0.02)
    np.testing.assert_allclose(mixture.probabilities[order], probabilities, atol=0.02)
    each = np.prod(np.where(x[:, None], probabilities, 1 - probabilities), axis=-1)
    exact = np.log(each @ weights)
    np.testing.assert_allclose(mixture.log_prob(x).mean(), exact.mean(), atol=0.01)


def test_is_a_density(rng):
    x = rng.integers(0, 2, (50, 2, 3, 1))
    every = np.array(list(itertools.product((0, 1), repeat=6))).reshape(-1, 2, 3, 1)
    mixture = BernoulliMixture(x, components=4, iterations=5)
    assert np.exp(mixture.log_prob(every)).sum() == pytest.approx(1, abs=1e-5)


def test_one_component_is_independent_pixels(rng):
    x = rng.integers(0, 2, (100, 4))
    mean = (x.sum(axis=0) + 0.05) / 100.1
    expected = (x * np.log(mean) + (1 - x) * np.log(1 - mean)).sum(axis=1)
    found = BernoulliMixture(x, components=1, iterations=1).log_prob(x)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_fits_better_with_every_step(rng):
    x = drawn(rng, [0.5, 0.5], rng.uniform(size=(2, 10)), 500)
    fits = [BernoulliMixture(x, 3, steps).log_prob(x).mean() for steps in (1, 5, 20)]
    assert fits == sorted(fits)


def test_given_templates_are_the_formula(rng, monkeypatch):
    probabilities, weights = rng.uniform(size=(5, 2, 2)), np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    x = rng.integers(0, 2, (7, 2, 2))
    each = np.where(x[:, None], probabilities, 1 - probabilities).prod(axis=(2, 3))
    expected = np.log(each @ weights / 20)
    mixture = BernoulliMixture.of(probabilities, weights)
    np.testing.assert_allclose(mixture.log_prob(x), expected, rtol=1e-4)
    # In parts of 3 examples it is the same.
    monkeypatch.setattr(bernoulli_mixture, "HELD", 15)
    np.testing.assert_allclose(mixture.log_prob(x), expected, rtol=1e-4)
    # A pixel that is never white is improbable, and not impossible.
    certain = BernoulliMixture.of(np.array([[0.0, 1.0]]), np.ones(1))
    np.testing.assert_allclose(certain.log_prob([[1, 1], [0, 1]]), [np.log(1e-6), 0], atol=1e-3)


def test_the_best_size_is_chosen_on_the_last_sixth():
    """Of two kinds of examples; where the last are of a third one, one template does better."""
    known = np.tile([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], [25, 1])
    for held_out, best in ((known[:10], 2), (np.tile([1, 0], [10, 3]), 1)):
        both = np.concatenate([known, held_out])
        mixture = BernoulliMixture.of_best_size(both, (1, 2), seed=3)
        assert len(mixture.weights) == best
        expected = BernoulliMixture(known, best, seed=3)
        np.testing.assert_array_equal(mixture.probabilities, expected.probabilities)


def test_errors(rng):
    with pytest.raises(ValueError, match="2 templates and 1 weights from 1: expected a positive"):
        BernoulliMixture.of(np.eye(2), np.ones(1))
    with pytest.raises(ValueError, match="2 templates and 2 weights from 0: expected a positive"):
        BernoulliMixture.of(np.eye(2), np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="values from 0 to 255: expected zeros and ones"):
        BernoulliMixture(np.array([[0, 255]]), 1)
    with pytest.raises(ValueError, match=r"components=3.* for 2 examples: expected 1 to 2"):
        BernoulliMixture(np.eye(2), 3)
