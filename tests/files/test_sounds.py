"""WAV files, and what is no sound."""

import wave

import numpy as np
import pytest

from keras_gen.core.kinds_of_data.waveform_data import MuLaw, Waveforms
from keras_gen.data import fit_length, from_first_sound, mu_law_levels, to_peak
from keras_gen.files.sounds import as_int16, as_waveforms, of_one_length, read_wav, write_wav

RATE = 8000


def test_there_and_back(tmp_path, rng):
    sounds = rng.integers(-(2**15), 2**15, (3, 100, 1), "int16")
    path = tmp_path / "new" / "sounds.wav"
    for waveforms in (sounds, sounds / 2.0**15, sounds.reshape(-1), sounds.reshape(-1, 1)):
        write_wav(path, waveforms, RATE)
        found = read_wav(path, RATE)
        assert found.dtype == np.int16
        np.testing.assert_array_equal(found, sounds.reshape(-1, 1))
    assert [p.name for p in path.parent.iterdir()] == ["sounds.wav"]


def test_a_file_stays_if_another_cannot_be_written(tmp_path):
    write_wav(tmp_path / "a.wav", np.ones([5], "int16"), RATE)
    with pytest.raises(ValueError, match=r"shape \(5, 2\): expected \[samples\]"):
        write_wav(tmp_path / "a.wav", np.zeros([5, 2], "int16"), RATE)
    with pytest.raises(ValueError, match=r"up to 3: expected floats in \[-1, 1\]; divide"):
        write_wav(tmp_path / "a.wav", np.full([5], 3.0), RATE)
    assert read_wav(tmp_path / "a.wav", RATE).sum() == 5


def written(path, rate=RATE, channels=1, width=2, frames=b"\0\0\0\0"):
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(frames)
    return path


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (dict(rate=16_000), "has 16000 samples a second: expected 8000; resample it"),
        (dict(channels=2), "has 2 channels of 16 bits and 1 samples: expected 1 channel"),
        (dict(width=1), "has 1 channels of 8 bits"),
        (dict(frames=b""), "and 0 samples"),
    ],
)
def test_other_files_are_refused(tmp_path, facts, says):
    with pytest.raises(ValueError, match=says):
        read_wav(written(tmp_path / "a.wav", **facts), RATE)


@pytest.mark.parametrize("missing", [1, 2, 1000])
def test_what_was_cut_off_is_refused(tmp_path, missing):
    write_wav(tmp_path / "a.wav", np.ones([1000], "int16"), RATE)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[:-missing])
    held = (2000 - missing) // 2
    says = f"a.wav holds {held} of the 1000 samples that it should have, so it was cut off: replace"
    with pytest.raises(ValueError, match=says):
        read_wav(tmp_path / "a.wav", RATE)


@pytest.mark.parametrize("rate", [8000.5, 8000.0, 0, -8000, True, "8000", None, 2**31])
def test_rates_are_whole_numbers(tmp_path, rate):
    with pytest.raises(ValueError, match=f"^rate is {rate!r}: expected samples a second, an integ"):
        write_wav(tmp_path / "a.wav", np.ones([5], "int16"), rate)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("contents", [b"", b"no sound", b"RIFF\0\0\0\0WAVE"])
def test_broken_files_are_refused(tmp_path, contents):
    (tmp_path / "a.wav").write_bytes(contents)
    with pytest.raises(ValueError, match=r"a.wav is not a readable WAV file \(.+\): replace it"):
        read_wav(tmp_path / "a.wav", RATE)


def test_what_is_no_sound():
    with pytest.raises(TypeError, match=r"Sounds are int64: expected int16"):
        as_int16(np.zeros([3], "int64"))
    for bad, shown in ((np.nan, "nan"), (np.inf, "inf")):
        with pytest.raises(ValueError, match=f"values up to {shown}: expected"):
            as_int16(np.array([bad]))
    for shape in ((300,), (2, 300, 2), (0, 300)):
        with pytest.raises(ValueError, match=r"Expected waveforms of shape \[n, samples, 1\]"):
            as_waveforms(np.zeros(shape))


RECORDINGS = [np.full([length, 1], 0.5, "float32") for length in (5, 7, 6)]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "call",
    [
        of_one_length,
        as_int16,
        as_waveforms,
        to_peak,
        mu_law_levels,
        MuLaw().as_array,
        Waveforms().as_array,
        lambda sounds: from_first_sound(sounds, 5),
        lambda sounds: write_wav("a.wav", sounds, RATE),
    ],
)
@pytest.mark.parametrize(
    "sounds",
    [
        RECORDINGS,
        tuple(RECORDINGS),
        np.array(RECORDINGS, object),
        [sound[:, 0].tolist() for sound in RECORDINGS],
    ],
    ids=["list", "tuple", "objects", "lists"],
)
def test_recordings_of_several_lengths_have_a_way_out(call, sounds):
    with pytest.raises(ValueError, match=r"have 5 to 7 samples: expected one .* Pad them"):
        call(sounds)
    padded = np.stack([fit_length(each, 7) for each in RECORDINGS])  # as the sentence says
    assert padded.shape == (3, 7, 1) and padded.sum() == 9


def test_recordings_of_one_length_are_an_array():
    for sounds in (RECORDINGS[:1] * 3, np.array([*RECORDINGS[:1] * 3, None], object)[:3]):
        np.testing.assert_array_equal(of_one_length(sounds), np.full([3, 5, 1], 0.5))
