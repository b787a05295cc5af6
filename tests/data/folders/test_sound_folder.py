"""Folders of sounds: depths, rates, channels, lengths, classes, and files that are refused."""

import os
import struct
import sys
import wave

import numpy as np
import pytest
from scipy.io import wavfile

from keras_gen.data import sound_folder
from keras_gen.files.sounds import read_sound

SINE = 0.5 * np.sin(2 * np.pi * 100 * np.arange(1600) / 8000)  # 100 Hz for 0.2 s


def as_24_bits(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(3)
        file.setframerate(8000)
        values = np.round(samples * 2**23).astype("<i4")
        file.writeframes(values.view("uint8").reshape(-1, 4)[:, :3].tobytes())


@pytest.mark.parametrize(
    ("store", "error"),
    [
        (lambda p: wavfile.write(p, 8000, np.round(128 + 127 * SINE).astype("uint8")), 2**8),
        (lambda p: wavfile.write(p, 8000, np.round(SINE * 2**15).astype("int16")), 1),
        (lambda p: as_24_bits(p, SINE), 1),
        (lambda p: wavfile.write(p, 8000, np.round(SINE * 2**31).astype("int32")), 1),
        (lambda p: wavfile.write(p, 8000, SINE.astype("float32")), 1),
        (lambda p: wavfile.write(p, 8000, np.stack([2 * SINE, 0 * SINE], axis=1)), 1),
    ],
    ids=["8", "16", "24", "32", "float", "stereo"],
)
def test_depths_and_channels(tmp_path, store, error):
    store(tmp_path / "a.wav")
    sound = read_sound(tmp_path / "a.wav", 8000)
    assert sound.shape == (1600, 1) and sound.dtype == np.int16
    np.testing.assert_allclose(sound[:, 0], SINE * 2**15, atol=error)


@pytest.mark.parametrize("rate", [16_000, 44_100, 47_999, 4000])
def test_rates(tmp_path, rate):
    """A tone keeps its pitch, and one above the new half rate disappears."""
    times = np.arange(int(0.2 * rate)) / rate
    wavfile.write(tmp_path / "a.wav", rate, 0.5 * np.sin(2 * np.pi * 100 * times))
    sound = read_sound(tmp_path / "a.wav", 8000)[:1600, 0]
    middle = slice(200, 1400)
    np.testing.assert_allclose(sound[middle] / 2**15, SINE[middle], atol=0.01)
    if rate > 16_000:
        wavfile.write(tmp_path / "b.wav", rate, np.sin(2 * np.pi * 7000 * times))
        assert np.abs(read_sound(tmp_path / "b.wav", 8000)[middle]).max() < 0.01 * 2**15


def test_one_length_and_classes(tmp_path):
    for name, length in (("b/long.WAV", 900), ("a/short.wav", 100), (".hidden.wav", 5)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        wavfile.write(tmp_path / name, 1000, np.full(length, 9, "int16"))
    source = sound_folder(tmp_path, 1000, seconds=0.5, labels=True)
    sounds, labels = source.arrays()
    assert sounds.dtype == np.int16 and sounds.shape == (2, 500, 1)
    assert list((sounds == 9).sum(axis=(1, 2))) == [100, 500] and sounds[0, 99] == 9
    assert source.class_names == ("a", "b") and list(labels) == [0, 1]
    assert sound_folder(tmp_path, 1000).arrays().shape == (2, 900, 1)
    assert source.origin == f"2 sounds of 2 classes, from {tmp_path}"


def test_broken_sounds_are_named_and_left_out(tmp_path):
    for number in range(2):
        wavfile.write(tmp_path / f"{number}.wav", 8000, np.ones(9, "int16"))
    whole = (tmp_path / "0.wav").read_bytes()
    (tmp_path / "half.wav").write_bytes(whole[:30])
    (tmp_path / "law.wav").write_bytes(whole[:20] + struct.pack("<H", 7) + whole[22:])
    (tmp_path / "fast.wav").write_bytes(whole[:24] + struct.pack("<II", 2**30, 2**31) + whole[32:])
    wavfile.write(tmp_path / "loud.wav", 8000, np.array([3.0, 0.0], "float32"))
    wavfile.write(tmp_path / "gap.wav", 8000, np.array([np.nan, 0.0], "float32"))
    wavfile.write(tmp_path / "none.wav", 8000, np.zeros(0, "int16"))
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "c.mp3").write_bytes(b"x")
    with pytest.warns(UserWarning) as warned:
        assert len(sound_folder(tmp_path, 8000, max_broken=0.9)) == 2
    skipped, broken = (str(each.message) for each in warned)
    assert "unsupported types (1) are skipped. Convert them to WAV: c.mp3" in skipped
    for part in (
        "7 of 9 sounds in",
        "half.wav (not a readable WAV file (30 bytes)",
        "MULAW",
        "fast.wav (a sound with 1,073,741,824 samples per second",
        "loud.wav (a sound with absolute values up to 3: expected at most 1",
        "gap.wav (a sound with absolute values up to nan",
        "none.wav (",
        "pipe.wav is a pipe",
    ):
        assert part in broken, (part, broken)
    with (
        pytest.warns(UserWarning, match="c.mp3"),
        pytest.raises(ValueError, match="increase max_broken"),
    ):
        sound_folder(tmp_path, 8000)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(rate=0), ValueError, "^rate is 0: expected an integer from 100 to 768000"),
        (dict(rate=8000.5), TypeError, "^rate is .*: expected an integer"),
        (dict(seconds=0), ValueError, "^seconds "),
        (dict(seconds=float("nan")), ValueError, "^seconds "),
        (dict(seconds="1"), TypeError, "^seconds "),
        (dict(labels=1), TypeError, "^labels is 1: expected True or False"),
        (dict(max_broken=2), ValueError, "number from 0 to 1"),
        (dict(seconds=1e9), ValueError, "need more than 4 GiB: expected fewer or shorter"),
        ({}, ValueError, "^1 of 2 sounds in .* b.wav"),
    ],
)
def test_wrong_arguments_are_one_sentence(tmp_path, arguments, error, says):
    wavfile.write(tmp_path / "a.wav", 8000, np.ones(9, "int16"))
    if not arguments:
        (tmp_path / "b.wav").write_bytes(b"")
    with pytest.raises(error, match=says):
        sound_folder(tmp_path, **{"rate": 8000} | arguments)


