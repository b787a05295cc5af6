"""Cheap codes and conversions of sounds, on sounds that they are made for."""

import numpy as np
import pytest
from scipy import signal

from keras_gen.core.sound_spectra import average_spectrum, mel_frames
from keras_gen.data.offline import offline_voices
from keras_gen.data.transforms.waveforms import to_peak
from keras_gen.metrics import log_spectral_distance
from keras_gen.metrics.sounds import median_pitch
from keras_gen.workshop.baselines import Equalizer, FrameCodebook, NearestUnits, griffin_lim

FRAMES = dict(window=64, hop=16, rate=8000)


@pytest.mark.thorough
def test_the_mel_spectrogram_is_found_again():
    """Of a tone, and the nearer the more rounds."""
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(512) / 8000)
    mel = mel_frames(tone[None, :, None].astype("float32"), bands=16, **FRAMES).numpy()
    errors = []
    for rounds in (1, 60):
        sound = griffin_lim(mel, **FRAMES, rounds=rounds)
        assert sound.shape == (1, 512, 1)
        found = mel_frames(sound, bands=16, **FRAMES).numpy()
        loudest = mel.argmax(axis=-1)[0]
        errors.append(np.abs(found - mel)[0, np.arange(32), loudest][2:-2].mean())
    assert errors[1] < errors[0] and errors[1] < 0.2


def test_a_sound_keeps_its_place_in_time():
    times = np.arange(512)
    burst = np.where(abs(times - 256) < 64, 0.5 * np.sin(np.pi / 4 * times), 0)
    mel = mel_frames(burst[None, :, None].astype("float32"), bands=16, **FRAMES).numpy()
    energy = griffin_lim(mel, **FRAMES, rounds=10)[0, :, 0] ** 2
    center = np.sum(times * energy) / energy.sum()
    assert abs(center - np.sum(times * burst**2) / np.sum(burst**2)) < 8


def test_the_equalizer_gives_noise_the_color_of_another(rng):
    white = rng.normal(0, 0.1, (40, 2048)).clip(-1, 1)
    dark = signal.lfilter([0.4], [1, -0.6], white)
    colors = np.arange(40) // 20
    noises = np.where(colors[:, None] == 0, white, dark)[..., None]
    equalizer = Equalizer(noises, colors)
    converted = equalizer.convert(noises[:20], colors[:20], np.ones(20, int))
    assert converted.shape == (20, 2048, 1) and converted.dtype == np.float32
    np.testing.assert_allclose(np.abs(converted).max(axis=1), 0.9, rtol=1e-5)
    change = (average_spectrum(converted) - average_spectrum(noises[:20])).mean(axis=0)
    wanted = average_spectrum(noises[20:]).mean(axis=0) - average_spectrum(noises[:20]).mean(axis=0)
    np.testing.assert_allclose(change, wanted, atol=0.7)
    same = equalizer.convert(noises, colors, colors)
    peaks = np.abs(noises).max(axis=1, keepdims=True)
    np.testing.assert_allclose(same, 0.9 * noises / peaks, atol=1e-3)


@pytest.mark.thorough
def test_nearest_units_are_pieces_of_the_targets_recordings():
    waveforms, voices, _, takes = offline_voices(2048)
    known = takes >= 5
    units = NearestUnits(to_peak(waveforms[known, :, None]), voices[known])
    test = to_peak(waveforms[~known, :, None])
    targets = (voices[~known] + 1) % 5
    converted = units.convert(test, voices[~known], targets)
    assert converted.shape == test.shape and converted.dtype == np.float32
    np.testing.assert_allclose(np.abs(converted).max(axis=1), 0.9, rtol=1e-5)
    pitches = [np.median(median_pitch(test[voices[~known] == one])) for one in range(5)]
    octaves = np.abs(np.log2(median_pitch(converted) / np.take(pitches, targets)))
    before = np.abs(np.log2(median_pitch(test) / np.take(pitches, targets)))
    assert np.nanmean(octaves) < np.nanmean(before) / 2
    # The target's own recordings come back.
    own = to_peak(waveforms[known, :, None])[:10]
    same = units.convert(own, voices[known][:10], voices[known][:10])
    assert (log_spectral_distance(same, own) < 6).all()


def test_frames_that_are_codes_come_back(rng):
    frames = rng.uniform(-1, 1, (6, 64))
    chosen = rng.integers(0, 6, (5, 8))
    sounds = frames[chosen].reshape(5, 512, 1)
    found = FrameCodebook(sounds, codes=len(np.unique(chosen)), frame=64).reconstruct(sounds)
    np.testing.assert_allclose(found, sounds, atol=1e-4)
    assert found.dtype == np.float32
    fewer = FrameCodebook(sounds, codes=3, frame=64).reconstruct(sounds)
    assert (log_spectral_distance(fewer, sounds) > 1).all()
