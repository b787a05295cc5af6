"""Series of a known density."""

import numpy as np
from scipy import stats

from keras_gen.data import Oscillations


def test_series_are_noisy_sines_and_their_derivatives():
    swings = Oscillations(steps=64, amplitude=2.0, frequencies=(2.0, 2.0), noise=1e-6)
    series = swings.sample(5, seed=1)
    assert series.dtype == "float32" and series.shape == (5, 64, 2)
    position, speed = series[..., 0], series[..., 1]
    np.testing.assert_allclose(position[:, 32:], position[:, :32], atol=1e-3)  # two swings
    np.testing.assert_allclose(position**2 + (speed / (4 * np.pi)) ** 2, 4.0, rtol=1e-3)
    slopes = (position[:, 2:] - position[:, :-2]) * 32
    np.testing.assert_allclose(slopes, speed[:, 1:-1], atol=0.3)


def test_the_density_is_the_mean_over_frequencies_and_phases(rng):
    """By Monte Carlo, of series so short that many frequencies and phases explain them."""
    swings = Oscillations(steps=2, amplitude=3.0, noise=0.5)
    series = swings.sample(4, seed=1)
    frequencies, phases = rng.uniform(1, 3, 50_000), rng.uniform(0, 2 * np.pi, 50_000)
    angles = 2 * np.pi * frequencies * np.array([[0.0], [0.5]]) + phases
    means = 3.0 * np.stack([np.sin(angles), 2 * np.pi * frequencies * np.cos(angles)], axis=-1)
    deviations = [1.5, 1.5 * 6 * np.pi]
    given = stats.norm.logpdf(series[:, :, None], means, deviations).sum(axis=(1, 3))
    expected = np.log(np.exp(given).mean(axis=1))
    np.testing.assert_allclose(swings.log_density(series), expected, atol=0.05)


def test_the_grid_is_fine_enough():
    swings = Oscillations()
    series = swings.sample(5, seed=2)
    coarser = swings.log_density(series, frequencies=192, phases=192)
    np.testing.assert_allclose(swings.log_density(series), coarser, atol=1e-3)
