"""The masked convolution of PixelCNN."""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.layers.causal.causal_layer import CausalLayer, empty_row
from keras_gen.layers.layer_arguments import Activation, Initializer, OddSides


@keras.saving.register_keras_serializable("keras_gen")
class MaskedConvolution(CausalLayer):
    """A causal convolution of images, over rows above, pixels to the left and channels before.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.4
    and fig. 2. The maps are divided into one group for each channel of the image, in its order. At
    the pixel itself, mask A connects a group to the groups before it; mask B connects it also to
    itself. The mask sets all other entries of the kernel to zero. Floats `[batch, height, width,
    channels]` become `[batch, height, width, filters]`, with zeros around the input.

    Args:
        filters: Output channels. Group `g` of `image_channels` begins at `filters * g //
            image_channels`; the input's channels are divided likewise. If the last layer has
            `image_channels * outputs_per_value` filters, their order is `[channel, parameter]`.
        kernel_size: Odd side of the kernel, or (height, width).
        mask: "A" for the first layer, "B" for those after it.
        image_channels: Channels of the image: 1 or 3, at most the filters.
        activation: Name or function, of the output.
        kernel_initializer: Name or object; it is applied to the whole kernel.

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
                "A kernel of 1x1 with mask A sees nothing of 1 channel: use a larger kernel_size."
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
        """Returns the kernels of the rows above and of the pixel's row, and the bias."""
        kernel = self.kernel.value * tf.cast(self.kernel_mask, self.kernel.dtype)
        kernel = tf.cast(kernel, self.compute_dtype)
        rows, columns = np.array(self.kernel_size) // 2
        beside = tf.reshape(kernel[rows, : columns + 1], [-1, self.filters])
        return kernel[:rows], beside, tf.cast(self.bias, self.compute_dtype)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns zeros, as `call` pads with.

        The cache of a pixel has the pixels to the left; its row so far; the rows above that count;
        and what they add to each pixel of the row.
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
    """Returns the mask of a kernel (fig. 2), bool `[height, width, channels, filters]`."""
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
    """The channel of the image that each map belongs to, int `[maps]`."""
    if not 0 < image_channels <= maps:
        raise ValueError(
            f"{maps} maps cannot be divided into {image_channels} groups: expected at least 1 map "
            "for each of 1 or more channels of the image."
        )
    starts = maps * np.arange(1, image_channels) // image_channels
    return np.searchsorted(starts, np.arange(maps), side="right")
