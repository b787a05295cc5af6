"""How far the spectrograms of waveforms are from those they should have."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from keras_gen.losses.base import per_example_mean

_TINY = 1e-6  # the root of 0 has no gradient


def spectral_loss(
    waveforms: tf.Tensor,
    originals: tf.Tensor,
    windows: Sequence[int] = (80, 200, 400),
    floor: float = 1e-3,
) -> tf.Tensor:
    """Distance of short-time Fourier transforms at several resolutions, in which phases are free.

    Yamamoto, Song, Kim: "Parallel WaveGAN: A fast waveform generation model based on generative
    adversarial networks with multi-resolution spectrogram", ICASSP 2020: the spectral convergence,
    |S - S'| / |S| in Frobenius norms of the magnitudes S, plus the mean of |log S - log S'|; of
    this the mean over the resolutions. By default the windows last 10, 25 and 50 ms at 8,000
    samples a second, as there, and move by a fifth of their length.

    Deviation: a floor is added to the magnitudes, in place of a least value, so that what nobody
    hears does not count, and silence has a gradient.

    Args:
        waveforms: Floats in [-1, 1], `[batch, samples, channels]`.
        originals: The same.
        windows: Lengths of the windows in samples, 5 or more.
        floor: Magnitude that is added (squared, to the square); a sine wave of amplitude 1 has 1.

    Returns:
        Float32 `[batch]`, from 0.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> spectral_loss(tf.zeros([2, 800, 1]), tf.zeros([2, 800, 1]))  # 0
    """
    pair = [tf.cast(sounds, tf.float32) for sounds in (waveforms, originals)]
    if not pair[0].shape.is_compatible_with(pair[1].shape):
        raise ValueError(
            f"Waveforms have shape {pair[0].shape} and originals {pair[1].shape}: expected one "
            "shape."
        )
    losses = []
    for window in windows:
        found, wanted = (_magnitudes(sounds, window, floor) for sounds in pair)
        axes = list(range(1, wanted.shape.rank))
        distance = tf.sqrt(tf.reduce_sum(tf.square(wanted - found), axes) + _TINY**2) - _TINY
        convergence = distance / tf.sqrt(tf.reduce_sum(tf.square(wanted), axes))
        logarithms = per_example_mean(tf.abs(tf.math.log(wanted) - tf.math.log(found)))
        losses.append(convergence + logarithms)
    return tf.add_n(losses) / len(losses)


def _magnitudes(waveforms, window, floor):
    """Of a Hann window, `[batch, channels, frames, frequencies]`."""
    channels = tf.transpose(waveforms, [0, 2, 1])
    spectra = tf.signal.stft(channels, window, max(1, window // 5), pad_end=True)
    # The window's sum is half its length, and of a real sine one of two frequencies is kept.
    spectra *= 4.0 / window
    power = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
    return tf.sqrt(power + floor**2)
