"""Spectra by their definition, and what filters, loudness and silence do to their features."""

import numpy as np
import pytest
from scipy import signal

from keras_gen.core.sound_spectra import (
    average_spectrum,
    cepstral_contour,
    cepstral_covariance,
    log_mel,
    mel_frames,
    spectrogram,
)

RATE = 8000

FILTER = [0.6, 0.0, 0.35]  # two taps of noticeable shape, short beside a window


@pytest.fixture
def noises(rng):
    """Noise in bursts, whose color and loudness change in time, `[3, 4096]`."""
    time = np.linspace(0, 12, 4096)
    white = rng.normal(size=(3, 4096))
    dull = signal.lfilter([0.3], [1, -0.7], white)
    mixed = dull * (1 + np.sin(time)) + white * (1 + np.cos(1.7 * time))
    return 0.05 * mixed * (1.2 + np.sin(2.3 * time))


def test_a_tone_is_loudest_in_its_band():
    time = np.arange(2048) / 8000
    edges = 700 * (
        10 ** (np.linspace(*2595 * np.log10(1 + np.array([60, 4000]) / 700), 26) / 2595) - 1
    )
    for band in (2, 10, 20):
        tone = 0.5 * np.sin(2 * np.pi * edges[band + 1] * time)
        bands = log_mel(tone[None, :, None])
        assert bands.shape == (1, 29, 24)
        assert (bands[0].argmax(axis=1) == band).all()
        assert np.ptp(bands) == pytest.approx(60)


def test_mel_frames_stand_around_their_own_samples():
    """A click is in the frames whose window covers it, and a tone in its band alone."""
    options = dict(bands=8, window=64, hop=16, rate=8000)
    click = np.zeros([1, 256, 1], "float32")
    click[0, 120] = 1.0
    frames = mel_frames(click, **options).numpy()[0]
    assert frames.shape == (16, 8)
    # Frame k covers the samples from 16 k - 24 to 16 k + 40, where the window is 0 at the start.
    (heard,) = np.nonzero(frames.max(axis=1) > np.log(1e-5) + 1e-3)
    np.testing.assert_array_equal(heard, [6, 7, 8])
    edges = 700 * (
        np.exp(np.linspace(*1127 * np.log(1 + np.array([60, 4000]) / 700), 10) / 1127) - 1
    )
    tone = np.sin(2 * np.pi * edges[6] * np.arange(256) / 8000).astype("float32")
    assert (mel_frames(tone[None, :, None], **options)[0, 2:-2].numpy().argmax(1) == 5).all()
    louder = mel_frames(2 * tone[None, :, None], **options)
    quiet = mel_frames(tone[None, :, None], **options)
    np.testing.assert_allclose((louder - quiet)[0, :, 5], np.log(2), rtol=1e-4)


def test_loudness_shifts_the_bands_and_leaves_the_features(noises):
    quiet = 0.125 * noises
    np.testing.assert_allclose(log_mel(noises) - log_mel(quiet), 20 * np.log10(8), atol=0.2)
    for feature in (average_spectrum, cepstral_covariance):
        np.testing.assert_allclose(feature(noises), feature(quiet), atol=0.05)
    # Its cepstra but the first of each moment, which is the loudness.
    loud, less = (cepstral_contour(x).reshape(3, 8, 13) for x in (noises, quiet))
    np.testing.assert_allclose(loud[..., 1:], less[..., 1:], atol=0.3)
    np.testing.assert_allclose(loud[..., 0] - less[..., 0], 20 * np.log10(8) * 24**0.5, atol=0.3)


def test_a_filter_adds_its_response_to_the_average_spectrum(noises):
    filtered = signal.lfilter(FILTER, [1], noises)
    frequencies, response = signal.freqz(FILTER, fs=8000)
    decibels = 20 * np.log10(np.abs(response))
    edges = 700 * (
        10 ** (np.linspace(*2595 * np.log10(1 + np.array([60, 4000]) / 700), 26) / 2595) - 1
    )
    wanted = np.interp(edges[1:-1], frequencies, decibels)
    change = average_spectrum(filtered) - average_spectrum(noises)
    np.testing.assert_allclose(change, np.tile(wanted - wanted.mean(), [3, 1]), atol=0.7)
    assert np.ptp(wanted) > 8


def test_no_filter_changes_the_covariance(noises):
    own, filtered = (cepstral_covariance(x) for x in (noises, signal.lfilter(FILTER, [1], noises)))
    other = cepstral_covariance(noises[[1, 2, 0]])
    assert own.shape == (3, 91)
    assert np.abs(filtered - own).mean() < 0.15 * np.abs(other - own).mean()
    assert np.abs(own[:, 13:]).max() <= 1


def test_the_contour_ignores_where_silence_is(noises):
    early, late = (
        cepstral_contour(np.pad(noises, [[0, 0], pad])) for pad in ([320, 640], [640, 320])
    )
    assert early.shape == (3, 104)
    np.testing.assert_allclose(early, late, atol=1e-9)
    assert np.abs(early - early[[1, 2, 0]]).mean() > 1
    assert cepstral_contour(noises, moments=3).shape == (3, 39)


def test_silence_has_features_too():
    for feature in (average_spectrum, cepstral_covariance, cepstral_contour):
        found = feature(np.zeros([2, 512, 1], "int16"))
        assert np.isfinite(found).all()


def test_a_sine_of_amplitude_1_has_magnitude_1():
    time = np.arange(512) / RATE
    sines = [amplitude * np.sin(2 * np.pi * 1000 * time) for amplitude in (1.0, 0.25)]
    found = spectrogram(np.stack(sines)[..., None])
    assert found.shape == (2, 5, 129)
    # 1,000 Hz are frequency 32 of 256; a Hann window spreads half of it to both sides.
    np.testing.assert_allclose(found[0, :, 31:34], np.tile([0.5, 1, 0.5], [5, 1]), atol=1e-3)
    np.testing.assert_allclose(found[1, :, 31:34], np.tile([0.125, 0.25, 0.125], [5, 1]), atol=1e-3)
    assert found[:, :, [*range(29), *range(36, 129)]].max() < 1e-3


def test_a_sound_shorter_than_a_window():
    with pytest.raises(ValueError, match="Sounds have 255 samples: expected at least 256"):
        spectrogram(np.zeros([2, 255, 1]))
