"""Layers with equalized learning rates, and the pixel normalization used with them."""

import math

import keras
from keras import ops
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import DeclaredLayer, NonNegative


@keras.saving.register_keras_serializable("keras_gen")
class EqualizedDense(keras.layers.Dense):
    """A dense layer whose kernel is initialized from N(0, 1) and is scaled when used.

    Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality, Stability, and
    Variation", ICLR 2018, sec. 4.1. The weights are w = c * kernel, with He's constant c = gain /
    sqrt(inputs). Optimizers such as Adam change every weight by about the same amount, regardless
    of its size. Because all weights have a similar size here, all layers learn at the same speed.

    Args:
        units: Number of outputs.
        gain: Gain in He's constant: sqrt(2) before a (leaky) ReLU, or 1 without an activation.
        rate: Factor applied to this layer's learning rate. Kernel and bias are stored `1 / rate`
            times as large, and are multiplied by `rate` when used. The mapping network of StyleGAN
            uses 0.01 (Karras, Laine, Aila 2019).
        **kwargs: Additional arguments for `keras.layers.Dense`, except the kernel's initializer.

    Example:
        >>> y = EqualizedDense(8)(tf.random.normal([4, 16]))
    """

    @checked_arguments
    def __init__(self, units: int, gain: float = 2**0.5, rate: float = 1.0, **kwargs):
        kwargs |= {"kernel_initializer": keras.initializers.RandomNormal(stddev=1 / rate)}
        super().__init__(units, **kwargs)
        self.gain = gain
        self.rate = rate

    @override
    def call(self, inputs):
        scale = self.gain * self.rate / math.sqrt(self.kernel.shape[0])
        outputs = ops.matmul(inputs, self.kernel * scale)
        if self.bias is not None:
            outputs = outputs + self.bias * self.rate
        return outputs if self.activation is None else self.activation(outputs)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"gain": self.gain, "rate": self.rate}


@keras.saving.register_keras_serializable("keras_gen")
class EqualizedConv2D(keras.layers.Conv2D):
    """A convolution with an equalized learning rate; see `EqualizedDense`.

    Args:
        filters: Number of output channels.
        kernel_size: Side length of the kernel. In He's constant, the number of inputs is the number
            of kernel positions times the number of input channels.
        gain: Gain in He's constant: sqrt(2) before a (leaky) ReLU, or 1 without an activation.
        padding: Padding, as in `keras.layers.Conv2D`.
        **kwargs: Additional arguments for `keras.layers.Conv2D`, except the kernel's initializer.

    Example:
        >>> y = EqualizedConv2D(8, 3)(tf.random.normal([4, 16, 16, 3]))  # [4, 16, 16, 8]
    """

    @checked_arguments
    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        gain: float = 2**0.5,
        padding: str = "same",
        **kwargs,
    ):
        kwargs |= {"kernel_initializer": keras.initializers.RandomNormal(stddev=1.0)}
        super().__init__(filters, kernel_size, padding=padding, **kwargs)
        self.gain = gain

    @override
    def convolution_op(self, inputs, kernel):
        scale = self.gain / math.sqrt(math.prod(kernel.shape[:-1]))
        return super().convolution_op(inputs, kernel * scale)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"gain": self.gain}


@keras.saving.register_keras_serializable("keras_gen")
class PixelNormalization(DeclaredLayer):
    """Scales the channels of each position to a mean square of 1, without weights.

    Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality, Stability, and
    Variation", ICLR 2018, sec. 4.2. The layer keeps a generator's features from growing in
    competition with the discriminator, and projects latents onto a sphere. Input and output are
    floats `[batch, ..., channels]`.

    Args:
        epsilon: Number added to the mean square.

    Example:
        >>> y = PixelNormalization()(tf.random.normal([4, 8, 8, 16]))
    """

    epsilon: NonNegative = 1e-8

    @override
    def call(self, inputs):
        values = ops.cast(inputs, "float32")
        square = ops.mean(ops.square(values), axis=-1, keepdims=True)
        return ops.cast(values * ops.rsqrt(square + self.epsilon), inputs.dtype)
