"""How far sounds are from their originals."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.core.sound_spectra import spectrogram
from keras_gen.files.sounds import as_waveforms
from keras_gen.metrics.metric_arguments import as_numbers

FLOOR = 1e-3  # of magnitudes: 60 dB below a sine wave of amplitude 1
AUDIBLE = 40.0  # dB below the loudest frame


@checked_types
def log_spectral_distance(waveforms: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Distance of log spectra, which ignores phases: float64 `[n]` in dB, from 0.

    For each frame it is the root of the mean squared difference over all frequencies, in dB; then
    the mean over the frames in which the original is within 40 dB of its loudest.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`.
        originals: The same, of one shape and order.

    Example:
        >>> log_spectral_distance(np.ones([1, 512, 1]), np.ones([1, 512, 1]))
        array([0.])
    """
    _require_pairs(waveforms, originals)
    wanted = spectrogram(originals)
    difference = 20 * np.log10((spectrogram(waveforms) + FLOOR) / (wanted + FLOOR))
    distances = np.sqrt(np.mean(np.square(difference), axis=2))
    power = np.sum(np.square(wanted), axis=2)
    audible = power >= power.max(axis=1, keepdims=True) * 10 ** (-AUDIBLE / 10)
    return np.sum(distances * audible, axis=1) / audible.sum(axis=1)


@checked_types
def signal_to_noise(waveforms: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Energy of the originals over that of the differences, float64 `[n]` in dB; phases count.

    It is 0 for silence, and infinite for the original.

    Args:
        waveforms: int16, or floats in [-1, 1], `[n, samples, 1]`.
        originals: The same, of one shape and order, not silent.

    Raises:
        ValueError: If the shapes differ, or an original is silent.

    Example:
        >>> signal_to_noise(np.zeros([1, 512, 1]), np.ones([1, 512, 1]))
        array([0.])
    """
    _require_pairs(waveforms, originals)
    sounds = as_waveforms(waveforms)
    wanted = as_waveforms(originals)
    silent = np.flatnonzero(~wanted.any(axis=1))
    if len(silent):
        raise ValueError(
            f"originals[{silent[0]}] is silent: expected sounds, whose energy is compared with "
            "the noise. Leave silent recordings out."
        )
    with np.errstate(divide="ignore"):
        noise = np.sum(np.square(sounds - wanted), axis=1)
        return 10 * np.log10(np.sum(np.square(wanted), axis=1) / noise)


def _require_pairs(waveforms, originals):
    waveforms = as_numbers(waveforms, "waveforms")
    originals = as_numbers(originals, "originals")
    if np.shape(waveforms) != np.shape(originals):
        raise ValueError(
            f"Waveforms have shape {np.shape(waveforms)} and originals {np.shape(originals)}: "
            "expected the same."
        )
