"""A self-attention layer over the positions of feature maps."""

import keras
from keras import layers, ops
from typing_extensions import override

from keras_gen.declared import DeclaredLayer
from keras_gen.layers.layer_arguments import require_input
from keras_gen.layers.normalization import SpectralNormalization


@keras.saving.register_keras_serializable("keras_gen")
class SelfAttention(DeclaredLayer):
    """Self-attention: adds to each position of a feature map a weighted average over all positions.

    Zhang, Goodfellow, Metaxas, Odena: "Self-Attention Generative Adversarial Networks", ICML 2019,
    eqs. (1) to (3). Queries f(x), keys g(x), and values h(x) are 1x1 convolutions of the map; f and
    g have an eighth of the map's channels. A fourth convolution, v, maps the average to the number
    of channels of the input, and its output is multiplied by a gain that starts at 0. Input and
    output are floats `[batch, height, width, channels]`, with at least 8 channels and even sides.
    Deviations: keys and values are max-pooled over 2x2 positions, as in the authors' code; h has
    half of the channels instead of an eighth, as in BigGAN (Brock et al. 2019).

    Args:
        spectral: Whether the convolutions are spectrally normalized, as in both papers.

    Example:
        >>> y = SelfAttention()(tf.random.normal([2, 8, 8, 16]))
    """

    spectral: bool = False

    @override
    def build(self, input_shape):
        *_, height, width, channels = sizes = tuple(input_shape)
        known = len(sizes) == 4 and None not in sizes[1:]
        right = known and height % 2 == width % 2 == 0 and channels >= 8
        expected = "[batch, height, width, channels] with even sides and at least 8 channels"
        require_input(self, sizes, right, expected)
        self.query = self._conv(channels // 8)
        self.key = self._conv(channels // 8)
        self.value = self._conv(channels // 2)
        self.output_conv = self._conv(channels)
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
        options = {"training": training} if self.spectral else {}
        places = height * width
        query = ops.reshape(self.query(maps, **options), (-1, places, channels // 8))
        key = ops.max_pool(self.key(maps, **options), 2, 2)
        key = ops.reshape(key, (-1, places // 4, channels // 8))
        value = ops.max_pool(self.value(maps, **options), 2, 2)
        value = ops.reshape(value, (-1, places // 4, channels // 2))
        scores = ops.cast(ops.matmul(query, ops.transpose(key, (0, 2, 1))), "float32")
        attention = ops.cast(ops.softmax(scores), value.dtype)  # eq. (1)
        averages = ops.reshape(ops.matmul(attention, value), (-1, height, width, channels // 2))
        return self.gain * self.output_conv(averages, **options) + maps
