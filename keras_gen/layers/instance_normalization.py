"""Instance normalization."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import DeclaredLayer
from keras_gen.layers.layer_arguments import require_input


@keras.saving.register_keras_serializable("keras_gen")
class InstanceNormalization(DeclaredLayer):
    """Normalizes each channel of each image to mean 0 and variance 1, then scales and shifts it.

    Ulyanov, Vedaldi, Lempitsky: "Instance Normalization: The Missing Ingredient for Fast
    Stylization", 2016. The same in training and inference. Computed in float32 by the fused kernel
    for batch normalization, as one example with the channels of all images: the slower
    `keras.layers.GroupNormalization(groups=-1)` takes half of a convolutional block's time on a
    CPU. Input and output: floats `[batch, height, width, channels]`, of a known number of channels.

    Args:
        epsilon: Added to the variance.

    Example:
        >>> y = InstanceNormalization()(tf.random.normal([2, 8, 8, 16]))
    """

    epsilon: float = 1e-5

    @override
    def build(self, input_shape):
        right = len(input_shape) == 4 and input_shape[-1] is not None
        expected = "[batch, height, width, channels] with a known number of channels"
        require_input(self, input_shape, right, expected)
        # In mixed precision both stay in float32, as the fused kernel needs them.
        weight = dict(shape=(input_shape[-1],), autocast=False)
        self.scale = self.add_weight(name="scale", initializer="ones", **weight)
        self.offset = self.add_weight(name="offset", initializer="zeros", **weight)

    @override
    def call(self, images):
        batch = tf.shape(images)[0]
        scale = tf.tile(self.scale.value[None], [batch, 1])
        offset = tf.tile(self.offset.value[None], [batch, 1])
        return tf.cast(normalized(images, scale, offset, self.epsilon), self.compute_dtype)


def normalized(images, scale, offset, epsilon: float) -> tf.Tensor:
    """Returns `InstanceNormalization` by each image's scale and offset, `[batch, channels]`."""
    # One example, whose channels are those of all images.
    last = tf.transpose(tf.cast(images, tf.float32), [1, 2, 0, 3])
    found = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(last, [1, -1, 1, tf.size(scale)]),
        scale=tf.reshape(scale, [-1]),
        offset=tf.reshape(offset, [-1]),
        mean=[],
        variance=[],
        epsilon=epsilon,
        is_training=True,
    ).y
    found = tf.transpose(tf.reshape(found, tf.shape(last)), [2, 0, 1, 3])
    return tf.ensure_shape(found, images.shape)
