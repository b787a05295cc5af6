"""Distances between the features of images, and between the spectra of waveforms."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_gen.checked_arguments import checked_tensor, checked_types
from keras_gen.core.distribution import global_sum
from keras_gen.core.sound_spectra import magnitudes
from keras_gen.losses.per_example import of_tensors, per_example_mean

EPSILON = 1e-10  # added to squared lengths, because the square root has no derivative at 0


def feature_distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns distances `[batch]` between the feature maps, such as VGG features, of two batches.

    The distances are float32; see Zhang, Isola, Efros, Shechtman, Wang: "The Unreasonable
    Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, eq. (1). At each position of
    each map, the two channel vectors are scaled to length 1, and the squared distance between them
    is computed. These squared distances are averaged over positions and summed over maps. The
    distance for each map is between 0 and 4. Deviation: the weights w, which the paper fits to
    human ratings of distances, are 1 for all channels.

    Args:
        first: Feature map of the first batch, `[batch, ..., channels]`, or a list of feature maps,
            of any float dtype.
        second: Feature maps of the second batch, in the format of `first`.

    Example:
        >>> maps = [tf.random.normal([2, 4, 4, 8]), tf.random.normal([2, 2, 2, 16])]
        >>> feature_distance(maps, maps)  # 0 each
    """
    pairs = zip(_maps("first", first), _maps("second", second), strict=True)
    distances = [tf.reduce_sum(tf.square(_unit(a) - _unit(b)), axis=-1) for a, b in pairs]
    return tf.add_n([per_example_mean(distance) for distance in distances])


@checked_types
@of_tensors("slope", "other")
def slope_ratio(
    slope: tf.Tensor, other: tf.Tensor, delta: float = 1e-6, most: float = 1e4
) -> tf.Tensor:
    """Returns the weight that makes the gradient of a second loss as large as that of a first loss.

    Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021, eq.
    (7). The weight is |slope| / (|other| + delta), a float32 scalar that is identical on all
    replicas and has no gradient. Deviation: the weight is limited to `most`, as in the authors'
    code.

    Args:
        slope: This replica's part of the gradient of the first loss with respect to a kernel.
        other: This replica's part of the gradient of the second loss with respect to the same
            kernel.
        delta: Small number that keeps the ratio finite.
        most: Maximum ratio.

    Example:
        >>> slope_ratio(tf.constant([3.0, 4.0]), tf.constant([0.0, 2.0]))  # 2.5
    """
    lengths = [tf.norm(tf.cast(global_sum(value), tf.float32)) for value in (slope, other)]
    return tf.stop_gradient(tf.minimum(lengths[0] / (lengths[1] + delta), most))


def _maps(name: str, value) -> list[tf.Tensor]:
    maps = [checked_tensor(name, each) for each in keras.tree.flatten(value)]
    if any(each.shape.rank is not None and each.shape.rank < 2 for each in maps):
        shapes = ", ".join(str(each.shape) for each in maps)
        raise ValueError(f"{name} has shapes {shapes}: expected maps [batch, ..., channels].")
    return maps


def _unit(vectors):
    vectors = tf.cast(vectors, tf.float32)
    squares = tf.reduce_sum(tf.square(vectors), axis=-1, keepdims=True)
    return vectors * tf.math.rsqrt(squares + EPSILON)


_TINY = 1e-6  # added, because the square root has no derivative at 0


@checked_types
@of_tensors("waveforms", "originals")
def spectral_loss(
    waveforms: tf.Tensor,
    originals: tf.Tensor,
    windows: Sequence[int] = (80, 200, 400),
    floor: float = 1e-3,
) -> tf.Tensor:
    """Returns the distance between magnitude spectra at several resolutions, `[batch]`.

    Yamamoto, Song, Kim: "Parallel WaveGAN: A fast waveform generation model based on generative
    adversarial networks with multi-resolution spectrogram", ICASSP 2020. The distance at one
    resolution is the spectral convergence, |S - S'| / |S| in Frobenius norms of the magnitudes S,
    plus the mean of |log S - log S'|. The result is averaged over the resolutions. At 8,000 samples
    per second, the default windows last 10, 25, and 50 ms, as in the paper. Deviation: magnitudes
    are not clipped to a minimum; instead, a floor is added to them. Inaudible differences therefore
    have almost no effect, but silence still has a gradient.

    Args:
        waveforms: Waveforms, floats in [-1, 1], `[batch, samples, channels]`.
        originals: Original waveforms, in the format of `waveforms`.
        windows: Window lengths in samples, each at least 5.
        floor: Number added to the magnitudes, as in `keras_gen.core.sound_spectra.magnitudes`,
            where a sine wave of amplitude 1 has magnitude 1.

    Example:
        >>> spectral_loss(tf.zeros([2, 800, 1]), tf.zeros([2, 800, 1]))  # 0
    """
    waveforms = tf.cast(waveforms, tf.float32)
    originals = tf.cast(originals, tf.float32)
    if not waveforms.shape.is_compatible_with(originals.shape):
        raise ValueError(
            f"waveforms has shape {waveforms.shape}, but originals has shape {originals.shape}: "
            "expected the same shape."
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
