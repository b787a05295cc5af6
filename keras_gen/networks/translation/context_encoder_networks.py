"""Encoder and decoder of context encoders (Pathak et al. 2016); see `ContextEncoder`."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers import ChannelwiseDense
from keras_gen.networks.blocks import (
    batch_norm,
    conv,
    downsample,
    float32,
    halvings_of_square,
    upsample,
)


@checked_arguments
def context_encoder(
    image_shape: tuple = (128, 128, 3), filters: int = 64, name: str = "encoder"
) -> keras.Model:
    """Builds the encoder in fig. 9a: 4x4 convolutions with stride 2, down to a 4x4 map.

    Deviations: the widths double with every layer, as in DCGAN, whereas the paper's widths at 128
    pixels are 64, 64, 128, 256, and 512; the map is not reduced to a vector with 4000 values (see
    `ContextEncoder`).

    Args:
        image_shape: `(side, side, channels)`, where the side is a power of two, at least 8.
        filters: Number of channels in the first layer.
        name: Name of the model.

    Returns:
        A model that maps images in [-1, 1] to float32 features `[batch, 4, 4, channels]`.

    Example:
        >>> encoder = context_encoder((32, 32, 3), filters=32)
    """
    images = keras.Input(image_shape)
    features = downsample(images, halvings_of_square(image_shape), filters)
    return keras.Model(images, float32(features), name=name)


@checked_arguments
def context_decoder(
    image_shape: tuple = (128, 128, 3), filters: int = 64, name: str = "decoder"
) -> keras.Model:
    """Builds the decoder, which maps the features of `context_encoder` to a whole image.

    A channel-wise fully connected layer connects all positions, and a convolution with stride 1
    then mixes the channels (sec. 3.1). Transposed convolutions mirror the encoder. For the
    arguments, see `context_encoder`.

    Returns:
        A model that maps features `[batch, 4, 4, filters * 2^(stages - 1)]` to float32 images in
        [-1, 1].

    Example:
        >>> decoder = context_decoder((32, 32, 3), filters=32)
    """
    stages = halvings_of_square(image_shape)
    width = filters * 2 ** (stages - 1)
    features = keras.Input((4, 4, width))
    x = layers.ReLU()(batch_norm()(conv(width, 1)(ChannelwiseDense()(features))))
    return keras.Model(features, upsample(x, stages, filters, image_shape), name=name)
