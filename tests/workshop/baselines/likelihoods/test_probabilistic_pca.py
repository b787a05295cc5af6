"""Probabilistic PCA against SciPy's normal distribution and scikit-learn's PCA."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from keras_gen.workshop.baselines import ProbabilisticPCA

# Two points of [0, 1] whose mean is that of all of it, for polynomials up to the third power.
POINTS = 0.5 + np.array([-1, 1]) / np.sqrt(12)


def drawn(rng, n=300, shape=(2, 2, 1)):
    """Images of which two directions vary much."""
    size = int(np.prod(shape))
    codes = rng.normal(size=(n, 2)) * [30, 12]
    levels = 128 + codes @ rng.normal(size=(2, size)) + rng.normal(size=(n, size))
    return levels.clip(0, 255).astype("uint8").reshape(n, *shape)


def flat(images):
    return images.reshape(len(images), -1).astype("float64")


def every_corner(size):
    return np.array(list(itertools.product(POINTS, repeat=size)))


def covariance(levels, components):
    """Of all directions but the first ones the variance is the mean of theirs."""
    values, vectors = np.linalg.eigh(np.cov(levels.T, bias=True) + np.eye(levels.shape[1]) / 12)
    left = slice(len(values) - components)
    values[left] = values[left].sum() / max(1, len(values[left]))
    return vectors @ np.diag(values) @ vectors.T


@pytest.mark.parametrize("components", [1, 2, 4])
def test_is_the_mean_over_the_noise_of_a_normal_density(rng, components):
    images, others = drawn(rng), drawn(rng, 5)
    levels = flat(images)
    normal = stats.multivariate_normal(levels.mean(axis=0) + 0.5, covariance(levels, components))
    expected = np.mean([normal.logpdf(flat(others) + u) for u in every_corner(4)], axis=0)
    found = ProbabilisticPCA(images, components).log_prob(others)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_is_that_of_scikit_learn_for_images_with_noise(rng):
    images = drawn(rng)
    noisy = (flat(images)[:, None] + every_corner(4)).reshape(-1, 4)
    expected = PCA(2).fit(noisy).score_samples(noisy).reshape(len(images), -1).mean(axis=1)
    found = ProbabilisticPCA(images, 2).log_prob(images)
    np.testing.assert_allclose(found, expected, rtol=1e-3)  # n - 1 of 4,800


def test_few_components_of_many_values(rng):
    """Found by another algorithm."""
    images = drawn(rng, 60, (4, 4, 3))
    levels = flat(images)
    shape = covariance(levels, 2)
    normal = stats.multivariate_normal(levels.mean(axis=0) + 0.5, shape)
    # The mean over the noise of a quadratic form is that of its middle and a trace.
    trace = np.trace(np.linalg.inv(shape)) / 24
    expected = normal.logpdf(levels + 0.5) - trace
    np.testing.assert_allclose(ProbabilisticPCA(images, 2).log_prob(images), expected, rtol=1e-6)


def test_fewer_images_than_values(rng):
    images = drawn(rng, 20, (4, 4, 3))
    levels = flat(images)
    normal = stats.multivariate_normal(levels.mean(axis=0) + 0.5, covariance(levels, 10))
    trace = np.trace(np.linalg.inv(covariance(levels, 10))) / 24
    expected = normal.logpdf(levels + 0.5) - trace
    np.testing.assert_allclose(ProbabilisticPCA(images, 10).log_prob(images), expected, rtol=1e-6)


def test_bounds_a_probability(rng):
    images = rng.integers(100, 110, (50, 1, 1, 1), dtype="uint8")
    every = np.arange(256, dtype="uint8").reshape(-1, 1, 1, 1)
    total = np.exp(ProbabilisticPCA(images, 1).log_prob(every)).sum()
    assert 0.9 < total < 1


def test_tuning_finds_the_best_noise_and_number(rng):
    images, held_out = drawn(rng, 40, (3, 2, 1)), drawn(rng, 30, (3, 2, 1))
    pca = ProbabilisticPCA(images, 6)
    assert pca.components == 6
    assert pca.tuned(held_out, range(7)) is pca
    best, number, noise = pca.log_prob(held_out).mean(), pca.components, pca.noise
    assert 0 < number < 6
    for other in range(7):
        pca.tuned(held_out, [other])
        assert pca.components == other
        assert pca.log_prob(held_out).mean() < best or other == number
    pca.tuned(held_out, [number])
    for factor in (0.5, 0.9, 1.1, 2):
        pca.noise = noise * factor
        assert pca.log_prob(held_out).mean() < best


def test_errors(rng):
    images = drawn(rng, 3)
    with pytest.raises(ValueError, match="components=4 for 3 images of 4 values: expected 1 to 3"):
        ProbabilisticPCA(images, 4)
    with pytest.raises(ValueError, match="There are 2 components and 3 are to be tried"):
        ProbabilisticPCA(images, 2).tuned(images, [3])
    with pytest.raises(ValueError, match="Expected images to be uint8"):
        ProbabilisticPCA(flat(images), 1)
