"""Sines and cosines of numbers, by which networks tell near ones apart."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments


@keras.saving.register_keras_serializable("keras_gen")
class SinusoidalFeatures(keras.layers.Layer):
    """Sines and cosines of numbers at frequencies that grow geometrically.

    Vaswani et al.: "Attention Is All You Need", NeurIPS 2017, sec. 3.5, of places; Ho et al. (2020)
    take them of the time. Floats `[batch, values]` become `[batch, values * 2 * count]`.

    Args:
        count: Number of frequencies.
        slowest: Smallest frequency, in radians by 1, above 0.
        fastest: Largest frequency.

    Example:
        >>> SinusoidalFeatures(32)(tf.constant([[0.5]])).shape
        TensorShape([1, 64])
    """

    @checked_arguments
    def __init__(self, count: int, slowest: float = 0.1, fastest: float = 1000.0, **kwargs):
        # Half precision does not tell near times apart.
        super().__init__(**kwargs | {"dtype": "float32"})
        if count < 1 or not 0 < slowest <= fastest:
            raise ValueError(
                f"count is {count}, slowest {slowest} and fastest {fastest}: expected at least 1 "
                "frequency, and 0 < slowest <= fastest."
            )
        self.count = count
        self.slowest = slowest
        self.fastest = fastest

    @override
    def call(self, values):
        frequencies = np.geomspace(self.slowest, self.fastest, self.count, dtype="float32")
        angles = values[..., None] * frequencies
        waves = tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)
        return tf.reshape(waves, [-1, *self.compute_output_shape(values.shape)[1:]])

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] * 2 * self.count)

    @override
    def get_config(self) -> dict:
        own = {"count": self.count, "slowest": self.slowest, "fastest": self.fastest}
        return super().get_config() | own
