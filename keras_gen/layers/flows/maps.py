"""Invertible maps without networks: activation normalization, fixed maps, and 1x1 convolutions."""

from typing import Annotated, Any

import keras
import numpy as np
import scipy.linalg
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_number, checked_seed
from keras_gen.core.distribution import batch_mean, replica_count
from keras_gen.declared import Count
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.layers.layer_arguments import require_input

CONSTANT = 1e-12  # variance below which a channel is treated as constant


@keras.saving.register_keras_serializable("keras_gen")
class ActNorm(InvertibleLayer):
    """Scales and shifts each channel, initially to mean 0 and variance 1.

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, sec.
    3.1. The output is y = s * x + b, where s and b are trainable and are initialized from the first
    batch. Input and output are float32 `[batch, channels]` or `[batch, height, width, channels]`.

    The first batch's mean and standard deviation are separate weights, and the trainable weights
    start at 0: s = exp(log_scale) / deviation, b = bias - s * mean. Weights therefore do not change
    before a step's loss is known. Until `after_update` stores the statistics, `call` uses the
    statistics of its own batch over all replicas as constants in training, and is the identity at
    inference. A channel that is constant in the first batch keeps its scale. Deviation: the
    logarithm of s is trained, as in the authors' code.

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
        # Use int64, because TensorFlow does not place int32 variables on GPUs.
        self.initialized = self.add_weight(name="initialized", shape=(), dtype="int64", **state)

    @override
    def call(self, x, condition=None, training=False):
        """Normalizes x; the statistics are the mean and log standard deviation that were used."""
        mean, log_deviation = self._first_batch(x) if training else self._stored()
        log_slope = self.log_scale.value - log_deviation
        y = (x - mean) * tf.exp(log_slope) + self.bias.value
        # Table 1: the log-determinant is h * w * sum(log |s|).
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
        """Returns the statistics of the first batch if they are stored, or else of `x`."""
        first = self.initialized.value == 0
        x = tf.stop_gradient(x)
        if replica_count() == 1:
            return tf.cond(first, lambda: self._statistics(x), self._stored)
        # Compute the statistics in every step, because sums over replicas are not possible inside
        # `tf.cond`.
        found = zip(self._statistics(x), self._stored(), strict=True)
        return tuple(tf.where(first, new, old) for new, old in found)

    def _statistics(self, x):
        places = list(range(1, x.shape.rank - 1))
        mean = batch_mean(tf.reduce_mean(x, places))
        variance = batch_mean(tf.reduce_mean(tf.square(x - mean), places))
        return mean, 0.5 * tf.math.log(tf.where(variance > CONSTANT, variance, 1.0))


def _below_half(name: str, value: Any) -> float:
    number = checked_number(name, value)
    if not 0 < number < 0.5:
        raise ValueError(f"{name} is {number}: expected a number between 0 and 1/2.")
    return number


Alpha = Annotated[float, _below_half]


@keras.saving.register_keras_serializable("keras_gen")
class Squeeze(InvertibleLayer):
    """Turns the pixels in each square of an image, or adjacent time steps, into channels.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 3.6. Float32
    `[batch, height, width, channels]` becomes `[batch, height / factor, width / factor, channels *
    factor^2]`, and `[batch, time, channels]` becomes `[batch, time / factor, channels * factor]`.

    Args:
        factor: Side length of the squares. Must divide both sides of the image, or the number of
            time steps.

    Example:
        >>> y, _, _ = Squeeze()(tf.random.normal([2, 8, 8, 1]))  # [2, 4, 4, 4]
    """

    factor: Count = 2

    @override
    def build(self, input_shape):
        sides = input_shape[1:-1]
        right = len(sides) in (1, 2) and not any(side and side % self.factor for side in sides)
        expected = (
            "[batch, height, width, channels] or [batch, time, channels], whose sides or length "
            f"are multiples of {self.factor}"
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

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 4.1. The
    values of images are bounded, but the outputs of a flow with normal latents are not. Input and
    output are float32 `[batch, ...]`.

    Deviation: the paper uses logit(alpha + (1 - alpha) x), which is infinite for x = 1. Here,
    logit(alpha + (1 - 2 alpha) x) is used, which is finite and symmetric at both ends.

    With a small alpha, black and white occupy a larger part of the range of logits, which is useful
    for images that are mostly black and white, such as digits.

    Args:
        alpha: Minimum distance of the mapped values from 0 and 1, between 0 and 1/2.

    Example:
        >>> y, log_det, _ = Logit(0.05)(tf.random.uniform([2, 8, 8, 1]))
    """

    alpha: Alpha = 0.05

    @override
    def call(self, x, condition=None, training=False):
        slope = 1 - 2 * self.alpha
        log_p = tf.math.log(self.alpha + slope * x)
        # 1 - p is not computed by subtraction, which is inexact for p near 1.
        log_rest = tf.math.log(self.alpha + slope * (1 - x))
        # dy/dx = slope / (p (1 - p)).
        log_slopes = tf.math.log(slope) - log_p - log_rest
        return log_p - log_rest, tf.reduce_sum(log_slopes, list(range(1, x.shape.rank))), ()

    @override
    def inverse(self, y, condition=None):
        """Returns x in [0, 1]. Logits beyond the logits of 0 and 1 are clipped."""
        x = (tf.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha)
        return tf.clip_by_value(x, 0.0, 1.0)


