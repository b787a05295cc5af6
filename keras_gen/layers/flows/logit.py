"""The logit, which takes images out of their range."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.flows.invertible_layer import InvertibleLayer


@keras.saving.register_keras_serializable("keras_gen")
class Logit(InvertibleLayer):
    """Takes values in [0, 1] to the logits of values in [alpha, 1 - alpha].

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 4.1: a flow
    of Normal latents has no borders, and images have. Any shape `[batch, ...]`, float32.

    Deviation: the paper writes logit(alpha + (1 - alpha) x), which is infinite where x is 1. Here
    it is logit(alpha + (1 - 2 alpha) x), finite and alike at both ends.

    A small alpha gives black and white more room among the logits, and pays where images consist
    of little else, such as digits.

    Args:
        alpha: Distance that is kept from 0 and 1, between 0 and 1/2.

    Example:
        >>> y, log_det, _ = Logit(0.05)(tf.random.uniform([2, 8, 8, 1]))
    """

    @checked_arguments
    def __init__(self, alpha: float = 0.05, **kwargs):
        super().__init__(**kwargs)
        if not 0 < alpha < 0.5:
            raise ValueError(f"alpha is {alpha}: it must lie between 0 and 1/2.")
        self.alpha = alpha

    @override
    def call(self, x, condition=None, training=False):
        slope = 1 - 2 * self.alpha
        log_p = tf.math.log(self.alpha + slope * x)
        # The rest is not computed as 1 - p, which rounds where p is near 1.
        log_rest = tf.math.log(self.alpha + slope * (1 - x))
        # dy/dx = slope / (p (1 - p)).
        log_slopes = tf.math.log(slope) - log_p - log_rest
        return log_p - log_rest, tf.reduce_sum(log_slopes, list(range(1, x.shape.rank))), ()

    @override
    def inverse(self, y, condition=None):
        """Returns x in [0, 1], its end for logits beyond those of 0 and 1."""
        x = (tf.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha)
        return tf.clip_by_value(x, 0.0, 1.0)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"alpha": self.alpha}
