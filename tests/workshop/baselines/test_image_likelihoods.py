"""Likelihoods of images against counts and densities of SciPy and scikit-learn."""

import itertools

import numpy as np
import pytest
from scipy import stats

from keras_gen.metrics import bits_per_dimension
from keras_gen.workshop.baselines import (
    PixelHistograms,
    ProbabilisticPCA,
    compressed_bits,
    image_baselines,
)


def test_counts():
    images = np.array([[0, 7], [0, 9], [3, 9]], "uint8").reshape(3, 1, 2, 1)
    found = PixelHistograms(images, pseudo_count=0.5).log_prob(images)
    total = 3 + 256 * 0.5
    expected = [2.5 * 1.5, 2.5 * 2.5, 1.5 * 2.5]
    np.testing.assert_allclose(found, np.log(np.array(expected) / total**2))
    other = np.full([1, 1, 2, 1], 255, "uint8")
    np.testing.assert_allclose(
        PixelHistograms(images, 0.5).log_prob(other), 2 * np.log(0.5 / total)
    )


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


@pytest.mark.parametrize(("count", "components"), [(60, 2), (20, 10)])
def test_few_components_or_fewer_images_than_values(rng, count, components):
    """Found by another algorithm."""
    images = drawn(rng, count, (4, 4, 3))
    levels = flat(images)
    shape = covariance(levels, components)
    normal = stats.multivariate_normal(levels.mean(axis=0) + 0.5, shape)
    # The mean over the noise of a quadratic form is that of its middle and a trace.
    trace = np.trace(np.linalg.inv(shape)) / 24
    expected = normal.logpdf(levels + 0.5) - trace
    found = ProbabilisticPCA(images, components).log_prob(images)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


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


def test_each_in_bits_per_dimension(rng):
    ramps = np.arange(0, 64, 4, dtype="uint8").reshape(4, 4, 1)
    train, held_out, test = (
        ramps
        + rng.integers(0, 100, (n, 1, 1, 1), "uint8")
        + rng.integers(0, 5, (n, 4, 4, 1), "uint8")
        for n in (40, 10, 6)
    )
    found = image_baselines(train, held_out, test, (1, 2, 8, 99), latents=4)
    pca = ProbabilisticPCA(train, 8)
    nats = {
        "pca_latents": -pca.tuned(held_out, [4]).log_prob(test),
        "pca": -pca.tuned(held_out, [1, 2, 8]).log_prob(test),
        "pixels": -PixelHistograms(train).log_prob(test),
    }
    for name, each in nats.items():
        expected = bits_per_dimension(each.mean(), 16, "uniform")
        assert found.pop(f"bits_{name}") == pytest.approx(expected)
    for name in ("png", "webp"):
        expected = compressed_bits(test, name.upper()).mean() / 16
        assert found.pop(f"bits_{name}") == pytest.approx(expected)
    assert found == {"pca_components": pca.components} and pca.components in (1, 2, 8)
    assert "bits_pca_latents" not in image_baselines(train, held_out, test, (2,))


def test_fewer_images_than_components_and_latents(rng):
    train, held_out, test = (rng.integers(0, 256, (n, 4, 4, 1), "uint8") for n in (4, 3, 3))
    found = image_baselines(train, held_out, test, (10, 100), latents=128)
    assert found["pca_components"] == 4 and all(np.isfinite(list(found.values())))
    # As many latents as there are images are as many components.
    assert found["bits_pca_latents"] == pytest.approx(found["bits_pca"])
