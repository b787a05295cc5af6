"""Spoken digits: names, parts, and the voices that take their place."""

import numpy as np
import pytest

from keras_gen.data import Source, spoken_digits
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


def test_without_network_voices_take_their_place(offline):
    data = spoken_digits(256)
    assert (
        data.warning
        == "Using a small offline sample instead of the real data, because no network here"
    )
    assert data.speakers == VOICES and "synthetic voices" in data.train.origin
    for part in (data.train, data.test):
        waveforms, who, digits = part.arrays()
        assert waveforms.shape == (250, 256, 1) and np.abs(waveforms).max() == round(0.9 * 2**15)
        pairs = {(int(w), int(d)) for w, d in zip(who, digits, strict=True)}
        assert len(pairs) == 50 and pairs == {(w, d) for w in range(5) for d in range(10)}


@pytest.mark.thorough
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


def test_recordings_that_begin_at_the_start(monkeypatch):
    audio = np.zeros([4, 20480], "int64")
    audio[:, 10000:10003] = [7, 0, -5]
    audio[0, 10100] = 900  # is cut off
    files = np.array([f"0_a_{take}.wav" for take in (1, 5, 6, 7)])

    def load(name, part, size, features):
        assert size == 20480
        return Source((audio, np.zeros(4, "int64"), files), origin="digits")

    monkeypatch.setattr(spoken, "load_tfds", load)
    data = spoken_digits(6, align="start")
    for part in (data.train, data.test):
        for waveform in part.arrays()[0][..., 0]:
            peak = 0.9 * 2**15
            np.testing.assert_allclose(waveform, [peak, 0, -peak * 5 / 7, 0, 0, 0], rtol=0.05)
            assert np.abs(waveform).max() == round(peak)
    with pytest.raises(ValueError, match="align is 'end': expected one of middle, start"):
        spoken_digits(6, align="end")


def test_takes_are_held_out(offline):
    data = spoken_digits(256, align="start")
    assert (data.train.arrays()[0][:, 0] != 0).all()
    choice = data.hold_out_takes(2)
    assert len(choice.train) == 150 and len(choice.test) == 100
    assert np.unique(choice.train_takes).tolist() == [5, 6, 7]
    assert choice.warning == data.warning and choice.speakers == data.speakers
    waveforms = data.train.arrays()[0]
    late = data.train_takes >= 8
    np.testing.assert_array_equal(choice.test.arrays()[0], waveforms[late])
    np.testing.assert_array_equal(choice.train.arrays()[0], waveforms[~late])
    assert np.bincount(choice.test.arrays()[1]).tolist() == [20] * 5
    for count in (0, 5):
        with pytest.raises(ValueError, match=f"count is {count}: expected 1 to 4 held-out"):
            data.hold_out_takes(count)


@pytest.mark.thorough
@pytest.mark.data
def test_real_recordings(shared_data):
    data = spoken_digits(4096)
    assert data.speakers == ("george", "jackson", "nicolas", "theo", "yweweler")
    for part in (data.train, data.test):
        waveforms, who, digits = part.arrays()
        assert waveforms.shape == (250, 4096, 1)
        assert np.bincount(who).tolist() == [50] * 5 and np.bincount(digits).tolist() == [25] * 10
