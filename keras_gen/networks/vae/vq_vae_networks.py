"""Encoders and decoders of the VQ-VAE and the VQ-VAE-2 of images: residual, with grids of codes."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.networks.blocks import cropped, float32, halved_sides, he_conv


@checked_arguments
def residual_encoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 64,
    filters: int = 256,
    residual_filters: int = 256,
    blocks: CountFrom0 = 2,
    stages: int = 2,
    codes_per_place: int = 1,
) -> keras.Model:
    """Builds strided convolutions and residual blocks, to one or several latents at each place.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.1: 4x4 convolutions of stride 2, then blocks of ReLU, 3x3 convolution, ReLU, 1x1
    convolution, all with 256 channels. For CIFAR-10 it has 8x8 places with 10 latents each.
    Deviations, where the paper is silent: a ReLU between the convolutions and before the last one,
    a 1x1 convolution to the latents.

    Args:
        image_shape: `(height, width, channels)`, the sides at least 2^stages.
        latent_dim: Dimensions of a latent.
        filters: Channels of all maps.
        residual_filters: Channels between the two convolutions of a block.
        blocks: Number of residual blocks.
        stages: Number of strided convolutions; each halves the sides.
        codes_per_place: Latents at each place.

    Returns:
        A model from `[batch, *image_shape]` to float32 `[batch, height / 2^stages, width /
        2^stages, latent_dim]`, rounded up, or `[..., codes_per_place, latent_dim]` if they are
        several.

    Example:
        >>> encoder = residual_encoder((32, 32, 3), filters=64, residual_filters=32)
    """
    halved_sides(image_shape, stages, "stages")
    images = keras.Input(image_shape)
    x = _blocks(_halved(images, filters, stages), residual_filters, blocks)
    x = he_conv(latent_dim * codes_per_place, 1, dtype="float32")(x)
    if codes_per_place > 1:
        x = layers.Reshape((*x.shape[1:3], codes_per_place, latent_dim), dtype="float32")(x)
    return keras.Model(images, x, name="encoder")


@checked_arguments
def residual_decoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 64,
    filters: int = 256,
    residual_filters: int = 256,
    blocks: CountFrom0 = 2,
    stages: int = 2,
    codes_per_place: int = 1,
) -> keras.Model:
    """Builds the mirror image of `residual_encoder`, to the parameters of the likelihood.

    Van den Oord et al. (2017), sec. 4.1: residual blocks, then transposed 4x4 convolutions of
    stride 2. Deviations: a 3x3 convolution leads from the latents to the blocks; ReLU as in the
    encoder. Its arguments are the encoder's, but `image_shape` has `params_per_value` times the
    channels.

    Returns:
        A model from latents, shaped as the encoder returns them, to float32 `[batch,
        *image_shape]`.

    Example:
        >>> decoder = residual_decoder((32, 32, 3), filters=64, residual_filters=32)
    """
    height, width = halved_sides(image_shape, stages, "stages")
    several = (codes_per_place,) if codes_per_place > 1 else ()
    latents = keras.Input((height, width, *several, latent_dim))
    x = latents
    if several:
        x = layers.Reshape((height, width, codes_per_place * latent_dim))(x)
    x = _image(x, image_shape, filters, residual_filters, blocks, stages)
    return keras.Model(latents, x, name="decoder")


@checked_arguments
def vq_vae_2_networks(
    image_shape: tuple = (256, 256, 3),
    latent_dim: int = 64,
    filters: int = 128,
    residual_filters: int = 64,
    blocks: CountFrom0 = 2,
    stages: int = 2,
    params_per_value: int = 1,
) -> dict:
    """Builds the networks of a `keras_gen.vae.VQVAE2` of two levels, as a dict of its arguments.

    Razavi, van den Oord, Vinyals: "Generating Diverse High-Fidelity Images with VQ-VAE-2", NeurIPS
    2019, sec. 3.1 and fig. 2a: the bottom level has a quarter of the image's sides, the top level
    half of those. Convolutions and blocks are those of `residual_encoder`. The encoder of the
    bottom level takes its features and the top's codes, which pass residual blocks and a transposed
    convolution. The decoder takes the codes of both, the top's through a transposed convolution.

    Args:
        image_shape: `(height, width, channels)`, the sides at least 2^(stages + 1).
        latent_dim: Dimensions of a latent, of both levels.
        filters: Channels of all maps.
        residual_filters: Channels between the two convolutions of a block.
        blocks: Number of residual blocks in each network.
        stages: How often the bottom level halves the sides.
        params_per_value: Of the likelihood.

    Example:
        >>> networks = vq_vae_2_networks((64, 64, 3), filters=64, residual_filters=32)
    """
    height, width = halved_sides(image_shape, stages + 1, "stages")
    images = keras.Input(image_shape)
    features = _blocks(_halved(images, filters, stages), residual_filters, blocks)
    h_top = _blocks(_halved(features, filters, 1), residual_filters, blocks)
    outputs = [float32(features), he_conv(latent_dim, 1, dtype="float32")(h_top)]
    top_encoder = keras.Model(images, outputs, name="top_encoder")

    sides = features.shape[1:3]
    below = keras.Input(features.shape[1:])
    top = keras.Input((height, width, latent_dim))
    from_top = _blocks(he_conv(filters, 3)(top), residual_filters, blocks)
    h_bottom = layers.Concatenate()([below, cropped(_doubled(from_top, filters), sides)])
    h_bottom = he_conv(latent_dim, 1, dtype="float32")(h_bottom)
    encoder = keras.Model([below, top], h_bottom, name="encoder")

    bottom = keras.Input((*sides, latent_dim))
    top = keras.Input((height, width, latent_dim))
    x = layers.Concatenate()([bottom, cropped(_doubled(top, latent_dim), sides)])
    shape = (*image_shape[:-1], image_shape[-1] * params_per_value)
    x = _image(x, shape, filters, residual_filters, blocks, stages)
    decoder = keras.Model([bottom, top], x, name="decoder")
    return dict(top_encoder=top_encoder, encoder=encoder, decoder=decoder)


def _doubled(x, filters, **options):
    return he_conv(filters, 4, strides=2, layer=layers.Conv2DTranspose, **options)(x)


def _halved(x, filters, stages):
    """Maps of half the sides, `stages` times, without an activation after the last."""
    for stage in range(stages):
        x = he_conv(filters, 4, strides=2)(layers.ReLU()(x) if stage else x)
    return x


def _blocks(x, residual_filters, blocks):
    for _ in range(blocks):
        y = he_conv(residual_filters, 3)(layers.ReLU()(x))
        x = layers.Add()([x, he_conv(x.shape[-1], 1)(layers.ReLU()(y))])
    return layers.ReLU()(x)


def _image(x, image_shape, filters, residual_filters, blocks, stages):
    x = _blocks(he_conv(filters, 3)(x), residual_filters, blocks)
    for _ in range(stages - 1):
        x = _doubled(x, filters, activation="relu")
    return float32(cropped(_doubled(x, image_shape[-1]), image_shape))
