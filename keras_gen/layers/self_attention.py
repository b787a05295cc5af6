"""Attention of the places of a map to each other."""

import keras
from keras import layers, ops
from typing_extensions import override

from keras_gen.layers.spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable("keras_gen")
class SelfAttention(layers.Layer):
    """Adds to each place of a map what is read at all others, at the start nothing.

    Zhang, Goodfellow, Metaxas, Odena: "Self-Attention Generative Adversarial Networks", ICML 2019,
    eqs. (1) to (3): each place asks by f(x), all others answer by g(x) and give h(x), which 1x1
    convolutions make of the map; v brings the sum to the map's channels, and a gain that starts at
    0 weighs it. f and g have an eighth of the channels, and h a half.

    Deviation: keys and values are the largest of each 2x2 places, which the paper does not say and
    its authors' code does; h has half of the channels in place of an eighth, as in BigGAN (Brock et
    al. 2019).

    Args:
        spectral: Whether the convolutions are spectrally normalized, as in both papers.
        **kwargs: `name`, `dtype` and the like, of `keras.layers.Layer`.

    Input and output: floats `[batch, height, width, channels]`, at least 8 channels and even sides.

    Raises:
        ValueError: If the input has another shape.

    Example:
    ```python
    y = SelfAttention()(tf.random.normal([2, 8, 8, 16]))
    ```
    """

    def __init__(self, spectral: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.spectral = spectral

    @override
    def build(self, input_shape):
        *_, height, width, channels = sizes = tuple(input_shape)
        if len(sizes) != 4 or None in sizes[1:] or height % 2 or width % 2 or channels < 8:
            raise ValueError(
                f"SelfAttention got the shape {sizes}: expected [batch, height, width, channels] "
                "with even sides and at least 8 channels."
            )
        self.query, self.key = self._conv(channels // 8), self._conv(channels // 8)
        self.value, self.output_conv = self._conv(channels // 2), self._conv(channels)
        for conv in (self.query, self.key, self.value):
            conv.build(sizes)
        self.output_conv.build((*sizes[:-1], channels // 2))
        self.gain = self.add_weight(name="gain", shape=(), initializer="zeros")

    def _conv(self, channels):
        conv = layers.Conv2D(
            channels, 1, use_bias=False, kernel_initializer="orthogonal", dtype=self.dtype_policy
        )
        return SpectralNormalization(conv, dtype=self.dtype_policy) if self.spectral else conv

    @override
    def call(self, maps, training=False):
        height, width, channels = maps.shape[1:]
        told = {"training": training} if self.spectral else {}
        query = ops.reshape(self.query(maps, **told), (-1, height * width, channels // 8))
        key, value = (ops.max_pool(conv(maps, **told), 2, 2) for conv in (self.key, self.value))
        key = ops.reshape(key, (-1, height * width // 4, channels // 8))
        value = ops.reshape(value, (-1, height * width // 4, channels // 2))
        scores = ops.cast(ops.matmul(query, ops.transpose(key, (0, 2, 1))), "float32")
        attention = ops.cast(ops.softmax(scores), value.dtype)  # eq. (1)
        read = ops.reshape(ops.matmul(attention, value), (-1, height, width, channels // 2))
        return self.gain * self.output_conv(read, **told) + maps

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"spectral": self.spectral}
