"""Convolutional encoder and decoder for latent-variable models of small images."""

import math
from functools import partial

import keras
from keras import layers

from keras_gen.networks.blocks import conv, doubled, halved_sides, residual

# Without normalization the weights have to keep the scale of what passes through them.
KEEP_SCALE = dict(use_bias=True, initializer="he_normal")


def conv_encoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 128,
    filters: tuple[int, ...] = (32, 64),
    activation: str = "relu",
    heads: tuple[str, ...] = ("codes",),
    output_activation: str | None = None,
    blocks: int = 0,
    maps: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """Builds strided 3x3 convolutions, each halving the sides, and a dense layer to the latents.

    Masci, Meier, Ciresan, Schmidhuber: "Stacked Convolutional Auto-Encoders for Hierarchical
    Feature Extraction", ICANN 2011, whose code is made of maps and here is dense.

    Deviations from it: strides in place of max pooling (Springenberg et al. 2015), ReLU in place of
    a scaled tanh, no pretraining layer by layer.

    Args:
        image_shape: `(height, width, channels)`, both sides multiples of 2^(number of layers), such
            as 28x28x1, 32x32x3 or 64x64x3 with two.
        latent_dim: Dimensions of the latents.
        filters: Channels of each convolution.
        activation: After each convolution.
        heads: Names of the layers that the last map feeds, as of `mlp_encoder`.
        output_activation: Of the outputs.
        blocks: Residual blocks of two convolutions after each of those that halve: see
            `keras_gen.networks.blocks.residual`.
        maps: Whether the latents are maps, of the sides of the last convolution's, and flattened
            (Kingma et al., "Improving Variational Inference with Inverse Autoregressive Flow",
            2016). Else each is made of all places, by a dense layer.
        name: Name of the model.

    Returns:
        A model from `[batch, *image_shape]` to the list of heads, or to the only one, float32
        `[batch, latent_dim]` each.

    Raises:
        ValueError: If the convolutions cannot halve the sides, or the latents are no whole maps.

    Example:
    ```python
    encoder = conv_encoder((28, 28, 1), latent_dim=32)
    ```
    """
    halved_sides(image_shape, len(filters), "filters")
    inputs = keras.Input(image_shape)
    x = inputs
    for width in filters:
        x = conv(width, 3, strides=2, padding="same", **_options(activation))(x)
        x = _refined(x, blocks, activation)
    last = partial(layers.Dense, activation=output_activation, dtype="float32")
    if maps:
        channels = _channels(latent_dim, x.shape[1:])
        results = [layers.Flatten(dtype="float32", name=head)(last(channels)(x)) for head in heads]
    else:
        x = layers.Flatten()(x)
        results = [last(latent_dim, name=head)(x) for head in heads]
    return keras.Model(inputs, results, name=name)


def conv_decoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 128,
    filters: tuple[int, ...] = (32, 64),
    activation: str = "relu",
    upsampling: str = "resize",
    blocks: int = 0,
    maps: bool = False,
    output_initializer: str = "he_normal",
    name: str = "decoder",
) -> keras.Model:
    """Builds the mirror image of the encoder, to the parameters of the likelihood.

    Args:
        image_shape: Shape of the parameters: that of an example, with more channels if the
            likelihood has several parameters per value.
        latent_dim: Dimensions of the latents.
        filters: Channels of the encoder's convolutions, in its order.
        activation: Of all layers but the last.
        upsampling: `"transposed"` convolutions, the usual mirror image, which overlap unevenly and
            so tend to draw checkerboards; `"resize"`, which has as many weights and draws none; or
            `"smoothed"`: see `keras_gen.networks.blocks.doubled`.
        blocks: Residual blocks before each of the layers that double, as of the encoder.
        maps: Whether the latents are maps, as of the encoder.
        output_initializer: Of the last kernel; `"zeros"` for likelihoods whose scales are among
            the outputs, which otherwise are tiny at some pixels at the start.
        name: Name of the model.

    Returns:
        A model from latents `[batch, latent_dim]` to float32 `[batch, *image_shape]`.

    Raises:
        ValueError: If the layers cannot double up to the sides, the latents are no whole maps, or
            `upsampling` is unknown.

    Example:
    ```python
    decoder = conv_decoder((28, 28, 1), latent_dim=32, upsampling="transposed")
    ```
    """
    smallest = (*halved_sides(image_shape, len(filters), "filters"), filters[-1])
    inputs = keras.Input((latent_dim,))
    first = partial(layers.Dense, activation=activation, kernel_initializer="he_normal")
    if maps:
        x = layers.Reshape((*smallest[:2], _channels(latent_dim, smallest)))(inputs)
        x = first(filters[-1])(x)
    else:
        x = layers.Reshape(smallest)(first(math.prod(smallest))(inputs))
    x = _refined(x, blocks, activation)
    for width in reversed(filters[:-1]):
        x = _refined(doubled(x, width, upsampling, **_options(activation)), blocks, activation)
    options = _options(None) | dict(initializer=output_initializer)
    x = doubled(x, image_shape[-1], upsampling, **options)
    # The parameters leave in float32 whatever the precision inside.
    return keras.Model(inputs, layers.Activation("linear", dtype="float32")(x), name=name)


def _channels(latent_dim, shape):
    """Channels of latents that are maps of a shape's sides."""
    height, width, _ = shape
    if latent_dim % (height * width):
        raise ValueError(
            f"latent_dim is {latent_dim}: maps of {height}x{width} have a multiple of "
            f"{height * width} latents."
        )
    return latent_dim // (height * width)


def _refined(x, blocks, activation):
    """Maps after residual blocks."""
    for _ in range(blocks):
        x = residual(x, activation, **KEEP_SCALE)
    return x


def _options(activation):
    return KEEP_SCALE | dict(activation=activation)
