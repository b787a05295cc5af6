"""A mixture of factor analyzers against the densities of its parameters and of the data."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from keras_gen.workshop.baselines import FactorMixture


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
