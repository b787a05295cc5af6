"""Convolutional encoders and decoders for latent-variable models of small images."""

import math
from functools import partial

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.networks.blocks import (
    cropped,
    doubled,
    float32,
    halved_sides,
    he_conv,
    scaled_levels,
)


@checked_arguments
def conv_encoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 128,
    filters: tuple[int, ...] = (32, 64),
    activation: str = "relu",
    heads: tuple[str, ...] = ("codes",),
    output_activation: str | None = None,
    blocks: CountFrom0 = 0,
    maps: bool = False,
    levels: int | None = None,
    name: str = "encoder",
) -> keras.Model:
    """Builds strided 3x3 convolutions that halve the sides, and a dense layer for the latents.

    Masci, Meier, Ciresan, Schmidhuber: "Stacked Convolutional Auto-Encoders for Hierarchical
    Feature Extraction", ICANN 2011. Deviations: the codes are dense instead of maps, strides
    replace max pooling, ReLU replaces a scaled tanh, and layers are not pretrained one by one.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 2^(number of convolutions).
        latent_dim: Number of latent dimensions.
        filters: Number of channels in each convolution.
        activation: Activation after each convolution.
        heads: Names of the outputs, as in `mlp_encoder`.
        output_activation: Activation of the outputs.
        blocks: Number of residual blocks, with two convolutions each, after each halving
            convolution.
        maps: Whether the latents are flattened maps of the same size as the maps of the last
            convolution (Kingma et al., "Improving Variational Inference with Inverse Autoregressive
            Flow", 2016) instead of the outputs of a dense layer.
        levels: Number of levels of discrete images, starting at 0. The levels are scaled to
            [-1, 1]. If None, images are not scaled.
        name: Name of the model.

    Returns:
        A model that maps `[batch, *image_shape]` to a list of heads, or to a single head if there
        is only one. Each head is float32 `[batch, latent_dim]`.

    Example:
        >>> encoder = conv_encoder((28, 28, 1), latent_dim=32)
    """
    halved_sides(image_shape, len(filters), "filters")
    inputs = keras.Input(image_shape)
    x = scaled_levels(inputs, levels)
    for width in filters:
        x = he_conv(width, 3, strides=2, activation=activation)(x)
        x = _residual_blocks(x, blocks, activation)
    last = partial(layers.Dense, activation=output_activation, dtype="float32")
    if maps:
        channels = _channels(latent_dim, x.shape[1:])
        results = [
            layers.Flatten(dtype="float32", name=head)(last(channels)(x)) for head in heads
        ]
    else:
        x = layers.Flatten()(x)
        results = [last(latent_dim, name=head)(x) for head in heads]
    return keras.Model(inputs, results, name=name)


@checked_arguments
def conv_decoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 128,
    filters: tuple[int, ...] = (32, 64),
    activation: str = "relu",
    upsampling: str = "resize",
    blocks: CountFrom0 = 0,
    maps: bool = False,
    output_initializer: str = "he_normal",
    name: str = "decoder",
) -> keras.Model:
    """Builds the mirror image of the encoder, which returns the likelihood's parameters.

    Args:
        image_shape: Shape of the output: the shape of an example with `params_per_value` times as
            many channels.
        latent_dim: Number of latent dimensions.
        filters: Number of channels in each of the encoder's convolutions, in the same order as in
            the encoder.
        activation: Activation of all layers except the last.
        upsampling: `"resize"`, `"bilinear"`, `"transposed"`, or `"smoothed"`; see
            `networks.blocks.doubled`.
        blocks: Number of residual blocks before each doubling layer.
        maps: Whether the latents are maps, as in the encoder.
        output_initializer: Initializer of the last kernel. Use `"zeros"` for likelihoods with
            learned scales, because otherwise, the initial scales would be tiny at some pixels.
        name: Name of the model.

    Returns:
        A model that maps latents `[batch, latent_dim]` to float32 `[batch, *image_shape]`.

    Example:
        >>> decoder = conv_decoder((28, 28, 1), latent_dim=32, upsampling="transposed")
    """
    smallest = (*halved_sides(image_shape, len(filters), "filters"), filters[-1])
    inputs = keras.Input((latent_dim,))
    first = partial(layers.Dense, activation=activation, kernel_initializer="he_normal")
    if maps:
        x = layers.Reshape((*smallest[:2], _channels(latent_dim, smallest)))(inputs)
        x = first(filters[-1])(x)
    else:
        x = layers.Reshape(smallest)(first(math.prod(smallest))(inputs))
    x = _residual_blocks(x, blocks, activation)
    double = partial(doubled, upsampling=upsampling, use_bias=True)
    for width in reversed(filters[:-1]):
        x = double(x, width, initializer="he_normal", activation=activation)
        x = _residual_blocks(x, blocks, activation)
    x = double(x, image_shape[-1], initializer=output_initializer, activation=None)
    return keras.Model(inputs, float32(cropped(x, image_shape)), name=name)


def _channels(latent_dim, shape):
    height, width, _ = shape
    if latent_dim % (height * width):
        raise ValueError(
            f"latent_dim is {latent_dim}: expected a multiple of {height * width}, the number of "
            f"positions in maps of {height}x{width}."
        )
    return latent_dim // (height * width)


def _residual_blocks(x, blocks, activation):
    # He, Zhang, Ren, Sun: "Identity Mappings in Deep Residual Networks", ECCV 2016. Batch
    # normalization is omitted, and the second convolution is initialized to zero (Zhang, Dauphin,
    # Ma: "Fixup Initialization: Residual Learning Without Normalization", ICLR 2019).
    for _ in range(blocks):
        y = he_conv(x.shape[-1], 3)(layers.Activation(activation)(x))
        y = he_conv(x.shape[-1], 3, initializer="zeros")(layers.Activation(activation)(y))
        x = layers.Add()([x, y])
    return x
