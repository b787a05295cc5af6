"""The invertible 1x1 convolution."""

import keras
import numpy as np
import scipy.linalg
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_seed
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.layers.layer_arguments import require_input


@keras.saving.register_keras_serializable("keras_gen")
class InvertibleConvolution(InvertibleLayer):
    """Mixes the channels of each pixel by one learned matrix, y = W x.

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, sec.
    3.2: a learned permutation of the channels. W starts as a random rotation, so that the
    log-determinant starts at 0. Input and output: float32 `[batch, ..., channels]`.

    Args:
        lu: Whether W is stored as its LU decomposition, P L (U + diag(s)), eq. (10). P, a
            permutation of the channels, and the signs of s keep their initial values. L, U, and log
            |s| are trained. W is then invertible for any weights, and its determinant needs no
            decomposition.
        seed: Seed of the rotation; layers of one chain should have different ones.

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
        # As int64, because TensorFlow keeps int32 variables off GPUs.
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
            # With W = Q R, because XLA has no determinant.
            identity = np.eye(matrix.shape[0], dtype="float32")
            diagonal = tf.reduce_sum(tf.linalg.qr(matrix).r * identity, axis=1)
            log_det = tf.reduce_sum(tf.math.log(tf.abs(diagonal)))
        # Eq. (9), once for each pixel.
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
        # P (L (U + diag(s))): the rows of L (U + diag(s)) in another order.
        return tf.gather(lower @ upper, self.order.value)


def _mixed(x, matrix):
    return tf.tensordot(x, matrix, [[-1], [1]])


def _rotation(size, seed):
    """Returns a random matrix with orthogonal rows of length 1 and determinant 1."""
    normal = np.random.default_rng(checked_seed(seed)).normal(size=(size, size))
    rotation, triangle = np.linalg.qr(normal)
    # Signs that make it unique, and uniform among all orthogonal matrices.
    rotation = rotation * np.sign(np.diag(triangle))
    if np.linalg.det(rotation) < 0:
        rotation[:, 0] *= -1
    return rotation
