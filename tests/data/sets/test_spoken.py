"""Spoken digits: names, parts, and the voices that take their place."""

import numpy as np
import pytest

from keras_gen.data import DataUnavailable, Source, spoken_digits
from keras_gen.data.offline import offline_voices
from keras_gen.data.offline.voices import VOICES
from keras_gen.data.sets import spoken


def test_the_take_decides_the_part(monkeypatch):
    files = [f"{digit}_{name}_{take}.wav" for digit in (3, 0) for name in "ba" for take in (4, 12)]
    audio = np.arange(8)[:, None] - np.array([[20, 40, 4]])

    def load(name, part, size, features):
        assert (name, part, size) == ("spoken_digit", "train", 3)
        digits = np.array([int(file[0]) for file in files])
        return Source((audio, digits, np.array(files)), origin="digits, split train, from there")

    monkeypatch.setattr(spoken, "load_tfds", load)
    data = spoken_digits(3)
    assert data.speakers == ("a", "b") and data.warning == ""
    for part, rows in ((data.test, [0, 2, 4, 6]), (data.train, [1, 3, 5, 7])):
        waveforms, who, digits = part.arrays()
        assert waveforms.dtype == np.int16 and waveforms.shape == (4, 3, 1)
        assert who.tolist() == [1, 0, 1, 0] and digits.tolist() == [3, 3, 0, 0]
        scaled = audio[rows] / np.abs(audio[rows]).max(axis=1, keepdims=True)
        np.testing.assert_allclose(waveforms[..., 0] / (0.9 * 2**15), scaled, atol=1e-4)
    assert data.describe()["test"] == "4 examples: digits, split train, from there"


def test_without_network_voices_take_their_place(monkeypatch):
    def unavailable(*args, **kwargs):
        raise DataUnavailable("no network here")

    monkeypatch.setattr(spoken, "load_tfds", unavailable)
    data = spoken_digits(256)
    assert data.warning == "OFFLINE SAMPLE instead of the real data: no network here"
    assert data.speakers == VOICES and "synthetic voices" in data.train.origin
    for part in (data.train, data.test):
        waveforms, who, digits = part.arrays()
        assert waveforms.shape == (250, 256, 1) and np.abs(waveforms).max() == round(0.9 * 2**15)
        pairs = {(int(w), int(d)) for w, d in zip(who, digits, strict=True)}
        assert len(pairs) == 50 and pairs == {(w, d) for w in range(5) for d in range(10)}


def test_voices_have_their_pitch():
    """The first peak of the autocorrelation is one period of the voice."""
    waveforms, voices, _, takes = offline_voices(2048)
    assert waveforms.dtype == np.float32 and np.isfinite(waveforms).all()
    for voice, pitch in ((2, 85), (3, 240)):
        for waveform in waveforms[(voices == voice) & (takes == 0)]:
            power = np.abs(np.fft.rfft(waveform, 4096)) ** 2
            correlation = np.fft.irfft(power)
            lags = np.arange(8000 // 330, 8000 // 60)
            found = 8000 / lags[correlation[lags].argmax()]
            # Its period, or two of them.
            assert min(abs(found * k / pitch - 1) for k in (1, 2)) < 0.2
    again = offline_voices(2048)[0]
    np.testing.assert_array_equal(waveforms, again)
    assert (offline_voices(2048, seed=1)[0] != waveforms).any()


@pytest.mark.data
def test_real_recordings(shared_data):
    data = spoken_digits(4096)
    assert data.speakers == ("george", "jackson", "nicolas", "theo", "yweweler")
    for part in (data.train, data.test):
        waveforms, who, digits = part.arrays()
        assert waveforms.shape == (250, 4096, 1)
        assert np.bincount(who).tolist() == [50] * 5 and np.bincount(digits).tolist() == [25] * 10
