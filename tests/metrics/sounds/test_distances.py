"""Distances of sounds, where they are known."""

import numpy as np
import pytest

from keras_gen.metrics import log_spectral_distance, signal_to_noise


@pytest.fixture
def noise(rng):
    return rng.normal(0, 0.25, (3, 1024, 1)).clip(-1, 1)


@pytest.mark.parametrize("distance", [log_spectral_distance, signal_to_noise])
def test_what_cannot_be_compared(distance, noise):
    with pytest.raises(ValueError, match=r"shape \(2, 1024, 1\) and originals \(3, 1024, 1\)"):
        distance(noise[:2], noise)
    with pytest.raises(ValueError, match=r"of shape \[n, samples, 1\]"):
        distance(np.concatenate([noise, noise], -1), np.concatenate([noise, noise], -1))


def test_a_gain_is_a_distance_in_decibels(noise):
    np.testing.assert_array_equal(log_spectral_distance(noise, noise), [0, 0, 0])
    np.testing.assert_allclose(log_spectral_distance(-noise, noise), [0, 0, 0], atol=1e-9)
    # Up to the floor, 1e-3, which is small beside most magnitudes.
    found = log_spectral_distance(noise / 2, noise)
    np.testing.assert_allclose(found, 20 * np.log10(2), rtol=0.07)
    assert (found < 20 * np.log10(2)).all()


def test_only_what_is_audible_in_the_original_counts(noise):
    original = np.concatenate([noise, 0 * noise], axis=1)
    changed = np.concatenate([noise / 2, 0.001 * noise], axis=1)
    short, whole = (
        log_spectral_distance(noise / 2, noise),
        log_spectral_distance(changed, original),
    )
    np.testing.assert_allclose(whole, short, rtol=0.2)
    assert (log_spectral_distance(original, changed) < 20 * np.log10(2)).all()


def test_signal_to_noise(noise):
    np.testing.assert_allclose(signal_to_noise(0 * noise, noise), [0, 0, 0])
    np.testing.assert_allclose(signal_to_noise(0.9 * noise, noise), [20, 20, 20], rtol=1e-3)
    np.testing.assert_allclose(signal_to_noise(-noise, noise), -20 * np.log10([2, 2, 2]))
    assert (signal_to_noise(noise, noise) == np.inf).all()
    silent = noise * [[[1]], [[0]], [[1]]]
    with pytest.raises(ValueError, match=r"^originals\[1\] is silent: .* Leave silent"):
        signal_to_noise(noise, silent)
