"""Invertible maps without weights: rearranged values, and logits."""

from typing import Annotated, Any

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_number
from keras_gen.declared import Count
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.layers.layer_arguments import require_input


def _below_half(name: str, value: Any) -> float:
    number = checked_number(name, value)
    if not 0 < number < 0.5:
        raise ValueError(f"{name} is {number}: expected a number between 0 and 1/2.")
    return number


Alpha = Annotated[float, _below_half]


@keras.saving.register_keras_serializable("keras_gen")
class Squeeze(InvertibleLayer):
    """Turns the pixels of each square of an image, or neighbors in time, into channels.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 3.6. Float32
    `[batch, height, width, channels]` becomes `[batch, height / factor, width / factor, channels *
    factor^2]`, and `[batch, time, channels]` becomes `[batch, time / factor, channels * factor]`.

    Args:
        factor: Side of the squares, a divisor of both sides of the image, or of the time.

    Example:
        >>> y, _, _ = Squeeze()(tf.random.normal([2, 8, 8, 1]))  # [2, 4, 4, 4]
    """

    factor: Count = 2

    @override
    def build(self, input_shape):
        sides = input_shape[1:-1]
        right = len(sides) in (1, 2) and not any(side and side % self.factor for side in sides)
        expected = (
            "[batch, height, width, channels] with sides, or [batch, time, channels] with a time, "
            f"that are multiples of {self.factor}"
        )
        require_input(self, input_shape, right, expected)

    @override
    def call(self, x, condition=None, training=False):
        if x.shape.rank == 3:
            batch, time, channels = tf.unstack(tf.shape(x))
            y = tf.reshape(x, [batch, time // self.factor, channels * self.factor])
            y = tf.ensure_shape(y, self.y_shape(x.shape))
        else:
            y = tf.nn.space_to_depth(x, self.factor)
        return y, tf.zeros(tf.shape(x)[:1]), ()

    @override
    def inverse(self, y, condition=None):
        if y.shape.rank == 3:
            batch, time, channels = tf.unstack(tf.shape(y))
            x = tf.reshape(y, [batch, time * self.factor, channels // self.factor])
            return tf.ensure_shape(x, [None, None, y.shape[-1] // self.factor])
        return tf.nn.depth_to_space(y, self.factor)

    @override
    def y_shape(self, x_shape):
        batch, *sides, channels = x_shape
        sides = [side and side // self.factor for side in sides]
        return (batch, *sides, channels * self.factor ** len(sides))


@keras.saving.register_keras_serializable("keras_gen")
class Logit(InvertibleLayer):
    """Maps values in [0, 1] to the logits of values in [alpha, 1 - alpha].

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 4.1: a flow
    with normal latents has no bounds, but images do. Any shape `[batch, ...]`, float32.

    Deviation: the paper uses logit(alpha + (1 - alpha) x), which is infinite for x = 1. Here, it
    is logit(alpha + (1 - 2 alpha) x), which is finite and symmetric at both ends.

    A small alpha gives black and white more room among the logits, which is useful if images
    consist of little else, such as digits.

    Args:
        alpha: Distance kept from 0 and 1, between 0 and 1/2.

    Example:
        >>> y, log_det, _ = Logit(0.05)(tf.random.uniform([2, 8, 8, 1]))
    """

    alpha: Alpha = 0.05

    @override
    def call(self, x, condition=None, training=False):
        slope = 1 - 2 * self.alpha
        log_p = tf.math.log(self.alpha + slope * x)
        # The rest is not computed as 1 - p, which is inexact for p near 1.
        log_rest = tf.math.log(self.alpha + slope * (1 - x))
        # dy/dx = slope / (p (1 - p)).
        log_slopes = tf.math.log(slope) - log_p - log_rest
        return log_p - log_rest, tf.reduce_sum(log_slopes, list(range(1, x.shape.rank))), ()

    @override
    def inverse(self, y, condition=None):
        """Returns x in [0, 1], clipped for logits beyond those of 0 and 1."""
        x = (tf.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha)
        return tf.clip_by_value(x, 0.0, 1.0)
