"""Mixtures find the distribution that examples were drawn from."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from keras_gen.workshop.baselines import (
    BernoulliMixture,
    FactorMixture,
    best_mixture,
    mixture_samples,
    mixtures,
)


def drawn(rng, weights, probabilities, count):
    templates = rng.choice(len(weights), count, p=weights)
    return (rng.uniform(size=(count, probabilities.shape[1])) < probabilities[templates]) * 1


def test_samples_are_black_as_often_as_the_images(rng):
    """The first pixel is black in half of the images, the second in all, the third in none."""
    levels = rng.integers(100, 200, (400, 1, 3, 1))
    images = (levels * [[[1], [0], [1]]]).astype("uint8")
    images[:200, :, 0] = 0
    black = (mixture_samples(images, 4000, clusters=1, black=True) == 0).mean(axis=0).ravel()
    np.testing.assert_allclose(black, [0.5, 1, 0], atol=0.03)


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


def test_one_component_is_independent_pixels(rng):
    x = rng.integers(0, 2, (100, 4))
    mean = (x.sum(axis=0) + 0.05) / 100.1
    expected = (x * np.log(mean) + (1 - x) * np.log(1 - mean)).sum(axis=1)
    found = BernoulliMixture(x, components=1, iterations=1).log_prob(x)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    certain = BernoulliMixture(np.ones((10, 4)), 1, pseudo_count=1e-12)
    np.testing.assert_allclose(certain.log_prob(np.eye(4)), 3 * np.log(1e-6), rtol=0.01)


def test_given_templates_are_the_formula(rng, monkeypatch):
    probabilities, weights = rng.uniform(size=(5, 2, 2)), np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    x = rng.integers(0, 2, (7, 2, 2))
    each = np.where(x[:, None], probabilities, 1 - probabilities).prod(axis=(2, 3))
    expected = np.log(each @ weights / 20)
    mixture = BernoulliMixture.of(probabilities, weights)
    np.testing.assert_allclose(mixture.log_prob(x), expected, rtol=1e-4)
    # In parts of 3 examples it is the same.
    monkeypatch.setattr(mixtures, "HELD", 15)
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


def blobs(n=400):
    """Dark and bright images, three to one; the left half of an image is correlated noise."""
    rng = np.random.default_rng(0)
    level = np.where(np.arange(n) % 4, 80, 180)[:, None, None, None]
    noise = np.zeros([n, 4, 4, 1])
    noise[:, :, :2] = rng.normal(0, 10, (n, 1, 1, 1)) + rng.normal(0, 5, (n, 4, 2, 1))
    return np.rint(level + noise).astype("uint8")


def test_means_covariances_and_weights_of_the_clusters():
    images = blobs()
    drawn = mixture_samples(images, 4000, clusters=2, seed=1)
    assert drawn.shape == (4000, 4, 4, 1) and drawn.dtype == np.uint8
    bright, bright_drawn = images[:, 0, 3, 0] > 130, drawn[:, 0, 3, 0] > 130
    assert bright_drawn.mean() == pytest.approx(0.25, abs=0.03)
    for chosen, of in ((bright, bright_drawn), (~bright, ~bright_drawn)):
        a, b = (x.reshape(len(x), -1).astype(float) for x in (images[chosen], drawn[of]))
        np.testing.assert_allclose(b.mean(axis=0), a.mean(axis=0), atol=2)
        # Rounding adds 1 / 12.
        np.testing.assert_allclose(np.cov(b.T), np.cov(a.T), atol=20)
    assert np.cov(images.reshape(400, -1)[bright].T).max() > 80


def test_in_no_order_and_as_the_seed_says():
    images = blobs()
    first, again, other = (mixture_samples(images, 200, 2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    bright = first[:, 0, 3, 0] > 130
    assert 0.05 < bright[:50].mean() < 0.6 and 0.05 < bright[-50:].mean() < 0.6


def test_levels_are_cut_off_and_one_image_is_a_cluster():
    images = np.zeros([50, 4, 4, 3], "uint8")
    images[::2] = 255
    assert set(np.unique(mixture_samples(images, 100, clusters=1))) >= {0, 255}
    single = mixture_samples(blobs(3), 9, clusters=3)
    assert {x.tobytes() for x in single} <= {x.tobytes() for x in blobs(3)}


def test_its_size_is_the_finest_that_is_no_nearer_than_held_out_images(monkeypatch):
    distances = dict(held_out=5.0, drawn=iter([3.0, 4.9, 5.1, 9.0]))
    tried = []

    def drawn(flat, n, clusters, seed, black):
        tried.append((len(flat), clusters))
        return np.zeros([n, 16])

    def distance(queries, known):
        return next(distances["drawn"]) if not queries.any() else distances["held_out"]

    monkeypatch.setattr(mixtures, "_drawn", drawn)
    monkeypatch.setattr(mixtures, "_distance", distance)
    mixture_samples(blobs(1000) + 1, 7)
    # Of the 900 that are not held out; then of all.
    assert tried == [(900, 30), (900, 15), (900, 7), (1000, 8)]


def test_few_images_are_one_gaussian():
    assert mixture_samples(blobs(5), 3).shape == (3, 4, 4, 1)
    assert mixture_samples(blobs(40), 3).shape == (3, 4, 4, 1)


def test_the_number_of_gaussians_is_chosen_on_held_out_vectors():
    rng = np.random.default_rng(0)
    centers = np.array([[-3.0, 0.0], [3.0, 1.0], [0.0, 5.0]])
    points = centers[rng.integers(3, size=400)] + 0.5 * rng.normal(size=(400, 2))
    mixture = best_mixture(points[:100], points[100:], components=(1, 3, 40))
    assert mixture.n_components == 3
    found = mixture.means_[np.lexsort(mixture.means_.T)]
    np.testing.assert_allclose(found, centers, atol=0.4)


def test_densities_are_those_of_the_parameters(rng):
    mixture = FactorMixture(rng.normal(size=(300, 5)), components=3, rank=2, iterations=3)
    points = rng.normal(size=(20, 5))
    parts = [
        multivariate_normal(mean, factors @ factors.T + np.diag(mixture.noise)).logpdf(points)
        for mean, factors in zip(mixture.means, mixture.factors, strict=True)
    ]
    expected = logsumexp(parts, axis=0, b=mixture.weights[:, None])
    np.testing.assert_allclose(mixture.log_prob(points), expected)
    np.testing.assert_allclose(mixture.weights.sum(), 1)
    drawn = mixture.sample(100_000, seed=1)
    mean = mixture.weights @ mixture.means
    spread = sum(
        w * (f @ f.T + np.outer(m - mean, m - mean))
        for w, f, m in zip(mixture.weights, mixture.factors, mixture.means, strict=True)
    )
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), spread + np.diag(mixture.noise), atol=0.04)


def test_reaches_the_density_of_a_known_mixture(rng):
    """Two lines in eight dimensions, with less noise on the second half of the axes."""
    noise = np.repeat([0.5, 0.1], 4)
    lines = [(rng.normal(size=8) * 6, rng.normal(size=(8, 1)) * 2) for _ in range(2)]
    densities = [multivariate_normal(m, w @ w.T + np.diag(noise**2)) for m, w in lines]
    train, test = (
        np.concatenate([one.rvs(n, random_state=rng) for one in densities]) for n in (1000, 500)
    )
    truth = logsumexp([one.logpdf(test) for one in densities], axis=0) - np.log(2)
    gap = truth - FactorMixture(train, 2, rank=1, iterations=200).log_prob(test)
    assert -0.01 < gap.mean() < 0.05
