"""The pitch of tones that are known."""

import warnings

import numpy as np
import pytest

from keras_gen.metrics.sounds.pitch import median_pitch

TIME = np.arange(4096) / 8000


def voice(pitch):
    """Ten harmonics, the first weak: the pitch is what they have in common."""
    levels = np.array([0.1, *np.full(9, 0.08)])
    return np.sin(2 * np.pi * pitch * np.arange(1, 11) * TIME[:, None]) @ levels


@pytest.mark.parametrize("pitch", [70, 125, 210, 380])
def test_the_pitch_of_harmonics_not_of_the_loudest(pitch):
    (found,) = median_pitch(voice(pitch)[None, :, None])
    assert abs(np.log2(found / pitch)) < 0.04  # lags are whole samples
    (quiet,) = median_pitch(voice(pitch)[None, :, None] / 50)
    assert quiet == pytest.approx(found, rel=0.01)


def test_silence_and_noise_have_none(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = median_pitch(np.stack([np.zeros(4096), rng.uniform(-1, 1, 4096)])[..., None])
    assert np.isnan(found).all()


def test_loud_frames_count():
    sound = voice(100)
    sound[2048:] = voice(300)[2048:] / 100
    assert median_pitch(sound[None, :, None])[0] == pytest.approx(100, rel=0.02)
