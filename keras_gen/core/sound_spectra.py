"""Spectra of sounds: short-time Fourier transforms, mel bands, and speech features."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from scipy.fft import dct

from keras_gen.files.sounds import as_waveforms

WINDOW = 256  # samples per window of `spectrogram`
STEP = 64  # samples between consecutive windows
BANDS = 24
CEPSTRA = 13
RANGE = 60.0  # dB between the loudest and the quietest band of a sound
SPEECH = 25.0  # maximum distance of a speech frame from the loudest frame, in dB
LOWEST = 60.0  # lowest frequency in Hz
_SOFTEST = 1e-5  # minimum magnitude in a mel spectrogram


def spectrogram(waveforms: np.ndarray) -> np.ndarray:
    """Returns short-time Fourier magnitudes, computed from 32 ms windows every 8 ms at 8 kHz.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`, with at least 256 samples. A
            wrong dtype raises a TypeError, and other invalid values raise a ValueError.

    Returns:
        Magnitudes, float64 `[n, frames, 129]`, computed with Hann windows. A sine wave of amplitude
        1 has magnitude 1.

    Example:
        >>> spectrogram(np.zeros([2, 512, 1])).shape
        (2, 5, 129)
    """
    sounds = as_waveforms(waveforms)
    if sounds.shape[1] < WINDOW:
        raise ValueError(f"Sounds have {sounds.shape[1]} samples: expected at least {WINDOW}.")
    frames = np.lib.stride_tricks.sliding_window_view(sounds, WINDOW, axis=1)[:, ::STEP]
    window = 0.5 - 0.5 * np.cos(
        2 * np.pi * np.arange(WINDOW) / WINDOW
    )  # a Hann window, with the sum WINDOW / 2
    return np.abs(np.fft.rfft(frames * window)) * (4 / WINDOW)


def magnitudes(waveforms: tf.Tensor, window: int, floor: float) -> tf.Tensor:
    """Returns a differentiable spectrogram, `[batch, channels, frames, frequencies]`, for losses.

    Args:
        waveforms: Float32 `[batch, samples, channels]`, padded at the end.
        window: Length of the windows in samples. The hop is a fifth of this length.
        floor: Magnitude whose square is added to the power before the square root, which is not
            differentiable at 0.
    """
    channels = tf.transpose(waveforms, [0, 2, 1])
    spectra = tf.signal.stft(channels, window, max(1, window // 5), pad_end=True)
    # The factor is 4 / window, because the window's sum is half its length, and because only one of
    # the two frequencies of a real sine wave is kept.
    spectra *= 4.0 / window
    power = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
    return tf.sqrt(power + floor**2)


def log_mel(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns the loudness in 24 bands of equal width on the mel scale, in dB, `[n, frames, 24]`.

    The minimum value is 60 dB below the loudest band of the sound.

    Args:
        waveforms: See `spectrogram`.
        rate: Sampling rate, in samples per second.
    """
    power = np.square(spectrogram(waveforms)) @ _mel_bank(rate).T
    decibels = 10 * np.log10(power + 1e-20)
    return np.maximum(decibels, decibels.max(axis=(1, 2), keepdims=True) - RANGE)


def mel_frames(waveforms: tf.Tensor, bands: int, window: int, hop: int, rate: int) -> tf.Tensor:
    """Returns the log-mel spectrogram on which vocoders are conditioned.

    Prenger, Valle, Catanzaro: "WaveGlow: A Flow-based Generative Network for Speech Synthesis",
    ICASSP 2019, sec. 3.1. The magnitudes of Fourier transforms with Hann windows are weighted by
    triangular bands on the mel scale, with a minimum of 1e-5.

    Args:
        waveforms: Float32 `[batch, samples, 1]`, with a multiple of `hop` samples.
        bands: Number of mel bands.
        window: Number of samples per window. Each window is centered on its frame's own `hop`
            samples. The sound is padded with zeros at both ends.
        hop: Number of samples between consecutive frames, at most `window`.
        rate: Sampling rate, in samples per second.

    Returns:
        Log magnitudes, float32 `[batch, samples / hop, bands]`.

    Example:
        >>> mel_frames(tf.zeros([1, 512, 1]), bands=24, window=256, hop=64, rate=8000).shape
        TensorShape([1, 8, 24])
    """
    before = (window - hop) // 2
    around = [[0, 0], [before, window - hop - before]]
    spectra = tf.signal.stft(tf.pad(waveforms[..., 0], around), window, hop, fft_length=window)
    magnitudes = tf.abs(spectra)
    return tf.math.log(tf.maximum(magnitudes @ mel_weights(bands, window, rate), _SOFTEST))


def mel_weights(bands: int, window: int, rate: int) -> tf.Tensor:
    """Returns the weight of each frequency in each mel band, float32 `[window // 2 + 1, bands]`."""
    frequencies = window // 2 + 1
    return tf.signal.linear_to_mel_weight_matrix(bands, frequencies, rate, LOWEST, rate / 2)


def average_spectrum(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns the mean of `log_mel` over speech frames, centered at zero, in dB, `[n, 24]`.

    The spectrum differs between speakers and microphones, and any linear filter changes it.
    """
    bands = log_mel(waveforms, rate)
    means = [own[spoken].mean(axis=0) for own, spoken in zip(bands, speech(bands), strict=True)]
    spectra = np.stack(means)
    return spectra - spectra.mean(axis=1, keepdims=True)


def cepstral_covariance(waveforms: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Returns statistics of the cepstrum's variation over speech frames, float64 `[n, 91]`.

    The statistics are the logarithms of the standard deviations of 13 cepstral coefficients, and
    their correlations. The statistics are invariant to a fixed linear filter, which adds a constant
    to `log_mel` and therefore to the cepstrum.
    """
    pairs = np.triu_indices(CEPSTRA, 1)
    found = []
    for cepstra, spoken in zip(*cepstrum(waveforms, rate), strict=True):
        centered = cepstra[spoken] - cepstra[spoken].mean(axis=0)
        covariance = centered.T @ centered / len(centered)
        deviations = np.sqrt(np.diag(covariance) + 1e-3)
        correlations = covariance / deviations / deviations[:, None]
        found.append(np.concatenate([np.log(deviations), correlations[pairs]]))
    return np.stack(found)


def cepstral_contour(waveforms: np.ndarray, rate: int = 8000, moments: int = 8) -> np.ndarray:
    """Returns the cepstrum of speech at `moments` points in time, float64 `[n, 13 * moments]`.

    The points are evenly spaced from the first to the last frame. The value at each point is the
    mean over three frames.
    """
    found = []
    for cepstra, spoken in zip(*cepstrum(waveforms, rate), strict=True):
        frames = np.flatnonzero(spoken)
        padded = np.pad(cepstra, [[1, 1], [0, 0]], "edge")
        smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
        chosen = np.linspace(frames[0], frames[-1], moments).round().astype(int)
        found.append(smooth[chosen].ravel())
    return np.stack(found)


def speech(bands: np.ndarray) -> np.ndarray:
    """Returns a bool mask `[n, frames]` of `log_mel` frames within 25 dB of the loudest frame."""
    loudness = 10 * np.log10(np.sum(10 ** (bands / 10), axis=-1))
    return loudness >= loudness.max(axis=1, keepdims=True) - SPEECH


def cepstrum(waveforms: np.ndarray, rate: int = 8000) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cepstrum of each frame and a mask of speech frames.

    Args:
        waveforms: See `spectrogram`.
        rate: Sampling rate, in samples per second.

    Returns:
        The first 13 coefficients of the cosine transform of `log_mel`, float64 `[n, frames, 13]`,
        and a bool mask `[n, frames]` (see `speech`).
    """
    bands = log_mel(waveforms, rate)
    return dct(bands, axis=-1, norm="ortho")[..., :CEPSTRA], speech(bands)


def _mel_bank(rate):
    """Returns triangular bands of equal width on the mel scale, `[bands, frequencies]`."""
    ends = 2595 * np.log10(1 + np.array([LOWEST, rate / 2]) / 700)
    edges = 700 * (10 ** (np.linspace(*ends, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(WINDOW, 1 / rate)
    low = edges[:-2, None]
    center = edges[1:-1, None]
    high = edges[2:, None]
    rising = (frequencies - low) / (center - low)
    falling = (high - frequencies) / (high - center)
    return np.maximum(0, np.minimum(rising, falling))
