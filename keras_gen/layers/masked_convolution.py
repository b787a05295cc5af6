"""The masked convolution of PixelCNN."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override


@keras.saving.register_keras_serializable("keras_gen")
class MaskedConvolution(keras.layers.Layer):
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

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        mask: str,
        image_channels: int = 1,
        activation=None,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        pair = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        if len(pair) != 2 or not all(side > 0 and side % 2 for side in pair):
            raise ValueError(
                f"kernel_size is {kernel_size}: expected odd sides, such as 3 or 7."
            )
        if mask not in ("A", "B"):
            raise ValueError(
                f"mask is {mask!r}: expected 'A' (the first layer) or 'B' (others)."
            )
        if pair == (1, 1) and mask == "A" and image_channels == 1:
            raise ValueError(
                "A kernel of 1x1 with mask A sees nothing of 1 channel: use a larger kernel_size."
            )
        self.filters = filters
        self.kernel_size = pair
        self.mask = mask
        self.image_channels = image_channels
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        _groups(filters, image_channels)

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
    def taps(self) -> np.ndarray:
        """Int `[taps, 2]`: the pixels that count, as rows and columns from the pixel itself."""
        return np.argwhere(self.kernel_mask.any(axis=(2, 3))) - np.array(self.kernel_size) // 2

    def weights_at_taps(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the weights of one pixel, which is `activation(values_at_taps @ kernel + bias)`.

        They are the masked kernel `[taps * channels, filters]` and the bias `[filters]`, both in
        the layer's compute dtype.
        """
        masked = tf.convert_to_tensor(self.kernel) * self.kernel_mask.astype(self.kernel.dtype)
        kernel = tf.gather_nd(masked, self.taps + np.array(self.kernel_size) // 2)
        kernel = tf.reshape(kernel, [-1, self.filters])
        return tf.cast(kernel, self.compute_dtype), tf.cast(self.bias, self.compute_dtype)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "mask": self.mask,
            "image_channels": self.image_channels,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


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
