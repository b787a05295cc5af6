"""Mixtures of normal densities against scipy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.losses import NormalMixture, UnboundedNormal

LOGITS, MEANS, RAW = np.array([0.0, 1.0, -1.0]), np.array([-2.0, 0.5, 4.0]), [-1.0, 0.3, 1.5]
WEIGHTS = special.softmax(LOGITS)
SCALES = np.logaddexp(0, RAW) + 1e-3
ROW = np.concatenate([LOGITS, MEANS, RAW]).astype("float32")


def rows(n):
    return tf.constant(np.tile(ROW, [n, 1]))


def cumulative(x):
    return stats.norm.cdf((x[:, None] - MEANS) / SCALES) @ WEIGHTS


def test_densities_are_weighted_sums():
    x = np.linspace(-9, 20, 2901).astype("float32")
    found = np.exp(NormalMixture(3).log_prob(rows(len(x)), x[:, None]).numpy().astype("float64"))
    wanted = stats.norm.pdf((x[:, None] - MEANS) / SCALES) / SCALES @ WEIGHTS
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-12)
    assert found.sum() * 0.01 == pytest.approx(1, abs=1e-4)
    assert NormalMixture(3).mean(rows(1)).numpy() == pytest.approx(WEIGHTS @ MEANS)


def test_one_is_a_normal_distribution(rng):
    params = rng.normal(size=(5, 2, 2)).astype("float32")
    x = rng.normal(size=(5, 2)).astype("float32")
    logits = np.full([5, 2, 1], 7.0, "float32")
    found = NormalMixture(1).log_prob(np.concatenate([logits, params], -1).reshape(5, 6), x)
    normal = np.concatenate([params[..., 0], params[..., 1]], axis=-1)
    np.testing.assert_allclose(found, UnboundedNormal().log_prob(normal, x), rtol=1e-5)


def test_evenly_spread_noise_draws_values_by_their_density():
    side = 100
    even = (np.arange(side, dtype="float32") + 0.5) / side
    pairs = np.stack(np.meshgrid(even, even), axis=-1).reshape(-1, 1, 2)
    drawn = np.sort(NormalMixture(3).draw(rows(side**2), pairs).numpy()[:, 0])
    wanted = (np.arange(side**2) + 0.5) / side**2
    np.testing.assert_allclose(cumulative(drawn), wanted, atol=0.01)
    cold = NormalMixture(3).draw(rows(side**2), pairs, 1e-3).numpy()
    np.testing.assert_allclose(cold, MEANS[1], atol=0.02)  # the most probable part's mean
    ends = NormalMixture(3).draw(rows(2), np.array([[[0, 0]], [[1 - 2**-24] * 2]], "float32"))
    assert np.isfinite(ends).all()


def test_samples_follow_their_density_and_the_seed():
    likelihood = NormalMixture(3)
    drawn = likelihood.sample(rows(5000), [1, 2]).numpy()[:, 0]
    np.testing.assert_array_equal(drawn, likelihood.sample(rows(5000), [1, 2])[:, 0])
    assert stats.kstest(drawn, cumulative).pvalue > 1e-3
