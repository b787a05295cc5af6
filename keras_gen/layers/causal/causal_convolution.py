"""The dilated causal convolution of WaveNet."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.layer_arguments import Activation, Initializer


@keras.saving.register_keras_serializable("keras_gen")
class CausalConvolution(CausalLayer):
    """A convolution of a sequence over the present and the past, with gaps between its taps.

    Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016, sec. 2.1 and fig. 3.
    Floats `[batch, time, channels]` become `[batch, time, filters]`, with zeros before the start. A
    step reads and writes one entry of the cache, so that it costs the same for any dilation.

    Args:
        filters: Output channels.
        kernel_size: Number of taps, at least 1.
        dilation: Distance of the taps in time, at least 1.
        sees_itself: Whether the last tap is the present. False moves all taps `dilation` into the
            past, as the first layer needs, which sees values.
        activation: Name or function, of the output.
        use_bias: Whether there is a bias.
        kernel_initializer: Name or object.

    Example:
        >>> y = CausalConvolution(32, 2, dilation=4)(tf.random.normal([2, 100, 1]))
    """

    filters: Count
    kernel_size: Count = 2
    dilation: Count = 1
    sees_itself: bool = True
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"

    @property
    def past(self) -> int:
        """How many times before the present are seen."""
        return (self.kernel_size - self.sees_itself) * self.dilation

    @override
    def build(self, input_shape):
        shape = (self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(
            name="kernel", shape=shape, initializer=self.kernel_initializer
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    @override
    def call(self, inputs):
        padded = keras.ops.pad(inputs, [[0, 0], [self.past, 0], [0, 0]])
        if not self.sees_itself:
            padded = padded[:, : -self.dilation]
        if self.kernel_size == 1:
            outputs = keras.ops.matmul(padded, self.kernel[0])
        else:
            outputs = keras.ops.conv(
                padded,
                self.kernel,
                padding="valid",
                dilation_rate=self.dilation,
                data_format="channels_last",
            )
        return self.activation(outputs + self.bias if self.use_bias else outputs)

    # One time after the other ----------------------------------------------------------------

    @override
    def step_weights(self):
        """Returns the kernel `[taps * channels, filters]`, and the bias or zeros."""
        kernel = tf.cast(self.kernel, self.compute_dtype)
        kernel = tf.reshape(kernel, [-1, self.filters])
        if not self.use_bias:
            return kernel, tf.zeros([self.filters], kernel.dtype)
        return kernel, tf.cast(self.bias, self.compute_dtype)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns the inputs of the past as a ring, in which each new one replaces the oldest."""
        kernel, _ = weights
        channels = kernel.shape[0] // self.kernel_size
        if not self.past:
            return ()
        ring = tf.TensorArray(
            kernel.dtype, self.past, element_shape=[None, channels], clear_after_read=False
        )
        return ring.unstack(tf.zeros([self.past, batch, channels], kernel.dtype))

    @override
    def step(self, weights, cache, x, column):
        kernel, bias = weights
        x = tf.cast(x, kernel.dtype)
        taps = [
            cache.read((column + place) % self.past)
            for place in range(0, self.past, self.dilation)
        ]
        seen = tf.concat([*taps, x] if self.sees_itself else taps, axis=-1)
        y = self.activation(seen @ kernel + bias)
        return y, cache.write(column % self.past, x) if self.past else cache

    @override
    def next_row(self, weights, cache):
        raise ValueError(f"{self.name} is for sequences, which have one row.")
