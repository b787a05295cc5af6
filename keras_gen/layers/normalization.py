"""Normalization of activations and of kernels."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core.distribution import replica_count
from keras_gen.declared import DeclaredLayer, NonNegative
from keras_gen.layers.layer_arguments import require_input
from keras_gen.losses.regularizers import kernel_matrix, kernel_of


@keras.saving.register_keras_serializable("keras_gen")
class InstanceNormalization(DeclaredLayer):
    """Normalizes each channel of each image to mean 0 and variance 1, then scales and shifts it.

    Ulyanov, Vedaldi, Lempitsky: "Instance Normalization: The Missing Ingredient for Fast
    Stylization", 2016. The layer behaves identically in training and inference. The layer treats
    the batch as a single example that has the channels of all images, and applies the fused float32
    kernel for batch normalization, because `keras.layers.GroupNormalization(groups=-1)` is slower
    and takes half of a convolutional block's time on a CPU. Input and output are floats
    `[batch, height, width, channels]`, with a known number of channels. Under a float64 policy, the
    layer also computes in float32.

    Args:
        epsilon: Number added to the variance.

    Example:
        >>> y = InstanceNormalization()(tf.random.normal([2, 8, 8, 16]))
    """

    epsilon: NonNegative = 1e-5

    @override
    def build(self, input_shape):
        right = len(input_shape) == 4 and input_shape[-1] is not None
        expected = "[batch, height, width, channels] with a known number of channels"
        require_input(self, input_shape, right, expected)
        # In mixed precision, the scale and the offset stay in float32.
        weight = dict(shape=(input_shape[-1],), autocast=False)
        self.scale = self.add_weight(name="scale", initializer="ones", **weight)
        self.offset = self.add_weight(name="offset", initializer="zeros", **weight)

    @override
    def call(self, images):
        batch = keras.ops.shape(images)[0]
        scale = tf.tile(self.scale.value, [batch])
        offset = tf.tile(self.offset.value, [batch])
        return tf.cast(normalized(images, scale, offset, self.epsilon), self.compute_dtype)


def normalized(images, scale, offset, epsilon: float) -> tf.Tensor:
    """Applies `InstanceNormalization` with a scale and an offset per image and channel."""
    # Known sizes are used as Python numbers, because tracing an operation takes time.
    batch, height, width, channels = keras.ops.shape(images)
    if images.dtype not in (tf.bfloat16, tf.float16):
        # Images in bfloat16 and float16 are not cast, because the kernel computes with them in
        # float32, and rounds only its results.
        images = tf.cast(images, tf.float32)
    # The batch is treated as a single example that has the channels of all images.
    last = tf.transpose(images, [1, 2, 0, 3])
    found = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(last, [1, -1, 1, batch * channels]),
        scale=tf.cast(scale, tf.float32),
        offset=tf.cast(offset, tf.float32),
        mean=[],
        variance=[],
        epsilon=epsilon,
        is_training=True,
    ).y
    found = tf.transpose(tf.reshape(found, [height, width, batch, channels]), [2, 0, 1, 3])
    return tf.ensure_shape(found, images.shape)


@keras.saving.register_keras_serializable("keras_gen")
class BatchNormalization(keras.layers.BatchNormalization):
    """A `keras.layers.BatchNormalization` that takes half the time to train on a CPU.

    On one device, the layer applies TensorFlow's fused kernel to maps in training mode. In all
    other cases, the Keras layer computes. The results differ only by rounding. The layer has the
    arguments, weights, and name of the Keras layer, so weights that were saved with one layer can
    be loaded into the other.

    Example:
        >>> y = BatchNormalization()(tf.random.normal([2, 8, 8, 16]), training=True)
    """

    @override
    def call(self, inputs, training=None, mask=None):
        renormalizes = getattr(self, "renorm", False)  # Keras has it since 3.14
        plain = mask is None and not renormalizes and self.scale and self.center
        maps = len(inputs.shape) == 4 and self.axis in (-1, 3) and inputs.dtype != tf.float64
        if not (training and self.trainable and plain and maps and replica_count() == 1):
            return super().call(inputs, training=training, mask=mask)
        found = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=keras.ops.cast(self.gamma, "float32"),
            offset=keras.ops.cast(self.beta, "float32"),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel returns the sum of squares divided by n - 1; the Keras layer divides by n.
        count = tf.cast(tf.reduce_prod(keras.ops.shape(inputs)[:3]), tf.float32)
        share = tf.maximum(count - 1, 1) / count
        pairs = [
            (self.moving_mean, found.batch_mean),
            (self.moving_variance, share * found.batch_variance),
        ]
        for moving, value in pairs:
            moving.assign(self.momentum * moving + (1 - self.momentum) * value)
        return keras.ops.cast(found.y, self.compute_dtype)


EPSILON = 1e-12  # smaller than the norm of any nonzero kernel


@keras.saving.register_keras_serializable("keras_gen")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides a layer's kernel by its largest singular value to limit the Lipschitz constant.

    Miyato, Kataoka, Koyama, Yoshida: "Spectral Normalization for Generative Adversarial Networks",
    ICLR 2018, algorithm 1. The kernel is reshaped to a matrix W `[outputs, all other axes]`. Power
    iteration, which resumes at each call, estimates the singular value sigma(W). The gradient
    passes through sigma, with constant singular vectors (sec. 2.1 and 3).
    `keras.layers.SpectralNormalization` instead overwrites the kernel and treats sigma as constant.
    `direction`, the vector u, is a weight that each training call updates. The update is identical
    on all replicas, because it depends only on the kernel. Deviation: v is computed from the new u
    instead of the previous u, so a call at inference gives the same result as the last
    training call.

    Args:
        layer: Layer, built or not, with a `kernel` (dense, convolution, or transposed convolution)
            or `embeddings`.
        iterations: Number of power iterations per call; 1 in the paper.
        **kwargs: Additional arguments for `keras.layers.Layer`, such as `name`. `dtype` is ignored:
            sigma is float32, and the layer computes in its own precision.

    Example:
        >>> maps = SpectralNormalization(keras.layers.Conv2D(8, 3))(tf.ones([2, 6, 6, 3]))
    """

    @checked_arguments
    def __init__(self, layer: keras.Layer, iterations: int = 1, **kwargs):
        # Without `autocast`, the kernel stays float32, regardless of the policy.
        super().__init__(layer, **kwargs | {"dtype": "float32", "autocast": False})
        self.iterations = iterations

    @override
    def build(self, input_shape=None):
        super().build(input_shape)
        kernel = kernel_of(self.layer)
        if kernel is None:
            raise ValueError(
                f"The layer '{self.layer.name}' ({type(self.layer).__name__}) has no kernel to "
                "normalize: wrap a dense layer, a convolution, or an embedding."
            )
        self.direction = self.add_weight(
            name="direction",
            shape=(kernel_matrix(self.layer, kernel).shape[-1],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            aggregation="only_first_replica",
        )

    @override
    def call(self, inputs, training=False):
        kernel = kernel_of(self.layer)
        value = tf.convert_to_tensor(kernel.value)
        normalized = value / self._sigma(value, training)
        values = [(v, normalized if v is kernel else v.value) for v in self.layer.variables]
        with keras.StatelessScope(values):
            return self.layer(inputs)

    def _sigma(self, kernel, training):
        """Returns the estimated largest singular value; its gradient treats u and v as constant."""
        matrix = kernel_matrix(self.layer, kernel)  # W transposed
        fixed = tf.stop_gradient(matrix)
        u = before = tf.convert_to_tensor(self.direction.value)
        if training:
            for _ in range(self.iterations):
                v = _unit(tf.linalg.matvec(fixed, u))
                u = _unit(tf.linalg.matvec(fixed, v, transpose_a=True))
            # A step with a nonfinite kernel is rejected, and must not change u.
            kept = tf.where(tf.reduce_all(tf.math.is_finite(u)), u, before)
            # Every replica must read the value before it is assigned.
            with tf.control_dependencies([kept]):
                self.direction.assign(kept)
        v = _unit(tf.linalg.matvec(fixed, u))
        # sigma = u^T W v; a kernel of zeros stays zero.
        sigma = tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)
        return tf.maximum(sigma, EPSILON)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"iterations": self.iterations}


def _unit(vector):
    return vector / tf.maximum(tf.norm(vector), EPSILON)
