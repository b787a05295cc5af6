"""Linear prediction of sounds that are autoregressions."""

import numpy as np
import pytest
from scipy import signal, stats

from keras_gen.data import mu_law_levels, mu_law_waveform
from keras_gen.workshop.baselines import (
    LinearPredictor,
    LogisticMixture,
    RecursivePredictor,
    StackedPredictor,
)


def resonances(rng, n, samples, deviation=0.02, second=0.8):
    """Sounds of an autoregression of order 2."""
    noise = rng.normal(0, deviation, (n, samples))
    return np.clip(signal.lfilter([1], [1, -1.6, second], noise, axis=1), -1, 1)


def test_a_stack_is_better_than_its_predictors(rng):
    """The errors are Gaussian, whereas the predictors expect logistic errors."""
    levels = mu_law_levels(resonances(rng, 12, 600), 256).numpy()
    sounds, others = levels[:8], levels[8:]
    nats = -StackedPredictor((2, 4), 256).fit(sounds).log_prob(others).mean()
    for taps in (2, 4):
        assert nats < -RecursivePredictor(taps, 256).fit(sounds).log_prob(others).mean()


def test_a_stack_predicts_linear_levels(rng):
    levels = np.floor((resonances(rng, 12, 600) + 1) / 2 * 65536).astype(int)
    sounds, others = levels[:8], levels[8:]
    stack = StackedPredictor((2, 4), 65536, companded=False).fit(sounds)
    entropy = 0.5 * np.log(2 * np.pi * np.e * (0.02 * 32768) ** 2)
    assert entropy - 0.1 < -stack.log_prob(others).sum() / others.size < entropy + 0.5


def test_a_mixture_finds_the_multiple_of_the_scale(rng):
    """Errors are twice as large as the given scales: the cost is the entropy, ln(2 scale) + 2."""
    scales = rng.uniform(20, 40, 4000)
    centers = rng.uniform(400, 600, 4000)
    levels = np.clip(rng.logistic(centers, 2 * scales).round(), 0, 999).astype(int)
    mixture = LogisticMixture(np.arange(999) + 0.5, groups=2).fit(levels, centers, scales)
    nats = -mixture.log_prob(levels, centers, scales).mean()
    assert nats == pytest.approx(np.log(2 * scales).mean() + 2, abs=0.05)


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


def test_the_highest_level_may_be_the_largest_int8(rng):
    levels = rng.integers(100, 128, (3, 200))
    model = LinearPredictor(taps=2, levels=128).fit(levels)
    np.testing.assert_array_equal(model.log_prob(levels.astype("int8")), model.log_prob(levels))


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


def test_an_error_that_follows_the_latest_ones_is_better_where_loudness_changes(rng):
    loudness = np.repeat([0.5, 0.005] * 4, 100)
    levels = mu_law_levels(resonances(rng, 8, 800) * loudness).numpy()
    nats = [-LinearPredictor(4, 256, a).fit(levels).log_prob(levels).mean() for a in (True, False)]
    assert nats[0] < nats[1] - 0.3 * 800


def test_tight_coefficients_are_those_of_training(rng):
    levels = mu_law_levels(resonances(rng, 5, 300)).numpy()
    fixed = LinearPredictor(3).fit(levels)
    recursive = RecursivePredictor(3, forgetting=1.0, looseness=1e-12).fit(levels)
    np.testing.assert_allclose(recursive.log_prob(levels), fixed.log_prob(levels), rtol=1e-5)


def test_follows_sounds_that_differ(rng):
    """One half of the sounds has another resonance than the other half."""
    both = [resonances(rng, 10, 1500, second=second) for second in (0.95, 0.65)]
    levels = mu_law_levels(np.concatenate(both), 1024).numpy()
    fixed = -LinearPredictor(2, 1024).fit(levels).log_prob(levels)
    predictor = RecursivePredictor(2, 1024, forgetting=1.0)
    recursive = -predictor.fit(levels).log_prob(levels)
    alone = [-LinearPredictor(2, 1024).fit(half).log_prob(half) for half in np.split(levels, 2)]
    assert recursive.mean() < fixed.mean() - 0.05 * 1500
    assert recursive.mean() == pytest.approx(np.mean(alone), abs=0.1 * 1500)
