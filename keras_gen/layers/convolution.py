"""A convolution that is fast for few output channels."""

import keras
import numpy as np
from keras import ops
from typing_extensions import override

_FEW = 4  # maximum number of output channels for which two convolutions are faster


@keras.saving.register_keras_serializable("keras_gen")
class Conv2D(keras.layers.Conv2D):
    """A `keras.layers.Conv2D` that takes about half of the time for large kernels and few filters.

    CPUs compute 16 output channels at once, so most of the work is wasted on 1 or 3 channels.
    For up to four filters, this layer computes each row of the kernel in separate channels, with a
    convolution of height 1. A fixed convolution then adds the rows. The result equals the result of
    the Keras layer except for rounding.

    The layer has the arguments, weights, and name of the Keras layer, so weights that were saved
    with one layer can be loaded into the other.

    Example:
        >>> y = Conv2D(3, 7, padding="same")(keras.random.normal([2, 8, 8, 16]))  # [2, 8, 8, 3]
    """

    @override
    def convolution_op(self, inputs, kernel):
        convolve = super().convolution_op
        unusual = {self.groups, *self.strides, *self.dilation_rate} != {1}
        if unusual or self.filters > _FEW:
            return convolve(inputs, kernel)
        height, width, channels, filters = kernel.shape
        parts = height * filters
        rows = ops.reshape(ops.transpose(kernel, (1, 2, 0, 3)), (1, width, channels, parts))
        # Output channel f of the sum receives channel (row, f), shifted by the row.
        ones = np.eye(parts, dtype="float32").reshape(height, 1, filters, parts)
        added = ops.cast(ones.swapaxes(2, 3), kernel.dtype)
        return convolve(convolve(inputs, rows), added)