def test_folders_without_sounds_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: .* with sounds"):
        sound_folder(tmp_path / "nowhere", 8000)
    (tmp_path / "a.mp3").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match=r"no sounds: .* \.wave, \.flac\. Convert a\.mp3"):
        sound_folder(tmp_path, 8000)


@pytest.mark.parametrize("depth", ["PCM_16", "PCM_24"])
def test_flac_files_contain_the_samples_of_wav_files(tmp_path, monkeypatch, depth):
    soundfile = pytest.importorskip("soundfile")
    wavfile.write(tmp_path / "a.wav", 8000, np.round(SINE * 2**15).astype("int16"))
    soundfile.write(tmp_path / "b.FLAC", SINE, 8000, depth, format="FLAC")
    soundfile.write(tmp_path / "c.flac", np.stack([2 * SINE, 0 * SINE], axis=1), 16_000, depth)
    for seconds in (None, 0.1):
        wav, flac, stereo = sound_folder(tmp_path, 8000, seconds).arrays()
        np.testing.assert_allclose(flac, wav, atol=1)
        assert np.abs(stereo[:700]).max() > 16_000  # half as long, at twice the pitch
    whole = (tmp_path / "c.flac").read_bytes()
    (tmp_path / "b.FLAC").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.flac").write_bytes(b"fLaC")
    monkeypatch.setattr("keras_gen.files.sounds._MOST_SOUND", 2**20)
    soundfile.write(tmp_path / "d.flac", np.zeros(2**20 + 1, "int16"), 8000, depth)
    with pytest.warns(UserWarning) as warned:
        assert len(sound_folder(tmp_path, 8000, max_broken=0.9)) == 1
    for part in (
        f"b.FLAC, c.flac (not a readable FLAC file ({len(whole) // 2} bytes)",
        "d.flac (a sound with 1,048,577 values: expected at most 1,048,576 (pass a smaller",
    ):
        assert part in str(warned[0].message)


def test_flac_files_of_unknown_length_are_refused(tmp_path):
    """As encoders write to a pipe: the header states 0 samples."""
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "a.flac"
    soundfile.write(path, SINE, 8000)
    contents = bytearray(path.read_bytes())
    length = int.from_bytes(contents[18:26], "big")
    contents[18:26] = (length >> 36 << 36).to_bytes(8, "big")
    path.write_bytes(contents)
    for seconds in (None, 0.01, 100.0):
        with pytest.raises(
            ValueError, match=r"does not state its length, .*encode the sound again"
        ):
            read_sound(path, 8000, seconds)
    with pytest.raises(ValueError, match="seconds is 0: expected a positive number"):
        read_sound(path, 8000, 0)


def test_flac_files_need_a_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    wavfile.write(tmp_path / "a.wav", 8000, np.ones(9, "int16"))
    assert len(sound_folder(tmp_path, 8000)) == 1
    (tmp_path / "b.flac").write_bytes(b"fLaC")
    with pytest.raises(ValueError, match=r"b\.flac is a FLAC file, .*keras-generative\[sound\]"):
        sound_folder(tmp_path, 8000)
