"""The maximum mean discrepancy of two groups, by random Fourier features."""

from __future__ import annotations

import math

import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.core.distribution.replicas import batch_mean
from keras_gen.losses.tensor_arguments import of_tensors

FREQUENCIES = 500  # of the paper


@checked_types
@of_tensors("values", "groups")
def fourier_discrepancy(
    values: tf.Tensor, groups: tf.Tensor, seed: tf.Tensor, gamma: float = 1.0
) -> tf.Tensor:
    """The squared distance of the mean features of two groups, over the *global* batch.

    Louizos, Swersky, Li, Welling, Zemel: "The Variational Fair Autoencoder", ICLR 2016, sec.
    2.4: random Fourier features (Rahimi & Recht 2007) of a Gaussian kernel, sqrt(2 / D)
    cos(sqrt(2 / gamma) x W + b), in which the discrepancy costs no more than the features.

    Args:
        values: `[batch, d]`.
        groups: Integers `[batch]`, 0 or 1.
        seed: Stateless seed of W and b, `[2]`.
        gamma: Of the kernel exp(-|x - y|^2 / gamma), above 0.

    Returns:
        Float32 `[batch]`, the same value for each example; 0 if a group has none.

    Example:
        >>> fourier_discrepancy(tf.zeros([4, 2]), tf.constant([0, 0, 1, 1]), [0, 0])  # 0
    """
    values = tf.cast(values, tf.float32)
    shape = [values.shape[-1], FREQUENCIES]
    frequencies = tf.random.stateless_normal(shape, seed)
    phases = tf.random.stateless_uniform(
        [FREQUENCIES], tf.bitwise.invert(seed), maxval=2 * math.pi
    )
    # What is far from 0 has its phase in float64: in float32 an angle of 1e6 is off by 0.06.
    center = tf.stop_gradient(tf.reduce_mean(values, axis=0, keepdims=True))
    offsets = tf.cast(center, tf.float64) @ tf.cast(frequencies, tf.float64)
    turns = math.sqrt(2 / gamma) / (2 * math.pi) * offsets
    phases += 2 * math.pi * tf.cast(turns - tf.floor(turns), tf.float32)
    features = math.sqrt(2 / FREQUENCIES) * tf.cos(
        math.sqrt(2 / gamma) * (values - center) @ frequencies + phases
    )
    means = []
    fractions = []
    for group in range(2):
        inside = tf.cast(groups == group, tf.float32)
        fraction = batch_mean(inside)
        means.append(tf.math.divide_no_nan(batch_mean(inside[:, None] * features), fraction))
        fractions.append(fraction)
    both = tf.cast(tf.reduce_min(fractions) > 0, tf.float32)
    distance = both * tf.reduce_sum(tf.square(means[0] - means[1]))
    return tf.fill([tf.shape(values)[0]], distance)
