"""Generator and discriminator of InfoGAN for digits: a few convolutions and dense layers."""

import math

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.networks.added_inputs_and_heads import with_codes, with_head
from keras_gen.networks.blocks import batch_norm, downsample, halved_sides, upsample


@checked_arguments
def info_gan_generator(
    image_shape: tuple = (28, 28, 1),
    latent_dim: int = 74,
    filters: int = 64,
    hidden: int = 1024,
) -> keras.Model:
    """Builds two dense layers that yield a map at 1/4 size, and two transposed convolutions.

    Chen et al.: "InfoGAN", NeurIPS 2016, app. C.1, table 1. Batch normalization and ReLU follow all
    layers except the last. Deviation: the network ends with a tanh, for images in [-1, 1].

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 4 pixels.
        latent_dim: Number of dimensions of the latents and codes together; 62 + 12 in the paper.
        filters: Number of channels in the larger map; the smaller map has twice as many.
        hidden: Number of units in the first dense layer.

    Returns:
        A model that maps float latents `[batch, latent_dim]` to float32 images in [-1, 1].

    Example:
        >>> generator = info_gan_generator((28, 28, 1), latent_dim=16, filters=8, hidden=32)
    """
    places = (*halved_sides(image_shape, 2, "image_shape"), 2 * filters)
    inputs = keras.Input((latent_dim,))
    x = inputs
    for units in (hidden, math.prod(places)):
        x = layers.ReLU()(batch_norm()(layers.Dense(units, use_bias=False)(x)))
    images = upsample(layers.Reshape(places)(x), 2, filters, image_shape)
    return keras.Model(inputs, images, name="generator")


@checked_arguments
def info_gan_discriminator(
    image_shape: tuple = (28, 28, 1),
    filters: int = 64,
    hidden: int = 1024,
    normalization: str | None = "batch",
) -> keras.Model:
    """Builds two convolutions with stride 2, a dense layer, and one logit.

    Chen et al.: "InfoGAN", NeurIPS 2016, app. C.1, table 1. Deviation: after convolutions, leaky
    ReLU has a slope of 0.2, as in DCGAN.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 4 pixels.
        filters: Number of channels in the first convolution; the second convolution has twice as
            many.
        hidden: Number of units in the dense layer.
        normalization: Normalization of all layers except the first: `"batch"`, `"layer"`, or None.

    Returns:
        A model that maps images in [-1, 1] to float32 logits `[batch, 1]`.

    Example:
        >>> discriminator = info_gan_discriminator((28, 28, 1), filters=8, hidden=32)
    """
    halved_sides(image_shape, 2, "image_shape")
    images = keras.Input(image_shape)
    x = layers.Flatten()(downsample(images, 2, filters, normalization))
    x = layers.Dense(hidden, use_bias=normalization is None)(x)
    if normalization:
        x = batch_norm()(x) if normalization == "batch" else layers.LayerNormalization()(x)
    x = layers.LeakyReLU(negative_slope=0.1)(x)
    logits = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


@checked_arguments
def info_gan_networks(
    image_shape: tuple = (28, 28, 1),
    latent_dim: int = 62,
    classes: int = 10,
    continuous: CountFrom0 = 2,
    filters: int = 64,
    hidden: int = 1024,
    normalization: str | None = "batch",
    scales: bool = True,
) -> tuple[keras.Model, keras.Model]:
    """Builds a generator that accepts codes, and a discriminator that also predicts them.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 4 pixels.
        latent_dim: Number of latent dimensions, without the codes.
        classes: Total number of classes in all categorical codes.
        continuous: Number of continuous codes.
        filters: Number of channels in the largest maps.
        hidden: Number of units in the dense layer of each network.
        normalization: Normalization of the discriminator; see `info_gan_discriminator`.
        scales: Whether the discriminator predicts a scale for each continuous code in addition to a
            mean.

    Returns:
        The generator, which maps latents `[batch, latent_dim]` and codes
        `[batch, classes + continuous]` to images, and the discriminator, which maps images to
        logits `[batch, 1]` and to the parameters of the codes. The parameters are computed with an
        additional layer of 128 units, and have the shape `[batch, classes + 2 * continuous]`, or
        `[batch, classes + continuous]` without scales.

    Example:
        >>> generator, discriminator = info_gan_networks((28, 28, 1), filters=8, hidden=32)
    """
    codes = classes + continuous
    generator = info_gan_generator(image_shape, latent_dim + codes, filters, hidden)
    body = info_gan_discriminator(image_shape, filters, hidden, normalization)
    outputs = codes + scales * continuous
    return with_codes(generator, codes), with_head(body, outputs, "codes", hidden=128)
