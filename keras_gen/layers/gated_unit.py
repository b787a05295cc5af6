"""The gated activation unit of Gated PixelCNN and WaveNet."""

import keras
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments


@keras.saving.register_keras_serializable("keras_gen")
class GatedUnit(keras.layers.Layer):
    """tanh(a) * sigmoid(b) of the halves a and b of the channels.

    Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: "Conditional Image
    Generation with PixelCNN Decoders", NeurIPS 2016, eq. (2); van den Oord et al.: "WaveNet: A
    Generative Model for Raw Audio", 2016, eq. (2). Every place is treated by itself, and there are
    no weights: the layer before computes both halves. Floats `[batch, ..., channels]` become
    `[batch, ..., channels / 2]`.

    Args:
        groups: Number of equal groups of channels, one after the other, each with its own halves:
            with the channels of the image for maps of `MaskedConvolution`, whose groups must not
            mix. The channels are a multiple of `2 * groups`.

    Example:
        >>> y = GatedUnit()(tf.random.normal([2, 100, 32]))  # [2, 100, 16]
    """

    @checked_arguments
    def __init__(self, groups: int = 1, **kwargs):
        super().__init__(**kwargs)
        if groups < 1:
            raise ValueError(f"groups is {groups}: expected at least 1.")
        self.groups = groups

    @override
    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None or channels % (2 * self.groups):
            raise ValueError(
                f"GatedUnit got {channels} channels: expected a multiple of {2 * self.groups}, two "
                f"halves in each of {self.groups} groups."
            )

    @override
    def call(self, x):
        if self.groups == 1:
            a, b = keras.ops.split(x, 2, axis=-1)
        else:
            halves = keras.ops.split(x, 2 * self.groups, axis=-1)
            a = keras.ops.concatenate(halves[::2], axis=-1)
            b = keras.ops.concatenate(halves[1::2], axis=-1)
        return keras.ops.tanh(a) * keras.ops.sigmoid(b)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"groups": self.groups}
