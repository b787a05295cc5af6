"""The pitch of recorded voices."""

from __future__ import annotations

import numpy as np

from keras_gen.arguments import checked_integer
from keras_gen.files.sounds import as_waveforms

WINDOW, STEP = 0.064, 0.016  # seconds
LOWEST, HIGHEST = 60, 400  # Hz
PERIODIC = 0.6  # correlation with itself from which a frame has a pitch
LOUD = 10**-2.5  # of the energy of the loudest frame


def median_pitch(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns the median pitch of each recording in Hz, 60 to 400, float64 `[n]`.

    A frame's period is the first peak of its autocorrelation, divided by that of the window, that
    is within a tenth of the highest peak (Boersma: "Accurate Short-Term Analysis of the Fundamental
    Frequency and the Harmonics-to-Noise Ratio of a Sampled Sound", 1993). A parabola through three
    lags finds its place between them. Frames that are quiet or not periodic are left out; a
    recording without any other frame has NaN.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`, of 0.064 seconds or more.
        rate: Samples a second, 1,000 or more.

    Raises:
        ValueError: If they are shorter, or the rate is too low.

    Example:
        >>> tone = np.sin(2 * np.pi * 125 * np.arange(4000) / 8000)
        >>> median_pitch(tone[None, :, None]).round(1)
        array([125.])
    """
    rate = checked_integer("rate", rate, minimum=1000)
    size = round(WINDOW * rate)
    sounds = as_waveforms(waveforms)
    if sounds.shape[1] < size:
        raise ValueError(f"Sounds have {sounds.shape[1]} samples: expected {size} or more.")
    frames = np.lib.stride_tricks.sliding_window_view(sounds, size, axis=1)
    frames = frames[:, :: round(STEP * rate)]
    frames = frames - frames.mean(axis=2, keepdims=True)
    energy = np.sum(frames**2, axis=2)
    window = np.hanning(size)
    correlation = _autocorrelation(frames * window)
    correlation /= _autocorrelation(window)
    correlation /= correlation[..., :1] + 1e-12
    lags = np.arange(rate // HIGHEST, rate // LOWEST + 1)
    before, found, after = (correlation[..., lags + step] for step in (-1, 0, 1))
    # On the flank of a peak the correlation is nearly as high, at a lag that is too short.
    peaks = np.where((found > before) & (found >= after), found, -np.inf)
    highest = peaks.max(axis=2, keepdims=True)
    first = np.argmax(peaks >= 0.9 * highest, axis=2)[..., None]
    before, at, after = (
        np.take_along_axis(values, first, axis=2)[..., 0] for values in (before, found, after)
    )
    voiced = (highest[..., 0] > PERIODIC) & (energy > LOUD * energy.max(axis=1, keepdims=True))
    medians = np.full(len(sounds), np.nan)
    for number, heard in enumerate(voiced):
        if heard.any():
            a = before[number, heard]
            b = at[number, heard]
            c = after[number, heard]
            periods = lags[first[number, heard, 0]] + 0.5 * (a - c) / (a - 2 * b + c)
            medians[number] = np.median(np.clip(rate / periods, LOWEST, HIGHEST))
    return medians


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    size = frames.shape[-1]
    spectra = np.abs(np.fft.rfft(frames, 2 * size)) ** 2
    return np.fft.irfft(spectra)[..., :size]
