"""Layers that condition the networks of diffusion models on time."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from typing_extensions import override

from keras_gen.declared import Count, DeclaredLayer, NonNegative, Positive
from keras_gen.layers.layer_arguments import require_input


@keras.saving.register_keras_serializable("keras_gen")
class SinusoidalFeatures(DeclaredLayer):
    """Sines and cosines of numbers at frequencies that grow geometrically.

    Vaswani et al.: "Attention Is All You Need", NeurIPS 2017, sec. 3.5, use these features for
    positions; Ho et al. (2020) use them for time. Floats `[batch, values]` become `[batch, values *
    2 * count]`.

    Args:
        count: Number of frequencies.
        slowest: Minimum frequency in radians per unit, above 0.
        fastest: Maximum frequency in radians per unit.

    Example:
        >>> SinusoidalFeatures(32)(tf.constant([[0.5]])).shape
        TensorShape([1, 64])
    """

    count: Count
    slowest: Positive = 0.1
    fastest: float = 1000.0
    # The layer computes in float32, because half precision cannot distinguish times that are close
    # together.
    options: ClassVar = {"dtype": "float32"}

    @override
    def set_up(self):
        if self.slowest > self.fastest:
            raise ValueError(
                f"slowest is {self.slowest}, but fastest is {self.fastest}: expected slowest to "
                "be at most fastest."
            )

    @override
    def call(self, values):
        frequencies = np.geomspace(self.slowest, self.fastest, self.count, dtype="float32")
        angles = values[..., None] * frequencies
        waves = tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)
        return tf.reshape(waves, [-1, *self.compute_output_shape(values.shape)[1:]])

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] * 2 * self.count)


@keras.saving.register_keras_serializable("keras_gen")
class AdaptiveGroupNormalization(DeclaredLayer):
    """Normalizes groups of channels, then scales and shifts each channel based on a condition.

    Dhariwal, Nichol: "Diffusion Models Beat GANs on Image Synthesis", NeurIPS 2021, sec. 3, where
    the condition is an embedding of the time: y = (1 + scale) * GroupNorm(x) + offset. Scale and
    offset are linear in the condition and start at 0. Inputs are maps `[batch, height, width,
    channels]` and conditions `[batch, features]`, both floats. The normalization is computed as one
    factor and one summand per channel, in float32.

    Args:
        groups: Number of groups. Must divide the number of channels.
        epsilon: Number added to the variance.

    Example:
        >>> y = AdaptiveGroupNormalization(8)([tf.ones([2, 4, 4, 16]), tf.ones([2, 5])])
    """

    groups: Count = 8
    epsilon: NonNegative = 1e-5
    options: ClassVar = {"dtype": "float32"}

    @override
    def build(self, input_shape):
        maps, condition = input_shape
        channels = maps[-1]
        expected = (
            f"feature maps with a number of channels that is a multiple of groups={self.groups}"
        )
        require_input(self, maps, channels % self.groups == 0, expected)
        self.affine = layers.Dense(2 * channels, kernel_initializer="zeros", dtype="float32")
        self.affine.build(condition)

    @override
    def call(self, inputs):
        maps, condition = inputs
        scale, offset = tf.split(self.affine(condition), 2, axis=-1)
        means = tf.reduce_mean(maps, axis=[1, 2])
        mean = self._of_group(means)
        # The mean needs no gradient here: a variance's derivative with respect to its mean is zero.
        center = tf.stop_gradient(means)[:, None, None]
        within = tf.reduce_mean(tf.math.squared_difference(maps, center), axis=[1, 2])
        variance = self._of_group(within + tf.square(means - mean))
        factor = (1 + scale) * tf.math.rsqrt(variance + self.epsilon)
        summand = offset - mean * factor
        return maps * factor[:, None, None] + summand[:, None, None]

    def _of_group(self, means):
        """Returns each channel's group mean, given channel means `[batch, channels]`."""
        channels = means.shape[-1]
        size = channels // self.groups
        groups = tf.reshape(means, [-1, self.groups, size])
        mean = tf.reduce_mean(groups, axis=-1, keepdims=True)
        return tf.reshape(tf.tile(mean, [1, 1, size]), [-1, channels])

    @override
    def compute_output_shape(self, input_shape):
        return input_shape[0]
