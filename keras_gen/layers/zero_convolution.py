"""A convolution whose initial weights are zero."""

import keras
from keras import ops
from typing_extensions import override

from keras_gen.declared import Count, DeclaredLayer


@keras.saving.register_keras_serializable("keras_gen")
class ZeroConvolution(DeclaredLayer):
    """A convolution whose weights start at 0, with a learned factor per output channel.

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, sec.
    3.3: the last convolution of a coupling network starts at zero, so that the coupling starts as
    the identity. The factor is exp(3 log_factor), as in the authors' code, so outputs can grow fast
    although each weight changes only slightly. Input and output are
    `[batch, height, width, channels]` with the same height and width.

    Args:
        filters: Number of output channels.
        kernel_size: Side of the kernel.

    Example:
        >>> y = ZeroConvolution(8)(keras.random.normal([2, 4, 4, 6]))  # [2, 4, 4, 8]
    """

    filters: Count
    kernel_size: Count = 3

    @override
    def set_up(self):
        # This is not a subclass of a Keras convolution, because Keras convolutions save only their
        # own weights.
        self.convolution = keras.layers.Conv2D(
            self.filters,
            self.kernel_size,
            padding="same",
            kernel_initializer="zeros",
            dtype=self.dtype_policy,
        )

    @override
    def build(self, input_shape):
        self.convolution.build(input_shape)
        shape = (self.filters,)
        self.log_factor = self.add_weight(name="log_factor", shape=shape, initializer="zeros")

    @override
    def call(self, inputs):
        return self.convolution(inputs) * ops.exp(3.0 * self.log_factor)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)
