"""The pitch of recorded voices."""

from __future__ import annotations

import numpy as np

from keras_gen.files.sounds import as_waveforms

WINDOW = 512
STEP = 128
LOWEST, HIGHEST = 60, 400  # Hz
PERIODIC = 0.6  # correlation with itself from which a frame has a pitch
LOUD = 10**-2.5  # of the energy of the loudest frame


def median_pitch(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns the median pitch of each recording in Hz, 60 to 400, float64 `[n]`.

    A frame's pitch is the first lag whose autocorrelation, divided by that of the window, is within
    a tenth of the largest (Boersma: "Accurate Short-Term Analysis of the Fundamental Frequency and
    the Harmonics-to-Noise Ratio of a Sampled Sound", 1993). Frames that are quiet or not periodic
    are left out; a recording without any other frame has NaN.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`, 512 samples or more.
        rate: Samples a second.

    Example:
        >>> tone = np.sin(2 * np.pi * 125 * np.arange(4000) / 8000)
        >>> median_pitch(tone[None, :, None])
        array([125.])
    """
    sounds = as_waveforms(waveforms)
    frames = np.lib.stride_tricks.sliding_window_view(sounds, WINDOW, axis=1)[:, ::STEP]
    frames = frames - frames.mean(axis=2, keepdims=True)
    energy = np.sum(frames**2, axis=2)
    window = np.hanning(WINDOW)
    correlation = _autocorrelation(frames * window)
    correlation /= _autocorrelation(window)
    correlation /= correlation[..., :1] + 1e-12
    lags = np.arange(rate // HIGHEST, rate // LOWEST + 1)
    found = correlation[..., lags]
    largest = found.max(axis=2, keepdims=True)
    lag = lags[np.argmax(found >= 0.9 * largest, axis=2)]
    voiced = (largest[..., 0] > PERIODIC) & (energy > LOUD * energy.max(axis=1, keepdims=True))
    medians = np.full(len(sounds), np.nan)
    for number, heard in enumerate(voiced):
        if heard.any():
            medians[number] = np.median(rate / lag[number, heard])
    return medians


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    spectra = np.abs(np.fft.rfft(frames, 2 * WINDOW)) ** 2
    return np.fft.irfft(spectra)[..., :WINDOW]
