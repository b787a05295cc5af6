"""How far the spectrograms of waveforms are from those they should have."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.core.sound_spectra import magnitudes
from keras_gen.losses.per_example import per_example_mean
from keras_gen.losses.tensor_arguments import of_tensors

_TINY = 1e-6  # the root of 0 has no gradient


@checked_types
@of_tensors("waveforms", "originals")
def spectral_loss(
    waveforms: tf.Tensor,
    originals: tf.Tensor,
    windows: Sequence[int] = (80, 200, 400),
    floor: float = 1e-3,
) -> tf.Tensor:
    """Distance of Fourier transforms at several resolutions, in which phases are free: `[batch]`.

    Yamamoto, Song, Kim: "Parallel WaveGAN: A fast waveform generation model based on generative
    adversarial networks with multi-resolution spectrogram", ICASSP 2020: the spectral convergence,
    |S - S'| / |S| in Frobenius norms of the magnitudes S, plus the mean of |log S - log S'|, and
    the mean of this over the resolutions. By default the windows last 10, 25 and 50 ms at 8,000
    samples a second, as there. Deviation: a floor is added to the magnitudes, in place of a least
    value, so that inaudible differences do not count, and silence has a gradient.

    Args:
        waveforms: Floats in [-1, 1], `[batch, samples, channels]`.
        originals: The same.
        windows: Lengths of the windows in samples, 5 or more.
        floor: As in `keras_gen.core.sound_spectra.magnitudes`; a sine wave of amplitude 1 has 1.

    Example:
        >>> spectral_loss(tf.zeros([2, 800, 1]), tf.zeros([2, 800, 1]))  # 0
    """
    waveforms = tf.cast(waveforms, tf.float32)
    originals = tf.cast(originals, tf.float32)
    if not waveforms.shape.is_compatible_with(originals.shape):
        raise ValueError(
            f"Waveforms have shape {waveforms.shape} and originals {originals.shape}: expected one "
            "shape."
        )
    losses = []
    for window in windows:
        found = magnitudes(waveforms, window, floor)
        wanted = magnitudes(originals, window, floor)
        axes = list(range(1, wanted.shape.rank))
        distance = tf.sqrt(tf.reduce_sum(tf.square(wanted - found), axes) + _TINY**2) - _TINY
        convergence = distance / tf.sqrt(tf.reduce_sum(tf.square(wanted), axes))
        logarithms = per_example_mean(tf.abs(tf.math.log(wanted) - tf.math.log(found)))
        losses.append(convergence + logarithms)
    return tf.add_n(losses) / len(losses)
