"""Layers that enlarge images of any size by an integer factor."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count, DeclaredLayer
from keras_gen.layers.layer_arguments import require_input


class _Enlarging(DeclaredLayer):
    """Base class for the enlargement layers, which defines the factor and the shapes."""

    factor: Count

    def _sides(self, input_shape) -> list:
        return [None if side is None else side * self.factor for side in input_shape[1:3]]


@keras.saving.register_keras_serializable("keras_gen")
class BicubicEnlargement(_Enlarging):
    """Enlarges images with bicubic interpolation (Keys 1981), without weights.

    Unlike `keras.layers.UpSampling2D`, the layer supports images whose size is unknown when the
    network is built. The input is floats `[batch, height, width, channels]`, and the output is
    float32 with sides that are `factor` times as long.

    Args:
        factor: Factor by which the sides are enlarged, at least 1.

    Example:
        >>> BicubicEnlargement(4)(tf.zeros([1, 5, 6, 3])).shape
        TensorShape([1, 20, 24, 3])
    """

    @override
    def call(self, inputs):
        sides = self.factor * tf.shape(inputs)[1:3]
        enlarged = tf.image.resize(tf.cast(inputs, tf.float32), sides, "bicubic")
        enlarged.set_shape([inputs.shape[0], *self._sides(inputs.shape), inputs.shape[-1]])
        return enlarged

    @override
    def compute_output_spec(self, inputs):
        shape = (inputs.shape[0], *self._sides(inputs.shape), inputs.shape[-1])
        return keras.KerasTensor(shape, "float32")


@keras.saving.register_keras_serializable("keras_gen")
class NearestEnlargement(_Enlarging):
    """Repeats rows and columns of images, without weights.

    Unlike `keras.layers.UpSampling2D`, the layer preserves known sizes in graphs, as TensorFlow
    Lite requires. The input is `[batch, height, width, channels]`, and the sides of the output are
    `factor` times as long.

    Args:
        factor: Enlargement factor of the sides, at least 1.

    Example:
        >>> NearestEnlargement(2)(tf.zeros([1, 5, 6, 3])).shape
        TensorShape([1, 10, 12, 3])
    """

    factor: Count = 2

    @override
    def call(self, inputs):
        height, width = (
            dynamic if known is None else known
            for known, dynamic in zip(
                inputs.shape[1:3], tf.unstack(tf.shape(inputs)[1:3]), strict=True
            )
        )
        rows = tf.tile(inputs[:, :, None], [1, 1, self.factor, 1, 1])
        rows = tf.reshape(rows, [-1, height * self.factor, width, inputs.shape[-1]])
        columns = tf.tile(rows[:, :, :, None], [1, 1, 1, self.factor, 1])
        shape = [-1, height * self.factor, width * self.factor, inputs.shape[-1]]
        return tf.reshape(columns, shape)

    @override
    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._sides(input_shape), input_shape[-1])


@keras.saving.register_keras_serializable("keras_gen")
class PixelShuffle(_Enlarging):
    """Rearranges each group of `factor * factor` channels into squares of pixels in one channel.

    Shi et al.: "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network", CVPR 2016, eq. (4). SRGAN uses this layer. The input is floats
    `[batch, height, width, factor * factor * channels]`, and the output is `[batch, factor *
    height, factor * width, channels]`.

    Args:
        factor: Factor by which the sides are enlarged, at least 1.

    Example:
        >>> PixelShuffle(2)(tf.zeros([1, 5, 6, 12])).shape
        TensorShape([1, 10, 12, 3])
    """

    @override
    def build(self, input_shape):
        expected = (
            f"a number of channels that is a multiple of {self.factor**2}, the square of factor"
        )
        require_input(self, input_shape, input_shape[-1] % self.factor**2 == 0, expected)
        self.built = True

    @override
    def call(self, inputs):
        return inputs if self.factor == 1 else tf.nn.depth_to_space(inputs, self.factor)

    @override
    def compute_output_shape(self, input_shape):
        channels = input_shape[-1] // self.factor**2
        return (input_shape[0], *self._sides(input_shape), channels)
