"""The channel-wise fully connected layer of context encoders."""

import keras
import tensorflow as tf
from typing_extensions import override


@keras.saving.register_keras_serializable("keras_gen")
class ChannelwiseDense(keras.layers.Layer):
    """A dense layer for each feature map by itself: it connects all places, but not the maps.

    Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
    CVPR 2016, sec. 3.1. For m maps of n x n it has m n^4 weights; a fully connected layer would
    have m^2 n^4. It has no bias, because the next layer has one, or a normalization. Input and
    output: floats `[batch, height, width, channels]` of known height, width and channels.

    Example:
        >>> y = ChannelwiseDense()(tf.random.normal([2, 4, 4, 16]))
    """

    @override
    def build(self, input_shape):
        if len(input_shape) != 4 or None in input_shape[1:]:
            raise ValueError(
                f"ChannelwiseDense got the shape {tuple(input_shape)}: expected [batch, height, "
                "width, channels] of known height, width and channels."
            )
        _, height, width, channels = input_shape
        places = height * width
        preserving = keras.initializers.RandomNormal(stddev=places**-0.5)
        self.kernel = self.add_weight((channels, places, places), preserving, name="kernel")

    @override
    def call(self, maps):
        shape = tf.shape(maps)
        places = tf.reshape(maps, [shape[0], -1, maps.shape[-1]])
        mixed = tf.einsum("bic,cij->bjc", places, tf.convert_to_tensor(self.kernel))
        return tf.ensure_shape(tf.reshape(mixed, shape), maps.shape)
