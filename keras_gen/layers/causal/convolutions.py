"""Convolutions that see only earlier time steps, earlier pixels, or rows above."""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.layers.causal.causal_layer import CausalLayer, empty_row
from keras_gen.layers.layer_arguments import Activation, Initializer, OddSide, OddSides


@keras.saving.register_keras_serializable("keras_gen")
class CausalConvolution(CausalLayer):
    """A dilated convolution of a sequence over present and past time steps.

    Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016, sec. 2.1 and fig. 3.
    Floats `[batch, time, channels]` become `[batch, time, filters]`, with zero padding before the
    start. A step reads and writes one entry of the cache, so its cost does not depend on the
    dilation.

    Args:
        filters: Number of output channels.
        kernel_size: Number of taps, at least 1.
        dilation: Number of steps in time between adjacent kernel positions, at least 1.
        sees_itself: Whether the last tap sees the present. If False, all taps are shifted into the
            past by `dilation`. The first layer requires this shift, because its inputs are the
            values to predict.
        activation: Name of the output's activation, or a function.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel: a name or an object.

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
        """The number of previous time steps that the layer sees."""
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

    # One time step at a time ------------------------------------------------------------------

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
        """Returns a ring buffer of past inputs, in which each new input replaces the oldest one."""
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
        raise ValueError(
            f"{self.name} got more than one row: expected a sequence, which has a single row."
        )


@keras.saving.register_keras_serializable("keras_gen")
class MaskedConvolution(CausalLayer):
    """A causal convolution of images over rows above, pixels to the left, and earlier channels.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.4
    and fig. 2. The feature maps are divided into one group per image channel, in the order of the
    channels. At the pixel itself, mask A connects a group to the previous groups; mask B also
    connects the group to itself. The mask sets all other kernel entries to zero. Floats
    `[batch, height, width, channels]` become `[batch, height, width, filters]`, with zero padding
    around the input.

    Args:
        filters: Number of output channels. Group `g` of the `image_channels` groups starts at
            channel `filters * g // image_channels`; the input's channels are divided in the same
            way. If the last layer has `image_channels * outputs_per_value` filters, their order is
            `[channel, parameter]`.
        kernel_size: Odd side length of the kernel, or a tuple (height, width) of odd numbers.
        mask: "A" for the first layer, or "B" for later layers.
        image_channels: Number of channels in the image, 1 or 3, at most `filters`.
        activation: Name of the output's activation, or a function.
        kernel_initializer: Initializer of the whole kernel: a name or an object.

    Example:
        >>> y = MaskedConvolution(64, 7, mask="A")(tf.random.normal([2, 28, 28, 1]))
    """

    filters: Count
    kernel_size: OddSides
    mask: Literal["A", "B"]
    image_channels: Count = 1
    activation: Activation = None
    kernel_initializer: Initializer = "glorot_uniform"

    @override
    def set_up(self):
        if self.kernel_size == (1, 1) and self.mask == "A" and self.image_channels == 1:
            raise ValueError(
                "kernel_size is (1, 1), but mask A hides the only input of a 1x1 kernel if "
                "image_channels is 1: expected a larger kernel_size."
            )
        _groups(self.filters, self.image_channels)

    @override
    def build(self, input_shape):
        shape = (*self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(
            name="kernel", shape=shape, initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        self.kernel_mask = causal_mask(*shape, self.mask, self.image_channels)

    @override
    def call(self, inputs):
        kernel = self.kernel * keras.ops.cast(self.kernel_mask, self.compute_dtype)
        outputs = keras.ops.conv(inputs, kernel, padding="same", data_format="channels_last")
        return self.activation(outputs + self.bias)

    @property
    @override
    def sees_itself(self) -> bool:  # type: ignore[override]
        return self.mask == "B"

    # One pixel at a time ---------------------------------------------------------------------

    @override
    def step_weights(self):
        """Returns the kernel for the rows above, the kernel for the pixel's row, and the bias."""
        kernel = self.kernel.value * tf.cast(self.kernel_mask, self.kernel.dtype)
        kernel = tf.cast(kernel, self.compute_dtype)
        rows, columns = np.array(self.kernel_size) // 2
        beside = tf.reshape(kernel[rows, : columns + 1], [-1, self.filters])
        return kernel[:rows], beside, tf.cast(self.bias, self.compute_dtype)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns zeros, like the padding in `call`.

        The cache at a pixel contains the inputs that the kernel covers to the left of the pixel and
        in previous rows, the current row up to this pixel, and the contribution of the previous
        rows to each pixel in the current row.
        """
        _, beside, bias = weights
        rows, columns = np.array(self.kernel_size) // 2
        channels = beside.shape[0] // (columns + 1)
        left = tf.zeros([batch, columns * channels], bias.dtype)
        added = tf.zeros([width, batch, self.filters], bias.dtype) + bias
        if not rows:
            return left, added
        row = empty_row(bias.dtype, width, channels)
        return left, added, row, tf.zeros([batch, rows, width, channels], bias.dtype)

    @override
    def step(self, weights, cache, x, column):
        _, beside, _ = weights
        left, added, *rows = cache
        seen = tf.concat([left, tf.cast(x, left.dtype)], axis=-1)
        y = self.activation(added[column] + seen @ beside)
        if rows:
            row, above = rows
            rows = [row.write(column, seen[:, left.shape[-1] :]), above]
        return y, (seen[:, x.shape[-1] :], added, *rows)

    @override
    def next_row(self, weights, cache):
        kernel, _, bias = weights
        left, added, *rows = cache
        left = tf.zeros_like(left)
        if not rows:
            return left, added
        row, above = rows
        finished = tf.transpose(row.stack(), [1, 0, 2])[:, None]
        above = tf.concat([above[:, 1:], finished], axis=1)
        margin = self.kernel_size[1] // 2
        padded = tf.pad(above, [[0, 0], [0, 0], [margin, margin], [0, 0]])
        added = tf.nn.conv2d(padded, kernel, strides=1, padding="VALID")[:, 0] + bias
        row = empty_row(bias.dtype, tf.shape(above)[2], above.shape[-1])
        return left, tf.transpose(added, [1, 0, 2]), row, above


def causal_mask(
    height: int, width: int, channels: int, filters: int, mask: str, image_channels: int = 1
) -> np.ndarray:
    """Returns the mask for a kernel (fig. 2), bool `[height, width, channels, filters]`."""
    row, column = height // 2, width // 2
    allowed = np.zeros((height, width, channels, filters), bool)
    allowed[:row] = True
    allowed[row, :column] = True
    before = np.less if mask == "A" else np.less_equal
    allowed[row, column] = before.outer(
        _groups(channels, image_channels), _groups(filters, image_channels)
    )
    return allowed


def _groups(maps: int, image_channels: int) -> np.ndarray:
    """Returns the image channel to which each map belongs, int `[maps]`."""
    if not 0 < image_channels <= maps:
        raise ValueError(
            f"{maps} maps cannot be divided into {image_channels} groups: expected at least 1 "
            "map for each image channel, and at least 1 channel."
        )
    starts = maps * np.arange(1, image_channels) // image_channels
    return np.searchsorted(starts, np.arange(maps), side="right")


@keras.saving.register_keras_serializable("keras_gen")
class Shift(CausalLayer):
    """Shifts a sequence by one position: prepends zeros and drops the last position.

    Subsequent layers that see the present, such as an LSTM, thus see only the past. Input and
    output are floats `[batch, time, channels]`.

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
        """Returns zeros, `[batch, channels]`, for the position before the first position."""
        return tf.zeros([batch, self.channels], self.compute_dtype)

    @override
    def step(self, weights, cache, x, column):
        return cache, tf.cast(x, cache.dtype)


@keras.saving.register_keras_serializable("keras_gen")
class VerticalConvolution(CausalLayer):
    """A convolution over the rows above, equally wide on both sides, with no blind spot.

    Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: "Conditional Image
    Generation with PixelCNN Decoders", NeurIPS 2016, sec. 2.3 and fig. 1. A stack of such layers
    sees the rows above a pixel completely, but not the pixel's own row, so no mask is needed.
    Floats `[batch, height, width, channels]` become `[batch, height, width, filters]`, with zero
    padding around the input.

    Args:
        filters: Number of output channels.
        kernel_size: Odd side length of the full kernel. This layer contains only the upper half.
        sees_itself: Whether the layer also sees the pixel's own row. Use False in the first layer
            of a stack, whose inputs are the values, and True in all other layers, whose inputs are
            maps of the rows above.
        activation: Name of the output's activation, or a function.
        kernel_initializer: Initializer of the kernel: a name or an object.

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
            raise ValueError(
                "kernel_size is 1: expected at least 3, so that the layer sees rows above."
            )

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
        """Returns zeros for the kernel's rows above the map, `[batch, rows, width, channels]`."""
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
