"""A convolution that starts from zero."""

import keras
from keras import ops
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments


@keras.saving.register_keras_serializable("keras_gen")
class ZeroConvolution(keras.layers.Layer):
    """A convolution whose weights start from 0, with a learned factor of each output channel.

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, sec.
    3.3: the last convolution of a coupling's network starts from zeros, so that the coupling starts
    as the identity. The factor, exp(3 log_factor), is that of the authors' code: outputs can grow
    fast although each weight changes by little. Input and output: `[batch, height, width,
    channels]`, of the same height and width.

    Args:
        filters: Output channels.
        kernel_size: Side of the kernel.

    Example:
        >>> y = ZeroConvolution(8)(keras.random.normal([2, 4, 4, 6]))  # [2, 4, 4, 8]
    """

    @checked_arguments
    def __init__(self, filters: int, kernel_size: int = 3, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        # Not a subclass: Keras' convolutions save their own weights alone.
        self.convolution = keras.layers.Conv2D(
            filters,
            kernel_size,
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

    @override
    def get_config(self) -> dict:
        sizes = {"filters": self.filters, "kernel_size": self.kernel_size}
        return super().get_config() | sizes
