"""Spectra of sounds, and features of them by which speakers and words are told apart."""

from __future__ import annotations

import numpy as np
from scipy.fft import dct

from keras_gen.media.sounds import WINDOW, spectrogram

BANDS, CEPSTRA = 24, 13
RANGE = 60.0  # dB below the loudest band of a sound, where it ends
SPEECH = 25.0  # dB below the loudest frame, where speech ends
LOWEST = 60.0  # Hz


def log_mel(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns how loud sounds are in 24 bands of equal width on the mel scale.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`.
        rate: Samples a second.

    Returns:
        Float64 dB `[n, frames, bands]`, 60 below the loudest band of each sound at least.

    Raises:
        TypeError: If the dtype is another.
        ValueError: If the shape or the values are others.

    Example:
        >>> log_mel(np.ones([2, 512, 1])).shape
        (2, 5, 24)
    """
    power = np.square(spectrogram(waveforms)) @ _bank(rate).T
    decibels = 10 * np.log10(power + 1e-20)
    return np.maximum(decibels, decibels.max(axis=(1, 2), keepdims=True) - RANGE)


def average_spectrum(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns the mean of `log_mel` while somebody speaks, relative to its own mean.

    A speaker and a microphone can be told by it, and a linear filter changes it at will.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`.
        rate: Samples a second.

    Returns:
        Float64 dB `[n, 24]`.

    Example:
        >>> average_spectrum(np.ones([2, 512, 1])).shape
        (2, 24)
    """
    bands = log_mel(waveforms, rate)
    mean = np.stack([b[s].mean(axis=0) for b, s in zip(bands, speech(bands), strict=True)])
    return mean - mean.mean(axis=1, keepdims=True)


def cepstral_covariance(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns how the cepstrum varies while somebody speaks: what no filter changes.

    A fixed linear filter adds a constant to `log_mel`, and so to its cosine transform.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`.
        rate: Samples a second.

    Returns:
        Float64 `[n, 91]`: logarithms of the deviations of 13 cepstra, and their correlations.

    Example:
        >>> cepstral_covariance(np.ones([2, 512, 1])).shape
        (2, 91)
    """
    bands = log_mel(waveforms, rate)
    pairs, found = np.triu_indices(CEPSTRA, 1), []
    for cepstra, spoken in zip(_cepstra(bands), speech(bands), strict=True):
        centered = cepstra[spoken] - cepstra[spoken].mean(axis=0)
        covariance = centered.T @ centered / len(centered)
        deviations = np.sqrt(np.diag(covariance) + 1e-3)
        correlations = covariance / deviations / deviations[:, None]
        found.append(np.concatenate([np.log(deviations), correlations[pairs]]))
    return np.stack(found)


def cepstral_contour(waveforms: np.ndarray, rate: int = 8000, moments: int = 8) -> np.ndarray:
    """Returns the cepstrum at some moments between the first and the last that somebody speaks.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`.
        rate: Samples a second.
        moments: How many, at equal distances.

    Returns:
        Float64 `[n, 13 * moments]`: means of three frames.

    Example:
        >>> cepstral_contour(np.ones([2, 512, 1])).shape
        (2, 104)
    """
    bands, found = log_mel(waveforms, rate), []
    for cepstra, spoken in zip(_cepstra(bands), speech(bands), strict=True):
        first, *_, last = np.pad(np.flatnonzero(spoken), [0, 1], "edge")
        padded = np.pad(cepstra, [[1, 1], [0, 0]], "edge")
        smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
        chosen = np.linspace(first, last, moments).round().astype(int)
        found.append(smooth[chosen].ravel())
    return np.stack(found)


def speech(bands: np.ndarray) -> np.ndarray:
    """Returns in which frames somebody speaks: those within 25 dB of the loudest.

    Args:
        bands: dB `[n, frames, bands]`, as of `log_mel`.

    Returns:
        Bool `[n, frames]`, in every sound at least one.
    """
    loudness = 10 * np.log10(np.sum(10 ** (bands / 10), axis=-1))
    return loudness >= loudness.max(axis=1, keepdims=True) - SPEECH


def _cepstra(bands):
    return dct(bands, axis=-1, norm="ortho")[..., :CEPSTRA]


def _bank(rate):
    """Triangles of equal width on the mel scale, `[bands, frequencies]`."""
    ends = 2595 * np.log10(1 + np.array([LOWEST, rate / 2]) / 700)
    edges = 700 * (10 ** (np.linspace(*ends, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(WINDOW, 1 / rate)
    low, center, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - low) / (center - low), (high - frequencies) / (high - center)
    return np.maximum(0, np.minimum(rising, falling))
