"""Convolutions that are fast for few output channels, and for maps of one pixel."""

import math

import keras
import tensorflow as tf
from keras import ops
from typing_extensions import override

_FEW = 4  # maximum number of output channels for which separate rows are faster


@keras.saving.register_keras_serializable("keras_gen")
class Conv2D(keras.layers.Conv2D):
    """A `keras.layers.Conv2D` that takes about half the time for large kernels and few filters.

    CPUs compute 16 output channels at once, so with 1 or 3 channels, most of the work is wasted.
    For up to four filters, this layer computes each row of the kernel in separate channels, with a
    convolution of height 1, and then adds the rows. In half precision, the layer adds in float32;
    with float16, it also convolves in float32, because a row may exceed the range of float16. The
    result equals the result of the Keras layer except for rounding.

    The layer has the arguments, weights, and name of the Keras layer, so weights that were saved
    with one layer can be loaded into the other.

    If the kernel covers the input, so that the output is one pixel, this layer multiplies matrices.

    Example:
        >>> y = Conv2D(3, 7, padding="same")(keras.random.normal([2, 8, 8, 16]))  # [2, 8, 8, 3]
    """

    @override
    def convolution_op(self, inputs, kernel):
        unusual = {self.groups, *self.strides, *self.dilation_rate} != {1}
        if unusual or self.data_format == "channels_first":
            return super().convolution_op(inputs, kernel)
        if self.padding == "valid" and inputs.shape[1:] == kernel.shape[:3]:
            size, filters = math.prod(kernel.shape[:3]), kernel.shape[3]
            products = ops.reshape(inputs, (-1, size)) @ ops.reshape(kernel, (size, filters))
            return ops.reshape(products, (-1, 1, 1, filters))
        if self.filters > _FEW:
            return super().convolution_op(inputs, kernel)
        dtype = inputs.dtype
        precise = keras.backend.result_type(dtype, "float32")
        if dtype == tf.float16:
            inputs, kernel = ops.cast(inputs, precise), ops.cast(kernel, precise)
        height, width, channels, filters = kernel.shape
        parts = height * filters
        kernel = ops.reshape(ops.transpose(kernel, (1, 2, 0, 3)), (1, width, channels, parts))
        rows = super().convolution_op(inputs, kernel)
        if self.padding == "same":
            above = (height - 1) // 2
            rows = tf.pad(rows, ((0, 0), (above, height - 1 - above), (0, 0), (0, 0)))
        batch, high, wide, _ = ops.shape(rows)
        # The shape is restored, because TensorFlow's convolution returns another number of channels
        # for an empty batch.
        rows = ops.cast(tf.reshape(rows, (batch, high, wide, parts)), precise)
        # The gradient of `tf.split` is faster than the gradient of an index. Unlike the gradient of
        # `tf.slice`, it also has a gradient under XLA.
        shifted = [
            tf.split(row, (shift, -1, height - 1 - shift), axis=1)[1]
            for shift, row in enumerate(tf.split(rows, height, axis=-1))
        ]
        return ops.cast(tf.add_n(shifted), dtype)


@keras.saving.register_keras_serializable("keras_gen")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """A `keras.layers.Conv2DTranspose` that is faster for the first and last layer of DCGAN.

    If the input is one pixel, this layer multiplies matrices. If a 4x4 kernel with stride 2 has up
    to four filters, this layer computes the 2x2 pixels that each input pixel contributes to as
    channels of a 2x2 convolution, whose outputs it then rearranges. The result equals the result of
    the Keras layer except for rounding.

    The layer has the arguments, weights, and name of the Keras layer; see `Conv2D`.

    Example:
        >>> y = Conv2DTranspose(1, 4, 2, "same")(keras.random.normal([2, 8, 8, 16]))  # 16x16 pixels
    """

    @override
    def call(self, inputs):
        height, width, filters, channels = self.kernel.shape
        usual = self.dilation_rate == (1, 1) and self.output_padding is None
        usual = usual and self.data_format == "channels_last"
        if usual and self.padding == "valid" and inputs.shape[1:3] == (1, 1):
            kernel = ops.reshape(self.kernel, (-1, channels))
            maps = ops.reshape(inputs, (-1, channels)) @ ops.transpose(kernel)
            maps = ops.reshape(maps, (-1, height, width, filters))
        elif usual and self.padding == "same" and self._doubles and filters <= _FEW:
            maps = _doubled(inputs, tf.convert_to_tensor(self.kernel))
        else:
            return super().call(inputs)
        if self.use_bias:
            maps = ops.add(maps, self.bias)
        return self.activation(maps)

    @property
    def _doubles(self):
        return self.kernel_size == (4, 4) and self.strides == (2, 2)


@tf.custom_gradient
def _doubled(maps, kernel):
    """Returns the transposed convolution of maps with a 4x4 kernel and stride 2."""
    filters, channels = kernel.shape[2:]
    # The gradients are the gradients of a transposed convolution, which are fast.
    options = dict(strides=[1, 2, 2, 1], padding="SAME")

    def gradient(upstream):
        by_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=upstream, filter_sizes=kernel.shape, out_backprop=maps, **options
        )
        return tf.nn.conv2d(upstream, kernel, **options), by_kernel

    # Row 2i + a of the kernel becomes row i of part a, in the order that a convolution flips.
    parts = tf.reshape(kernel, [2, 2, 2, 2, filters, channels])
    parts = tf.transpose(parts[::-1, :, ::-1], [0, 2, 5, 1, 3, 4])
    parts = tf.reshape(parts, [2, 2, channels, 4 * filters])
    squares = tf.nn.conv2d(maps, parts, 1, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return tf.nn.depth_to_space(squares, 2)[:, 1:-1, 1:-1], gradient
