"""Linear prediction of sounds against closed forms and enumerations."""

import itertools

import numpy as np
import pytest
from scipy import signal, stats

from keras_gen.data import mu_law_levels, mu_law_waveform
from keras_gen.workshop.baselines import LinearPredictor


def resonances(rng, n, samples, deviation=0.02):
    """Sounds of an autoregression of order 2."""
    noise = rng.normal(0, deviation, (n, samples))
    return np.clip(signal.lfilter([1], [1, -1.6, 0.8], noise, axis=1), -1, 1)


@pytest.mark.parametrize("adaptive", [True, False])
def test_is_a_distribution(rng, adaptive):
    train = rng.integers(0, 6, (4, 20))
    every = np.array(list(itertools.product(range(6), repeat=3)))
    p = np.exp(LinearPredictor(2, 6, adaptive).fit(train).log_prob(every))
    assert p.sum() == pytest.approx(1)


def test_finds_the_coefficients(rng):
    levels = mu_law_levels(resonances(rng, 20, 400), 512).numpy()
    predictor = LinearPredictor(4, 512).fit(levels)
    np.testing.assert_allclose(predictor.coefficients, [1.6, -0.8, 0, 0], atol=0.05)


def test_a_level_gets_the_mass_of_its_part_of_the_scale(rng):
    levels = mu_law_levels(resonances(rng, 5, 200), 64).numpy()
    predictor = LinearPredictor(1, 64, adaptive=False).fit(levels)
    for before, level in ((30, 31), (10, 0), (40, 63)):
        center = predictor.coefficients[0] * float(mu_law_waveform(before, 64))
        low, high = mu_law_waveform([level - 0.5, level + 0.5], 64).numpy()
        error = stats.logistic(center, np.exp(predictor.scale[0]))
        mass = error.cdf(high if level < 63 else np.inf) - error.cdf(low if level else -np.inf)
        pair, first = predictor.log_prob(np.array([[before, level], [before, -1]]))
        assert np.exp(pair - first) == pytest.approx((1 - 1e-4) * mass + 1e-4 / 64, rel=1e-4)


def test_levels_may_be_equal_parts_of_the_scale(rng):
    """Of a Gaussian autoregression the levels cost its entropy, and a little for another shape."""
    deviation = 0.01
    sounds = resonances(rng, 20, 2000, deviation)
    levels = np.floor((sounds + 1) / 2 * 65536).astype(int)
    predictor = LinearPredictor(2, 65536, adaptive=False, companded=False).fit(levels)
    np.testing.assert_allclose(predictor.coefficients, [1.6, -0.8], atol=0.02)
    bits = -predictor.log_prob(levels).sum() / levels.size / np.log(2)
    entropy = 0.5 * np.log2(2 * np.pi * np.e * (deviation * 32768) ** 2)
    assert entropy < bits < entropy + 0.05


@pytest.mark.parametrize("adaptive", [True, False])
def test_the_scale_is_the_most_probable_one(rng, adaptive):
    levels = mu_law_levels(resonances(rng, 5, 200)).numpy()
    predictor = LinearPredictor(2, 256, adaptive).fit(levels)
    best = predictor.log_prob(levels).sum()
    scale = predictor.scale
    for change in (0.1, -0.1):
        for number in range(1 + adaptive):
            predictor.scale = scale + change * (np.arange(2) == number)
            assert predictor.log_prob(levels).sum() < best


def test_padding_counts_nothing(rng):
    levels = mu_law_levels(resonances(rng, 3, 50)).numpy()
    around = np.pad(levels, ((0, 1), (4, 9)), constant_values=-1)[..., None]
    predictor = LinearPredictor(3).fit(around)
    expected = LinearPredictor(3).fit(levels).log_prob(levels)
    np.testing.assert_allclose(predictor.log_prob(around), [*expected, 0], rtol=1e-6)
    assert predictor.log_prob(around)[3] == 0


def test_an_error_that_follows_the_latest_ones_is_better_where_loudness_changes(rng):
    loudness = np.repeat([0.5, 0.005] * 4, 100)
    levels = mu_law_levels(resonances(rng, 8, 800) * loudness).numpy()
    nats = [-LinearPredictor(4, 256, a).fit(levels).log_prob(levels).mean() for a in (True, False)]
    assert nats[0] < nats[1] - 0.3 * 800


def test_errors():
    with pytest.raises(ValueError, match="not fitted: call fit first"):
        LinearPredictor().log_prob(np.array([[0]]))
    with pytest.raises(ValueError, match="all padding: expected one level at least"):
        LinearPredictor().fit(np.array([[-1]]))
    with pytest.raises(ValueError, match="from 0 to 256: expected 0 to 255"):
        LinearPredictor().fit(np.array([[0, 256]]))
    with pytest.raises(ValueError, match="taps must be at least 1, found 0"):
        LinearPredictor(0)
