"""DCGAN's networks, complete or without one of the guidelines (Radford, Metz, Chintala 2016)."""

from typing import Literal

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers import Conv2D, Conv2DTranspose, NearestEnlargement
from keras_gen.networks.blocks import (
    batch_norm,
    conv,
    cropped,
    downsample,
    halved_sides,
    halvings,
    upsample,
)


@checked_arguments
def dcgan_generator(
    image_shape: tuple = (64, 64, 3),
    latent_dim: int = 100,
    filters: int = 128,
    name: str = "generator",
) -> keras.Model:
    """Builds the generator of fig. 1: a small map, strided transposed convolutions, and tanh.

    For square images whose side is a power of two, the map has 4x4 pixels, as in the paper. For
    other sizes, the shorter side of the map has 4 to 7 pixels, and the image is cropped.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 8 pixels.
        latent_dim: Number of latent dimensions.
        filters: Number of channels before the last layer; 128 in the paper. Each earlier stage has
            twice as many channels as the next stage.
        name: Name of the model.

    Returns:
        A model that maps float latents `[batch, latent_dim]` to float32 images in [-1, 1].

    Example:
        >>> generator = dcgan_generator((32, 32, 1), latent_dim=64, filters=32)
    """
    stages = halvings(image_shape)
    sides = halved_sides(image_shape, stages, "image_shape")
    width = filters * 2 ** (stages - 1)
    inputs = keras.Input((latent_dim,))
    x = conv(width, sides, layer=Conv2DTranspose)(layers.Reshape((1, 1, latent_dim))(inputs))
    x = layers.ReLU()(batch_norm()(x))
    return keras.Model(inputs, upsample(x, stages, filters, image_shape), name=name)


@checked_arguments
def dcgan_discriminator(
    image_shape: tuple = (64, 64, 3),
    filters: int = 128,
    normalization: str | None = "batch",
    name: str = "discriminator",
) -> keras.Model:
    """Builds the mirror image of the generator: strided convolutions and leaky ReLU (slope 0.2).

    Args:
        image_shape: Shape of an image, as in `dcgan_generator`.
        filters: Number of channels in the first layer; each further stage doubles this number.
        normalization: Normalization after all layers except the first (sec. 3): `"batch"`,
            `"layer"`, or None. `"spectral"` normalizes all kernels instead (Miyato et al. 2018).
            Penalties on the gradient of each image do not work with `"batch"`.
        name: Name of the model.

    Returns:
        A model that maps images in [-1, 1] to float32 logits `[batch]`.

    Example:
        >>> discriminator = dcgan_discriminator((32, 32, 1), filters=32)
    """
    images = keras.Input(image_shape)
    x = downsample(images, halvings(image_shape), filters, normalization)
    sides = x.shape[1:3]
    spectral = normalization == "spectral"
    x = conv(1, sides, layer=Conv2D, use_bias=True, spectral=spectral)(x)
    x = layers.Flatten()(x)
    # The logits are float32, regardless of the internal precision.
    return keras.Model(images, layers.Reshape((), dtype="float32")(x), name=name)


@checked_arguments
def dcgan_without(
    guideline: Literal["strides", "normalization", "convolutions", "relu", "tanh", "leaky_relu"]
    | None = None,
    image_shape: tuple = (64, 64, 3),
    latent_dim: int = 100,
    filters: int = 128,
    hidden: int = 512,
    initializer: str | None = None,
) -> tuple[keras.Model, keras.Model]:
    """Builds DCGAN's networks without one of its stability guidelines, to show the effect.

    Args:
        guideline: Guideline to drop:

            - `"strides"`: the discriminator halves maps by max pooling after convolutions with
              stride 1, and the generator doubles maps by repeating pixels before convolutions with
              stride 1;
            - `"normalization"`: neither network has batch normalization;
            - `"convolutions"`: the generator starts with a hidden dense layer, and another hidden
              dense layer precedes the discriminator's logit;
            - `"relu"`: all layers of the generator use tanh;
            - `"tanh"`: the generator ends without an activation;
            - `"leaky_relu"`: the discriminator uses ReLU;
            - None: nothing is dropped; the result is `dcgan_generator` and `dcgan_discriminator`.
        image_shape: `(height, width, channels)`, with sides of at least 8 pixels.
        latent_dim: Number of latent dimensions.
        filters: Number of channels in the largest maps. Maps with half the side length have twice
            as many channels.
        hidden: Number of units in the dense layers that `"convolutions"` adds.
        initializer: Initializer of all convolution kernels. If None, N(0, 0.02) is used, as in sec.
            4.

    Returns:
        The generator, which maps latents `[batch, latent_dim]` to images (in [-1, 1] unless
        `"tanh"` is dropped), and the discriminator, which maps images to logits `[batch]`.

    Example:
        >>> generator, discriminator = dcgan_without("leaky_relu", (32, 32, 1), filters=32)
    """
    stages = halvings(image_shape)
    sides = halved_sides(image_shape, stages, "image_shape")
    normalized = guideline != "normalization"

    def norm(x):
        return batch_norm()(x) if normalized else x

    latents = keras.Input((latent_dim,))
    activation = "tanh" if guideline == "relu" else "relu"
    x = latents
    if guideline == "convolutions":
        x = layers.Activation(activation)(norm(layers.Dense(hidden, use_bias=False)(x)))
    x = layers.Reshape((1, 1, x.shape[-1]))(x)
    width = filters * 2 ** (stages - 1)
    x = conv(
        width,
        sides,
        use_bias=not normalized,
        initializer=initializer,
        layer=Conv2DTranspose,
    )(x)
    x = layers.Activation(activation)(norm(x))

    def double(x, channels, **options):
        options |= dict(padding="same", initializer=initializer)
        if guideline == "strides":
            return conv(channels, 4, **options)(NearestEnlargement()(x))
        return conv(channels, 4, strides=2, layer=Conv2DTranspose, **options)(x)

    for stage in reversed(range(stages - 1)):
        x = double(x, filters * 2**stage, use_bias=not normalized)
        x = layers.Activation(activation)(norm(x))
    x = double(x, image_shape[-1], use_bias=True)
    x = cropped(x, image_shape)
    end = "linear" if guideline == "tanh" else "tanh"
    x = layers.Activation(end, dtype="float32")(x)
    generator = keras.Model(latents, x, name="generator")

    images = keras.Input(image_shape)
    slope = 0.0 if guideline == "leaky_relu" else 0.2
    x = images
    for stage in range(stages):
        bare = stage == 0 or not normalized
        strides = 1 if guideline == "strides" else 2
        x = conv(
            filters * 2**stage,
            4,
            use_bias=bare,
            initializer=initializer,
            strides=strides,
            padding="same",
        )(x)
        x = layers.LeakyReLU(negative_slope=slope)(x if bare else norm(x))
        if guideline == "strides":
            x = layers.MaxPooling2D(padding="same")(x)
    if guideline == "convolutions":
        x = layers.Dense(hidden, use_bias=False)(layers.Flatten()(x))
        x = layers.LeakyReLU(negative_slope=slope)(norm(x))
        x = layers.Dense(1)(x)
    else:
        x = conv(1, sides, layer=Conv2D, use_bias=True, initializer=initializer)(x)
        x = layers.Flatten()(x)
    # The logits are float32, regardless of the internal precision.
    logits = layers.Reshape((), dtype="float32")(x)
    return generator, keras.Model(images, logits, name="discriminator")
