"""Sounds from mel spectrograms without a model of sounds."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer, checked_seed
from keras_gen.core.kinds_of_data import LogMel
from keras_gen.core.sound_spectra import mel_weights

_SMALLEST = 1e-8  # magnitude, below which a phase means nothing


def griffin_lim(
    mel: np.ndarray, window: int, hop: int, rate: int, rounds: int = 60, seed: int = 0
) -> np.ndarray:
    """Returns sounds whose mel spectrograms are near the given ones, by a search for the phases.

    Griffin, Lim: "Signal Estimation from Modified Short-Time Fourier Transform", IEEE Transactions
    on Acoustics, Speech, and Signal Processing 1984: phases are those of the sound of the round
    before, random ones at first. The magnitudes of the frequencies are those of least squares from
    the bands, no less than 0.

    Args:
        mel: Frames as of `keras_gen.core.sound_spectra.mel_frames`, float32 `[n, frames, bands]`.
        window: Samples of a frame, as there.
        hop: Samples from one frame to the next, at most half of `window`.
        rate: Samples a second.
        rounds: How often phases are computed anew, 1 or more.
        seed: Seed of the first phases.

    Returns:
        Float32 `[n, frames * hop, 1]`, in [-1, 1].

    Example:
        >>> griffin_lim(np.zeros([2, 8, 24], "float32"), window=256, hop=64, rate=8000).shape
        (2, 512, 1)
    """
    checked_integer("rounds", rounds, minimum=1)
    if not 0 < 2 * hop <= window:
        raise ValueError(f"Frames of {window} samples every {hop}: expected twice as long ones.")
    mel = LogMel(mel.shape[1:], "mel").prepare(mel).numpy()
    weights = mel_weights(mel.shape[-1], window, rate).numpy()
    magnitudes = np.maximum(np.exp(mel) @ np.linalg.pinv(weights), 0).astype("complex64")
    phases = np.random.default_rng(checked_seed(seed)).uniform(-np.pi, np.pi, magnitudes.shape)
    phases = np.exp(1j * phases).astype("complex64")
    inverse_window = tf.signal.inverse_stft_window_fn(hop)
    for _ in range(rounds):
        spectra = tf.constant(magnitudes * phases)
        sounds = tf.signal.inverse_stft(spectra, window, hop, window, inverse_window)
        found = tf.signal.stft(sounds, window, hop, window).numpy()
        phases = found / np.maximum(np.abs(found), _SMALLEST)
    before = (window - hop) // 2
    cut = sounds[:, before : before + mel.shape[1] * hop, None]
    return np.clip(cut.numpy(), -1.0, 1.0)
