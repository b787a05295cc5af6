"""Metrics of sounds, by tones whose distances are known."""

import warnings

import numpy as np
import pytest

from keras_gen.data.offline import offline_voices
from keras_gen.data.transforms.waveforms import to_peak
from keras_gen.metrics import (
    SpeechProbes,
    conversion_report,
    log_spectral_distance,
    signal_to_noise,
    vocoding_report,
)
from keras_gen.metrics.sounds import median_pitch
from keras_gen.workshop.baselines import Equalizer, FrameCodebook, NearestUnits

SPEAKERS = ("speaker", "speaker_by_covariance")


@pytest.fixture(scope="module")
def recorded():
    """Recordings to train on, and to test: waveforms, voices, digits."""
    waveforms, voices, digits, takes = offline_voices(2048)
    waveforms, test = to_peak(waveforms[..., None]), takes < 5
    return tuple(tuple(a[part] for a in (waveforms, voices, digits)) for part in (~test, test))


@pytest.fixture(scope="module")
def probes(recorded):
    return SpeechProbes(*recorded[0])


@pytest.mark.thorough
def test_probes_hear_voices_and_words(recorded, probes):
    waveforms, voices, digits = recorded[1]
    found = probes.accuracies(waveforms, voices, digits)
    assert set(found) == {*SPEAKERS, "word"}
    assert min(found.values()) > 80
    quiet = probes.accuracies(waveforms // 8, voices, digits)
    assert all(abs(quiet[name] - found[name]) < 8 for name in SPEAKERS)
    wrong = probes.accuracies(waveforms, (voices + 1) % 5, (digits + 3) % 10)
    assert all(wrong[name] <= 100 - found[name] for name in found)


def test_a_filter_fools_the_average_spectrum_alone(recorded, probes):
    waveforms, voices, digits = recorded[1]
    equalizer, targets = Equalizer(*recorded[0][:2]), (voices + 2) % 5
    found = probes.accuracies(equalizer.convert(waveforms, voices, targets), targets, digits)
    assert found["speaker"] > 60 > 40 > found["speaker_by_covariance"]


class Actor:
    """Reconstructs at half the loudness, and says other words in its own recordings' voices."""

    def __init__(self, waveforms, voices, digits):
        self.sounds = {(v, d): w for w, v, d in zip(waveforms, voices, digits, strict=True)}
        self.digits = {w.tobytes(): d for w, d in zip(waveforms, digits, strict=True)}

    def reconstruct(self, waveforms, speakers):
        return waveforms / 2.0**16

    def convert(self, waveforms, speakers):
        digits = [self.digits[w.tobytes()] for w in waveforms]
        return np.stack([self.sounds[s, d] for s, d in zip(speakers, digits, strict=True)])


@pytest.mark.thorough
def test_the_report_of_a_perfect_actor(recorded, probes):
    train, test = recorded
    converters = {"filtered": Equalizer(*train[:2]), "units": NearestUnits(*train[:2])}
    codebook = FrameCodebook(train[0], codes=16)
    report = conversion_report(Actor(*test), train, test, converters, codebook)
    own = probes.accuracies(*test)
    spoken = Actor(*test).sounds
    said = np.stack(list(spoken.values()))
    voices, digits = np.array(list(spoken)).T
    perfect = probes.accuracies(said, voices, digits)
    for name, value in own.items():
        assert report[f"{name}_recorded"] == pytest.approx(value)
        assert report[f"{name}_converted"] == pytest.approx(perfect[name], abs=1)
        assert report[f"{name}_reconstructed"] == pytest.approx(value, abs=8)
    for name in SPEAKERS:
        assert report[f"{name}_unconverted"] == pytest.approx((100 - own[name]) / 4)
    # The actor speaks at the pitch of the wanted voice.
    errors = {name: report[f"pitch_error_{name}"] for name in ("recorded", "converted")}
    assert max(errors.values()) < report["pitch_error_unconverted"] / 2
    assert report["pitch_error_filtered"] > report["pitch_error_unconverted"] / 2
    assert report["pitch_error_reconstructed"] == pytest.approx(errors["recorded"], abs=0.01)
    assert report["word_unconverted"] == pytest.approx(own["word"])
    assert report["signal_to_noise"] == pytest.approx(20 * np.log10(2), rel=1e-3)
    assert 2 < report["log_spectral_distance"] < 20 * np.log10(2)
    assert report["signal_to_noise_frames"] > 0 and report["log_spectral_distance_frames"] > 0


@pytest.mark.thorough
def test_the_report_on_vocoders_that_are_known(recorded):
    """Of the recordings themselves at half the loudness, and of those of other words."""
    waveforms, _, _ = recorded[1]
    softer = waveforms / 2.0**16
    others = np.roll(waveforms, 1, axis=0)
    found = vocoding_report(*recorded, {"softer": softer, "others": others})
    assert abs(found["word_softer"] - found["word_recorded"]) < 8
    # The floor of the magnitudes makes what is soft differ by less.
    assert 2 < found["log_spectral_distance_softer"] < 20 * np.log10(2)
    assert found["log_spectral_distance_others"] > 8


@pytest.fixture
def noise(rng):
    return rng.normal(0, 0.25, (3, 1024, 1)).clip(-1, 1)


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


@pytest.mark.parametrize("rate", [1000, 7999, 8000, 11_025, 16_000, 44_100])
@pytest.mark.parametrize("pitch", [60, 62, 100, 125, 133, 210, 320, 399, 400])
def test_the_pitch_of_sines(pitch, rate):
    """At the peak of their correlation, and not where it is nine tenths as high."""
    tone = np.sin(2 * np.pi * pitch * np.arange(rate // 5) / rate)
    (found,) = median_pitch(tone[None, :, None], rate)
    assert abs(np.log2(found / pitch)) < 0.01


def test_silence_and_noise_have_none(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = median_pitch(np.stack([np.zeros(4096), rng.uniform(-1, 1, 4096)])[..., None])
    assert np.isnan(found).all()


def test_loud_frames_count():
    sound = voice(100)
    sound[2048:] = voice(300)[2048:] / 100
    assert median_pitch(sound[None, :, None])[0] == pytest.approx(100, rel=0.02)
