"""Sound transforms: length, peak, quantization to levels, and random shifts and excerpts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_array, checked_tensor, checked_types
from keras_gen.data.source import on_first
from keras_gen.declared import PositiveInteger
from keras_gen.files.sounds import of_one_length
from keras_gen.tensor_checks import require


@checked_types
def fit_length(waveform: tf.Tensor, samples: PositiveInteger) -> tf.Tensor:
    """Crops a longer sound to its middle, or centers a shorter sound in silence.

    Args:
        waveform: Sound of any length, `[any samples, ...]`; the result has the same dtype.
        samples: Length of the result in samples.

    Example:
        >>> fit_length(np.array([1, 2, 3], "int16"), 5)
        <tf.Tensor: shape=(5,), dtype=int16, numpy=array([0, 1, 2, 3, 0], dtype=int16)>
    """
    if not waveform.shape.rank or waveform.shape[0] == 0:
        raise ValueError(f"waveform has shape {waveform.shape}: expected at least one sample.")
    first = tf.maximum(tf.shape(waveform)[0] - samples, 0) // 2
    middle = waveform[first : first + samples]
    missing = samples - tf.shape(middle)[0]
    padding = [[missing // 2, missing - missing // 2]]
    padding += [[0, 0]] * (waveform.shape.rank - 1)
    return tf.ensure_shape(tf.pad(middle, padding), [samples, *waveform.shape[1:]])


@checked_types
def from_first_sound(waveforms: Any, samples: PositiveInteger) -> np.ndarray:
    """Starts each recording at its first nonzero sample, and pads it with zeros at the end.

    Args:
        waveforms: Recordings, integers or floats `[n, any samples, ...]`; the result has the same
            dtype.
        samples: Length of each result in samples. Longer recordings are truncated.

    Example:
        >>> from_first_sound(np.array([[0, 0, 5, 0, 7, 0]], "int16"), 4)
        array([[5, 0, 7, 0]], dtype=int16)
    """
    waveforms = checked_array("waveforms", of_one_length(waveforms))
    if waveforms.ndim < 2 or not waveforms.size:
        raise ValueError(f"waveforms has shape {waveforms.shape}: expected [n, samples, ...].")
    size, length = waveforms.shape[:2]
    found = np.zeros([size, samples, *waveforms.shape[2:]], waveforms.dtype)
    sounding = np.any(waveforms.reshape(size, length, -1) != 0, axis=2)
    for waveform, heard, result in zip(waveforms, np.asarray(sounding), found, strict=True):
        live = waveform[heard.argmax() :][:samples]
        result[: len(live)] = live
    return found


@checked_types
def mu_law_levels(waveforms: Any, levels: int = 256) -> tf.Tensor:
    """Quantizes sounds with mu-law companding, which resolves quiet samples more finely.

    Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016,
    https://arxiv.org/abs/1609.03499, sec. 2.2: f(x) = sign(x) ln(1 + mu |x|) / ln(1 + mu) with mu =
    `levels` - 1. The levels are equal parts of the range of f, [-1, 1].

    Args:
        waveforms: Sounds of any shape, floats in [-1, 1] or int16. Values outside of the range are
            assigned the outermost level.
        levels: Number of levels, at least 2.

    Returns:
        Levels, int32 from 0 to `levels` - 1, with the same shape as `waveforms`.

    Raises:
        TypeError: If the sounds have an integer dtype other than int16.

    Example:
        >>> mu_law_levels(np.array([-1.0, -0.01, 0.0, 0.01, 1.0])).numpy()
        array([  0,  98, 128, 157, 255], dtype=int32)
    """
    mu = checked_integer("levels", levels, minimum=2) - 1
    waveforms = checked_tensor("waveforms", of_one_length(waveforms))
    if waveforms.dtype == tf.int16:
        waveforms = tf.cast(waveforms, tf.float32) / 2.0**15
    elif not waveforms.dtype.is_floating:
        raise TypeError(
            f"Sounds have dtype {waveforms.dtype.name}: expected int16, or floats in [-1, 1]."
        )
    waveforms = tf.cast(waveforms, tf.float32)
    finite = tf.reduce_all(tf.math.is_finite(waveforms))
    with tf.control_dependencies(
        [require(finite, "waveforms contains NaN or infinity: expected finite numbers.")]
    ):
        waveforms = tf.identity(waveforms)
    companded = tf.sign(waveforms) * tf.math.log1p(mu * tf.abs(waveforms)) / math.log1p(mu)
    level = tf.cast(tf.floor((companded + 1) / 2 * levels), tf.int32)
    return tf.clip_by_value(level, 0, mu)


@checked_types
def mu_law_waveform(level: tf.Tensor, levels: int = 256) -> tf.Tensor:
    """Inverts `mu_law_levels`: returns the values at the midpoints of mu-law levels.

    x = sign(f) ((1 + mu)^|f| - 1) / mu, where f is the midpoint of the level's part of [-1, 1].

    Args:
        level: Integers in the range 0 to `levels` - 1, of any shape. Floats are positions between
            levels; for example, `l` + 0.5 is the border between `l` and the next higher level.
        levels: Number of levels.

    Returns:
        Sounds, float32 in (-1, 1), with the same shape as `level`.

    Raises:
        ValueError: In eager mode, if a level is out of range.

    Example:
        >>> mu_law_waveform(np.array([0, 255])).numpy().round(4)
        array([-0.9785,  0.9785], dtype=float32)
    """
    mu = checked_integer("levels", levels, minimum=2) - 1
    level = tf.cast(level, tf.float32)
    if tf.executing_eagerly():
        low, high = tf.reduce_min(level), tf.reduce_max(level)
        inside = tf.reduce_all((level >= -0.5) & (level <= mu + 0.5))
        require(inside, f"level ranges from {{}} to {{}}: expected 0 to {mu}.", low, high)
    companded = (2 * level + 1) / levels - 1
    size = tf.math.expm1(tf.abs(companded) * math.log1p(mu)) / mu
    return tf.sign(companded) * size


@checked_types
def to_peak(waveforms: Any, peak: float = 0.9) -> np.ndarray:
    """Scales all sounds to the same peak; returns int16 sounds with the same shape as `waveforms`.

    Args:
        waveforms: Numbers in any units, `[n, samples, ...]`.
        peak: Maximum absolute value of each result, as a fraction of 32,768, in (0, 1].

    Raises:
        ValueError: If a sound is silent or not finite, if sounds differ in length, or if `peak` is
            out of range.

    Example:
        >>> to_peak(np.array([[1.0, -2.0]]), peak=0.5)
        array([[  8192, -16384]], dtype=int16)
    """
    if not 0 < peak <= 1:
        raise ValueError(f"peak is {peak}: expected a fraction in (0, 1].")
    waveforms = checked_array("waveforms", of_one_length(waveforms)).astype("float64")
    if waveforms.ndim < 2 or not waveforms.size:
        raise ValueError(f"waveforms has shape {waveforms.shape}: expected [n, samples, ...].")
    axes = tuple(range(1, waveforms.ndim))
    largest = np.abs(waveforms).max(axis=axes, keepdims=True)
    wrong = ~((largest > 0) & np.isfinite(largest)).reshape(len(waveforms), -1).all(axis=1)
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(
            f"Sound {first} in waveforms has the maximum absolute value "
            f"{largest[first].item():g}: expected a number above 0. Leave out silent or broken "
            "recordings."
        )
    scaled = np.round(waveforms / largest * peak * 2.0**15)
    return np.clip(scaled, -(2**15), 2**15 - 1).astype(np.int16)


@checked_types
def random_shift(most: int) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that starts a sound earlier or later, and fills the gap with silence.

    An example is a waveform `[samples, channels]`, or a tuple whose first field is such a waveform.

    Args:
        most: Maximum shift in samples, at least 0.

    Example:
        >>> batches = source.stream(16, augment=random_shift(64))
    """

    def augment(example: Any, seed: tf.Tensor) -> Any:
        def shift(waveform: tf.Tensor) -> tf.Tensor:
            if waveform.shape.rank != 2:
                raise ValueError(
                    f"A waveform has shape {waveform.shape}: expected [samples, channels]."
                )
            first = tf.random.stateless_uniform([], seed, 0, 2 * most + 1, tf.int32)
            padded = tf.pad(waveform, [[most, most], [0, 0]])
            return tf.ensure_shape(padded[first : first + waveform.shape[0]], waveform.shape)

        return on_first(shift, example)

    return augment


