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
    assert abs(np.log2(found / pitch)) < 0.01
    (quiet,) = median_pitch(voice(pitch)[None, :, None] / 50)
    assert quiet == pytest.approx(found, rel=0.01)


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100])
@pytest.mark.parametrize("pitch", [62, 100, 125, 133, 210, 320])
def test_the_pitch_of_sines(pitch, rate):
    """At the peak of their correlation, and not where it is nine tenths as high."""
    tone = np.sin(2 * np.pi * pitch * np.arange(rate // 5) / rate)
    (found,) = median_pitch(tone[None, :, None], rate)
    assert abs(np.log2(found / pitch)) < 0.01


def test_rates_and_lengths_that_cannot_be():
    tone = np.sin(np.arange(600))[None, :, None]
    with pytest.raises(ValueError, match="rate must be at least 1000, found 100"):
        median_pitch(tone, 100)
    with pytest.raises(ValueError, match="Sounds have 600 samples: expected 2822 or more"):
        median_pitch(tone, 44_100)


def test_silence_and_noise_have_none(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = median_pitch(np.stack([np.zeros(4096), rng.uniform(-1, 1, 4096)])[..., None])
    assert np.isnan(found).all()


def test_loud_frames_count():
    sound = voice(100)
    sound[2048:] = voice(300)[2048:] / 100
    assert median_pitch(sound[None, :, None])[0] == pytest.approx(100, rel=0.02)
