"""Convolutions that see the rows above, and the shift that makes them causal."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.layer_arguments import Activation, Initializer, OddSide


@keras.saving.register_keras_serializable("keras_gen")
class Shift(CausalLayer):
    """Moves a sequence one place into the future: zeros come first, and the last place is lost.

    After it, layers that see the present, such as an LSTM, see the past alone. Floats `[batch,
    time, channels]`, as the output.

    Example:
        >>> Shift()(tf.constant([[[1.0], [2.0], [3.0]]]))[0, :, 0].numpy()
        array([0., 1., 2.], dtype=float32)
    """

    sees_itself = False

    @override
    def build(self, input_shape):
        self.channels = input_shape[-1]

    @override
    def call(self, x):
        return keras.ops.pad(x, [[0, 0], [1, 0], [0, 0]])[:, :-1]

    @override
    def empty_cache(self, weights, batch, width):
        """Returns the place before the first, `[batch, channels]`: zeros."""
        return tf.zeros([batch, self.channels], self.compute_dtype)

    @override
    def step(self, weights, cache, x, column):
        return cache, tf.cast(x, cache.dtype)


@keras.saving.register_keras_serializable("keras_gen")
class VerticalConvolution(CausalLayer):
    """A convolution over rows above, as wide to the right as to the left: without a blind spot.

    Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: "Conditional Image
    Generation with PixelCNN Decoders", NeurIPS 2016, sec. 2.3 and fig. 1. The stack of such layers
    sees all of the rows above a pixel and nothing of its row, so no value needs a mask. Floats
    `[batch, height, width, channels]` become `[batch, height, width, filters]`, with zeros around
    the input.

    Args:
        filters: Output channels.
        kernel_size: Odd side of the kernel whose upper half this is.
        sees_itself: Whether its own row is seen too: not in the first layer of the stack, which
            sees values; in all others, which see maps of the rows above.
        activation: Name or function, of the output.
        kernel_initializer: Name or object.

    Example:
        >>> y = VerticalConvolution(64, 7, sees_itself=False)(tf.random.normal([2, 28, 28, 1]))
    """

    by_rows = True

    filters: Count
    kernel_size: OddSide
    sees_itself: bool = True
    activation: Activation = None
    kernel_initializer: Initializer = "glorot_uniform"

    @override
    def set_up(self):
        if self.kernel_size == 1:
            raise ValueError("kernel_size is 1: expected at least 3, whose rows above are seen.")

    @override
    def build(self, input_shape):
        above = self.kernel_size // 2
        shape = (above + self.sees_itself, self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(
            name="kernel", shape=shape, initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    @override
    def call(self, inputs):
        margin = self.kernel_size // 2
        padded = keras.ops.pad(inputs, [[0, 0], [margin, 0], [margin, margin], [0, 0]])
        if not self.sees_itself:
            padded = padded[:, :-1]
        outputs = keras.ops.conv(
            padded, self.kernel, padding="valid", data_format="channels_last"
        )
        return self.activation(outputs + self.bias)

    # One row at a time -----------------------------------------------------------------------

    @override
    def step_weights(self):
        kernel = tf.cast(self.kernel, self.compute_dtype)
        return kernel, tf.cast(self.bias, self.compute_dtype)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns the rows above that count, `[batch, rows, width, channels]`: zeros."""
        kernel, _ = weights
        return tf.zeros([batch, self.kernel_size // 2, width, kernel.shape[2]], kernel.dtype)

    @override
    def step(self, weights, cache, x, column=None):
        kernel, bias = weights
        margin = self.kernel_size // 2
        rows = tf.concat([cache, tf.cast(x, cache.dtype)[:, None]], axis=1)
        seen = rows if self.sees_itself else cache
        seen = tf.pad(seen, [[0, 0], [0, 0], [margin, margin], [0, 0]])
        y = tf.nn.conv2d(seen, kernel, strides=1, padding="VALID")[:, 0]
        return self.activation(y + bias), rows[:, 1:]