@checked_types
def random_excerpt(samples: PositiveInteger) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that cuts a random excerpt from the nonsilent part of a sound.

    Zeros at the end of a sound are left out if the remainder is long enough. The beginning and the
    end of a sound are sampled as often as the middle: excerpts that would start too early or end
    too late are moved inside the sound. An example is a waveform `[any samples, channels]`, or a
    tuple whose first field is such a waveform.

    Args:
        samples: Length of the excerpts, at least 1 and at most the length of the sounds.

    Example:
        >>> batches = source.stream(16, augment=random_excerpt(2048))
    """

    def augment(example: Any, seed: tf.Tensor) -> Any:
        def excerpt(waveform: tf.Tensor) -> tf.Tensor:
            length = waveform.shape[0]
            if length < samples:
                raise ValueError(
                    f"A sound has {length} samples: expected at least {samples}, the length of "
                    "an excerpt."
                )
            sounding = tf.reduce_any(waveform != 0, axis=-1)
            end = tf.reduce_max(tf.where(sounding, tf.range(1, length + 1), 0))
            last = tf.maximum(end - samples, 0)
            margin = samples // 2
            first = tf.random.stateless_uniform([], seed, -margin, last + margin + 1, tf.int32)
            first = tf.clip_by_value(first, 0, last)
            return tf.ensure_shape(
                waveform[first : first + samples], [samples, *waveform.shape[1:]]
            )

        return on_first(excerpt, example)

    return augment
