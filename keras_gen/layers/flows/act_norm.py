"""Activation normalization."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.distribution.replicas import batch_mean
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.layers.layer_arguments import require_input

CONSTANT = 1e-12  # a channel with less variance is treated as constant


@keras.saving.register_keras_serializable("keras_gen")
class ActNorm(InvertibleLayer):
    """Scales and shifts each channel, initially to mean 0 and variance 1.

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, sec.
    3.1: y = s * x + b, where s and b are trainable and are initialized from the first batch. Input
    and output: float32 `[batch, channels]` or `[batch, height, width, channels]`.

    The first batch's mean and standard deviation are separate weights, and the trainable weights
    start at 0: s = exp(log_scale) / deviation, b = bias - s * mean. So no weight changes before the
    loss of a step is known: until `after_update` stores them, `call` uses its own batch's
    statistics in training, over all replicas, as constants, and is the identity at inference.
    Deviation: the logarithm of s is trained, as in the authors' code. A channel that does not vary
    in the first batch keeps its scale.

    Example:
        >>> layer = ActNorm()
        >>> y, log_det, statistics = layer(tf.random.normal([16, 8, 8, 3]), training=True)
        >>> layer.after_update(statistics)
    """

    @override
    def build(self, input_shape):
        right = len(input_shape) > 1 and input_shape[-1] is not None
        expected = "[batch, ..., channels] with a known number of channels"
        require_input(self, input_shape, right, expected)
        weight = dict(shape=(input_shape[-1],), initializer="zeros")
        self.log_scale = self.add_weight(name="log_scale", **weight)
        self.bias = self.add_weight(name="bias", **weight)
        state = dict(initializer="zeros", trainable=False, aggregation="only_first_replica")
        self.mean = self.add_weight(name="mean", **weight | state)
        self.log_deviation = self.add_weight(name="log_deviation", **weight | state)
        # As int64, because TensorFlow keeps int32 variables off GPUs.
        self.initialized = self.add_weight(name="initialized", shape=(), dtype="int64", **state)

    @override
    def call(self, x, condition=None, training=False):
        """Normalizes; the statistics are the mean and log standard deviation in use."""
        mean, log_deviation = self._first_batch(x) if training else self._stored()
        log_slope = self.log_scale.value - log_deviation
        y = (x - mean) * tf.exp(log_slope) + self.bias.value
        # Table 1: h * w * sum(log |s|).
        places = tf.cast(tf.reduce_prod(tf.shape(x)[1:-1]), tf.float32)
        log_det = tf.fill(tf.shape(x)[:1], places * tf.reduce_sum(log_slope))
        return y, log_det, (mean, log_deviation) if training else ()

    @override
    def inverse(self, y, condition=None):
        mean, log_deviation = self._stored()
        return (y - self.bias.value) * tf.exp(log_deviation - self.log_scale.value) + mean

    @override
    def after_update(self, statistics):
        first = self.initialized.value == 0
        mean, log_deviation = statistics
        self.mean.assign(tf.where(first, mean, self.mean.value))
        self.log_deviation.assign(tf.where(first, log_deviation, self.log_deviation.value))
        self.initialized.assign(1)

    def _stored(self):
        return self.mean.value, self.log_deviation.value

    def _first_batch(self, x):
        """Returns the first batch's statistics: the stored ones, or those of this batch."""
        # Computed in every step, because replicas cannot be summed inside a `tf.cond`.
        places = list(range(1, x.shape.rank - 1))
        mean = batch_mean(tf.reduce_mean(x, places))
        variance = batch_mean(tf.reduce_mean(tf.square(x - mean), places))
        log_deviation = 0.5 * tf.math.log(tf.where(variance > CONSTANT, variance, 1.0))
        first = self.initialized.value == 0
        old_mean, old_log_deviation = self._stored()
        mean = tf.where(first, tf.stop_gradient(mean), old_mean)
        return mean, tf.where(first, tf.stop_gradient(log_deviation), old_log_deviation)