@keras.saving.register_keras_serializable("keras_gen")
class InvertibleConvolution(InvertibleLayer):
    """Mixes the channels of each pixel with a learned matrix, y = W x.

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, sec.
    3.2. The layer generalizes a permutation of the channels. W starts as a random rotation, so the
    log-determinant starts at 0. Input and output are float32 `[batch, ..., channels]`.

    Args:
        lu: Whether to store W as its LU decomposition, P L (U + diag(s)), eq. (10). P, a
            permutation of the channels, and the signs of s keep their initial values, while L, U,
            and log |s| are trained. W is then invertible for all weights, and its determinant
            requires no decomposition.
        seed: Seed for the initial rotation. Layers in one chain should have different seeds.

    Example:
        >>> y, log_det, _ = InvertibleConvolution(seed=3)(tf.random.normal([2, 4, 4, 12]))
    """

    lu: bool = False
    seed: int = 0

    @override
    def build(self, input_shape):
        channels = input_shape[-1]
        expected = "[batch, ..., channels] with a known number of channels"
        require_input(self, input_shape, channels is not None, expected)
        rotation = _rotation(channels, self.seed)
        if not self.lu:
            self.kernel = self._weight("kernel", rotation)
            return
        order, lower, upper = scipy.linalg.lu(rotation, p_indices=True)
        diagonal = np.diag(upper)
        self.lower = self._weight("lower", lower)
        self.upper = self._weight("upper", upper)
        self.log_s = self._weight("log_s", np.log(np.abs(diagonal)))
        self.sign = self._weight("sign", np.sign(diagonal), trainable=False)
        # Use int64, because TensorFlow does not place int32 variables on GPUs.
        self.order = self._weight("order", order, trainable=False, dtype="int64")

    def _weight(self, name, value, **options):
        def initializer(shape, dtype=None):
            return tf.constant(value, dtype)

        return self.add_weight(
            name=name,
            shape=value.shape,
            initializer=initializer,
            **{"dtype": "float32"} | options,
        )

    @override
    def call(self, x, condition=None, training=False):
        matrix = self.matrix()
        if self.lu:
            log_det = tf.reduce_sum(self.log_s.value)  # eq. (11)
        else:
            # Use W = Q R, because XLA does not support determinants.
            identity = np.eye(matrix.shape[0], dtype="float32")
            diagonal = tf.reduce_sum(tf.linalg.qr(matrix).r * identity, axis=1)
            log_det = tf.reduce_sum(tf.math.log(tf.abs(diagonal)))
        # Eq. (9): the log-determinant is added once for each pixel.
        places = tf.cast(tf.reduce_prod(tf.shape(x)[1:-1]), tf.float32)
        return _mixed(x, matrix), tf.fill(tf.shape(x)[:1], places * log_det), ()

    @override
    def inverse(self, y, condition=None):
        return _mixed(y, tf.linalg.inv(self.matrix()))

    def matrix(self) -> tf.Tensor:
        """Returns W, float32 `[channels, channels]`."""
        if not self.lu:
            return self.kernel.value
        identity = np.eye(self.log_s.shape[0], dtype="float32")
        below = np.tril(np.ones_like(identity), -1)
        lower = self.lower.value * below + identity
        diagonal = self.sign.value * tf.exp(self.log_s.value)
        upper = self.upper.value * below.T + identity * diagonal
        # P (L (U + diag(s))) is L (U + diag(s)) with its rows in a different order.
        return tf.gather(lower @ upper, self.order.value)


def _mixed(x, matrix):
    return tf.tensordot(x, matrix, [[-1], [1]])


def _rotation(size, seed):
    """Returns a random matrix with orthogonal rows of length 1 and determinant 1."""
    normal = np.random.default_rng(checked_seed(seed)).normal(size=(size, size))
    rotation, triangle = np.linalg.qr(normal)
    # These signs make the decomposition unique, and Q uniformly distributed over all orthogonal
    # matrices.
    rotation = rotation * np.sign(np.diag(triangle))
    if np.linalg.det(rotation) < 0:
        rotation[:, 0] *= -1
    return rotation
