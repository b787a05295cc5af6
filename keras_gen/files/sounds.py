"""Sounds as arrays, and WAV and FLAC files."""

import contextlib
import io
import math
import numbers
import os
import warnings
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from keras_gen.arguments import checked_integer, checked_positive
from keras_gen.files.reading import read_regular
from keras_gen.files.writing import replacing

RATES = (100, 768_000)
"""Minimum and maximum sampling rate of files, in samples per second."""
_MOST_SOUND = 2**28  # maximum bytes of a file, decoded values, and bytes of the result
_UNKNOWN_WAV = 2**31 - 2**16  # minimum size declared by encoders that write WAV to a pipe
_REACH = 0.11  # seconds of a sound that resampling needs: 10 samples at the lowest rate, and one
_UNKNOWN = 2**63 - 1  # soundfile's number of samples for files that do not state it


def read_sound(path: str | os.PathLike, rate: int, seconds: float | None = None) -> np.ndarray:
    """Reads a WAV or FLAC file as mono, int16 `[samples, 1]`.

    WAV files may contain 8-, 16-, 24-, or 32-bit integers, or floats. FLAC files require the
    package soundfile.

    Channels are averaged, and the sound is resampled with a polyphase filter, without aliasing.

    Args:
        path: Path of the file. Neither the file nor the returned array may exceed 256 MiB.
        rate: Sampling rate of the returned sound in samples per second, from 100 to 768,000.
        seconds: Maximum length in seconds; the rest of the file is ignored. If None, there is no
            maximum.

    Raises:
        OSError: If the file cannot be read, or is not a regular file.
        ValueError: If `rate` is out of range, or `seconds` is not positive; if the file is not a
            WAV or FLAC file, uses another type of compression, has an unsupported rate, has no
            samples or too many samples, or contains floats outside of [-1, 1]; or if it is a FLAC
            file that has more than 2**28 values, does not state its length, or requires soundfile.

    Example:
        >>> sound = read_sound("seven.wav", rate=8000)    # doctest: +SKIP
    """
    rate = checked_integer("rate", rate, *RATES)
    if seconds is not None:
        seconds = checked_positive("seconds", seconds)
    samples, found = _decoded(path, None if seconds is None else seconds + _REACH)
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    up, down = _factors(rate, found)
    kept = len(samples[: _count(seconds, found)])
    count = -(-kept * up // down)  # rounded up, as in `resample_poly`
    if 2 * count > _MOST_SOUND:
        raise ValueError(
            f"a sound with {count:,} samples at {rate:,} per second: expected at most "
            f"{_MOST_SOUND // 2:,} (read fewer seconds, or use a lower rate)"
        )
    mono = resample_poly(samples, up, down)[:count]
    return as_int16(np.clip(mono, -1, 1))[:, None]


def _factors(rate: int, found: int) -> tuple[int, int]:
    """Returns small factors for upsampling and downsampling that convert one rate to another.

    At unusual rates, the pitch changes by at most 0.1%.
    """
    if rate < found:
        return _factors(found, rate)[::-1]
    ratio = Fraction(rate, found).limit_denominator(max(1, 1000 * found // rate))
    return ratio.numerator, ratio.denominator


def require_soundfile(path: str | os.PathLike) -> None:
    """Raises a ValueError if the package that reads FLAC files is not installed."""
    try:
        import soundfile  # noqa: F401
    except (ImportError, OSError):  # also raised if the library that it loads is missing
        raise ValueError(
            f"{path} is a FLAC file, which requires the package soundfile: run pip install "
            '"keras-generative[sound]", or convert the file to WAV.'
        ) from None


def _decoded(path: str | os.PathLike, seconds: float | None) -> tuple[np.ndarray, int]:
    """Returns the first seconds of a file as floats in [-1, 1], and its sampling rate."""
    contents = read_regular(path, _MOST_SOUND)
    if Path(path).suffix.lower() == ".flac":
        require_soundfile(path)
        rate, samples = _flac(contents, seconds)
    else:
        with _readable("WAV", contents):
            rate, samples = wavfile.read(io.BytesIO(contents))
            _require_all_samples(contents)
    if not RATES[0] <= rate <= RATES[1]:
        raise ValueError(
            f"a sound with {rate:,} samples per second: expected {RATES[0]} to {RATES[1]:,}"
        )
    if not samples.size:
        raise ValueError("a sound without samples")
    samples = samples[: _count(seconds, rate)]
    if samples.dtype == np.uint8:
        return (samples - 128.0) / 128, rate
    if samples.dtype.kind == "i":  # scipy shifts 24 bits to the upper end of 32 bits
        return samples / -float(np.iinfo(samples.dtype).min), rate
    largest = np.abs(samples).max()
    if not largest <= 1.001:  # this also rejects NaN
        raise ValueError(
            f"a sound with absolute values up to {largest:g}: expected at most 1 (divide by the "
            "maximum)"
        )
    return samples, rate


def _require_all_samples(contents: bytes) -> None:
    """Raises a ValueError if a WAV file ends before the last sample that its header declares."""
    order: Literal["big", "little"] = "big" if contents[:4] == b"RIFX" else "little"
    start = 12
    name = b""
    while name != b"data" and start < len(contents):
        name = contents[start : start + 4]
        size = int.from_bytes(contents[start + 4 : start + 8], order)
        start += 8
        end = start + size
        start = end + size % 2
    if end > len(contents) and size < _UNKNOWN_WAV:
        raise ValueError(
            f"the file's format declares {size:,} bytes of samples, but the file is truncated"
        )


def _flac(contents: bytes, seconds: float | None) -> tuple[int, np.ndarray]:
    """Returns the sampling rate of a FLAC file, and its first seconds as floats in [-1, 1]."""
    import soundfile

    with _readable("FLAC", contents):
        file = soundfile.SoundFile(io.BytesIO(contents))
    with file:
        # The length is checked, because even a small file can contain hours of silence.
        if file.frames == _UNKNOWN:
            raise ValueError(
                "the FLAC file does not state its length, probably because an encoder wrote it "
                "to a pipe (encode the sound again, and write it to a file)"
            )
        frames = min(file.frames, _count(seconds, file.samplerate) or file.frames)
        if frames * file.channels > _MOST_SOUND:
            raise ValueError(
                f"a sound with {frames * file.channels:,} values: expected at most "
                f"{_MOST_SOUND:,} (pass a smaller number of seconds)"
            )
        with _readable("FLAC", contents):
            samples = file.read(frames)
            if len(samples) < frames:
                raise ValueError("the file is truncated")
    return file.samplerate, samples


def _count(seconds: float | None, rate: int) -> int | None:
    """Returns the maximum number of samples to read, or None."""
    return None if seconds is None else max(1, math.ceil(seconds * rate))


@contextlib.contextmanager
def _readable(kind: str, contents: bytes) -> Iterator[None]:
    """Turns the errors of decoders into a ValueError, and hides their warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hides warnings about other chunks, such as titles
            yield
    except Exception as error:  # broken files raise many types of errors
        reason = f": {error}".rstrip(".").replace("\n", " ") if "format" in str(error) else ""
        raise ValueError(
            f"not a readable {kind} file ({len(contents)} bytes){reason[:200]}"
        ) from error


def of_one_length(waveforms: Any) -> Any:
    """Converts a list of recordings to a single array; other values are unchanged.

    Raises:
        ValueError: If the recordings differ in length.

    Example:
        >>> of_one_length([[0.1, 0.2], [0.3, 0.4]]).shape
        (2, 2)
    """
    if (
        not isinstance(waveforms, list | tuple)
        and str(getattr(waveforms, "dtype", "")) != "object"
    ):
        return waveforms
    lengths = {len(each) for each in waveforms if np.ndim(each) in (1, 2)}
    if len(lengths) > 1:
        raise ValueError(
            f"The recordings have {min(lengths)} to {max(lengths)} samples: expected equal "
            "lengths. Pad them with zeros: np.stack([keras_gen.data.fit_length(each, "
            f"{max(lengths)}) for each in recordings])."
        )
    return np.array(list(waveforms))


def as_int16(waveforms: np.ndarray) -> np.ndarray:
    """Converts sounds to int16: int16 is unchanged, and floats in [-1, 1] are scaled by 32,768.

    Raises:
        TypeError: If the sounds have an unsupported dtype.
        ValueError: If floats are not finite or are far outside of [-1, 1], or if sounds differ in
            length.

    Example:
        >>> as_int16(np.array([0.5, -1.0]))
        array([ 16384, -32768], dtype=int16)
    """
    waveforms = np.asarray(of_one_length(waveforms))
    if waveforms.dtype.newbyteorder("=") == np.int16:
        return waveforms.astype(np.int16, copy=False)
    if waveforms.dtype.kind != "f":
        raise TypeError(
            f"Sounds have dtype {waveforms.dtype}: expected int16, or floats in [-1, 1]."
        )
    largest = np.abs(waveforms).max(initial=0)
    if not largest <= 1.001:  # allows for rounding by decoders, and also rejects NaN
        raise ValueError(
            f"Sounds have absolute values up to {largest:g}: expected floats in [-1, 1]. "
            "Divide by the maximum, or use keras_gen.data.to_peak."
        )
    scaled = np.round(waveforms * np.float32(2**15))  # float16 cannot represent 2**15 - 1
    return np.clip(scaled, -(2**15), 2**15 - 1).astype(np.int16)


def as_waveforms(waveforms: np.ndarray) -> np.ndarray:
    """Returns mono sounds as floats in [-1, 1], float64 `[n, samples]`.

    Args:
        waveforms: Sounds, int16 or floats in [-1, 1], `[n, samples]` or `[n, samples, 1]`. Another
            dtype raises a TypeError; other invalid values raise a ValueError.
    """
    waveforms = np.asarray(of_one_length(waveforms))
    flat = waveforms[..., 0] if waveforms.ndim == 3 and waveforms.shape[-1] == 1 else waveforms
    if flat.ndim != 2 or not flat.size:
        raise ValueError(
            f"waveforms has shape {list(waveforms.shape)}: expected [n, samples, 1]."
        )
    return as_int16(flat) / 2.0**15


def write_wav(path: str | Path, waveforms: np.ndarray, rate: int) -> None:
    """Writes sounds as a 16-bit WAV file, completely or not at all.

    Args:
        path: Path of the file, which is replaced if it exists.
        waveforms: One sound, `[samples]` or `[samples, 1]`, or several sounds to write in sequence,
            `[n, samples, 1]`. Another shape raises a ValueError. The dtype is int16, or floats in
            [-1, 1]; another dtype raises a TypeError.
        rate: Sampling rate in samples per second, an integer from 1 to 2**31 - 1. Other values
            raise a ValueError.

    Example:
        >>> write_wav("seven.wav", model.decode(codes, 3), rate=8000)    # doctest: +SKIP
    """
    sounds = as_int16(waveforms)
    if sounds.ndim not in (1, 2, 3) or (sounds.ndim > 1 and sounds.shape[-1] != 1):
        raise ValueError(
            f"Sounds have shape {sounds.shape}: expected [samples], [samples, 1], or [n, samples, "
            "1], with a single channel."
        )
    whole = isinstance(rate, numbers.Integral) and not isinstance(rate, bool)
    if not whole or not 1 <= rate < 2**31:
        raise ValueError(
            f"rate is {rate!r}: expected samples per second, an integer from 1 to 2**31 - 1, "
            "such as 8000."
        )
    with replacing(path) as file, wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(sounds.astype("<i2").tobytes())
