"""WAV files, and what is no sound."""

import numpy as np
import pytest

from keras_gen.core.kinds_of_data.waveform_data import MuLaw, Waveforms
from keras_gen.data import fit_length, from_first_sound, mu_law_levels, to_peak
from keras_gen.files.sounds import as_int16, as_waveforms, of_one_length, read_sound, write_wav
from shared import samples_of

RATE = 8000


def test_there_and_back(tmp_path, rng):
    sounds = rng.integers(-(2**15), 2**15, (3, 100, 1), "int16")
    path = tmp_path / "new" / "sounds.wav"
    for waveforms in (sounds, sounds / 2.0**15, sounds.reshape(-1), sounds.reshape(-1, 1)):
        write_wav(path, waveforms, RATE)
        found = samples_of(path, RATE)
        np.testing.assert_array_equal(found, sounds.ravel())
    assert [p.name for p in path.parent.iterdir()] == ["sounds.wav"]


def test_a_file_stays_if_another_cannot_be_written(tmp_path):
    write_wav(tmp_path / "a.wav", np.ones([5], "int16"), RATE)
    with pytest.raises(ValueError, match=r"shape \(5, 2\): expected \[samples\]"):
        write_wav(tmp_path / "a.wav", np.zeros([5, 2], "int16"), RATE)
    with pytest.raises(ValueError, match=r"up to 3: expected floats in \[-1, 1\]. Divide"):
        write_wav(tmp_path / "a.wav", np.full([5], 3.0), RATE)
    assert samples_of(tmp_path / "a.wav", RATE).sum() == 5


@pytest.mark.parametrize("rate", [8000.5, 8000.0, 0, -8000, True, "8000", None, 2**31])
def test_rates_are_whole_numbers(tmp_path, rate):
    with pytest.raises(
        ValueError, match=f"^rate is {rate!r}: expected samples per second, an integ"
    ):
        write_wav(tmp_path / "a.wav", np.ones([5], "int16"), rate)
    assert not list(tmp_path.iterdir())


RESAMPLED = [(192_000, 100), (192_000, 192), (768_000, 300), (44_100, 16_000), (100, 44_100)]


@pytest.mark.parametrize("found,rate", RESAMPLED)
def test_a_sound_keeps_its_length_in_seconds(tmp_path, found, rate):
    write_wav(tmp_path / "a.wav", np.ones([2 * found], "int16"), found)
    assert len(read_sound(tmp_path / "a.wav", rate)) == pytest.approx(2 * rate, rel=2e-3)


@pytest.mark.parametrize(
    "found,rate", [(44_100, 8000), (8000, 44_100), (8000, 8000), (48_000, 100), (100, 8000)]
)
def test_the_first_seconds_are_those_of_the_whole_sound(tmp_path, found, rate):
    wave = 16_384 * np.sin(2 * np.pi * 440 * np.arange(2 * found) / found)
    write_wav(tmp_path / "a.wav", wave.astype("int16"), found)
    first = read_sound(tmp_path / "a.wav", rate, seconds=0.123)
    assert len(first) == pytest.approx(0.123 * rate, abs=2 + rate / found)
    whole = read_sound(tmp_path / "a.wav", rate).astype(int)
    np.testing.assert_allclose(first, whole[: len(first)], atol=1)


def test_a_file_whose_resampled_sound_is_too_long(tmp_path):
    write_wav(tmp_path / "a.wav", np.zeros([20_000], "int16"), 100)
    with pytest.raises(ValueError, match=r"^a sound with 153,600,000 samples at 768,000 per s"):
        read_sound(tmp_path / "a.wav", 768_000)
    assert len(read_sound(tmp_path / "a.wav", 768_000, seconds=0.5)) == 384_000


def test_big_endian_numbers_are_numbers():
    sound = np.array([1, -2, 300], ">i2")
    assert as_int16(sound).dtype == np.int16
    np.testing.assert_array_equal(as_int16(sound), [1, -2, 300])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_peak_of_1_is_the_highest_level(dtype):
    np.testing.assert_array_equal(as_int16(np.array([1, -1, 0.25], dtype)), [32767, -32768, 8192])


def test_what_is_no_sound():
    with pytest.raises(TypeError, match=r"Sounds have dtype int64: expected int16"):
        as_int16(np.zeros([3], "int64"))
    for bad, shown in ((np.nan, "nan"), (np.inf, "inf")):
        with pytest.raises(ValueError, match=f"values up to {shown}: expected"):
            as_int16(np.array([bad]))
    for shape in ((300,), (2, 300, 2), (0, 300)):
        with pytest.raises(ValueError, match=r"waveforms has shape .*: expected \[n, samples, 1\]"):
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
    with pytest.raises(ValueError, match=r"have 5 to 7 samples: expected equal .* Pad them"):
        call(sounds)
    padded = np.stack([fit_length(each, 7) for each in RECORDINGS])  # as the sentence says
    assert padded.shape == (3, 7, 1) and padded.sum() == 9


def test_recordings_of_one_length_are_an_array():
    for sounds in (RECORDINGS[:1] * 3, np.array([*RECORDINGS[:1] * 3, None], object)[:3]):
        np.testing.assert_array_equal(of_one_length(sounds), np.full([3, 5, 1], 0.5))


@pytest.mark.parametrize("other", ["", "a chunk before the samples"])
@pytest.mark.parametrize("cut", [1, 2, 800])
def test_a_file_that_ends_before_its_samples(tmp_path, cut, other):
    path = tmp_path / "a.wav"
    write_wav(path, np.ones([1000], "int16"), RATE)
    whole = path.read_bytes()
    if other:
        chunk = b"LIST" + (3).to_bytes(4, "little") + b"abc\0"
        whole = whole[:36] + chunk + whole[36:]
    path.write_bytes(whole + b"LIST")  # a chunk after the samples may be truncated
    assert read_sound(path, RATE).sum() == 1000
    path.write_bytes(whole[:-cut])
    with pytest.raises(ValueError, match="not a readable WAV file"):
        read_sound(path, RATE)
    # Encoders that write to a pipe do not know the number of samples.
    start = whole.index(b"data") + 4
    path.write_bytes(whole[:start] + (2**32 - 1).to_bytes(4, "little") + whole[start + 4 : -800])
    assert read_sound(path, RATE).sum() == 600
