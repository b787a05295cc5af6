"""Generator and discriminator of DCGAN (Radford, Metz, Chintala 2016)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.networks.blocks import (
    batch_norm,
    conv,
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
            twice as many.
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
    x = conv(width, sides, layer=layers.Conv2DTranspose)(
        layers.Reshape((1, 1, latent_dim))(inputs)
    )
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
        filters: Number of channels in the first layer; every further stage has twice as many.
        normalization: Normalization after all layers except the first (sec. 3): `"batch"`,
            `"layer"`, or None; or `"spectral"`, for all kernels (Miyato et al. 2018). Penalties on
            the gradient of each image do not work with `"batch"`.
        name: Name of the model.

    Returns:
        A model that maps images in [-1, 1] to float32 logits `[batch]`.

    Example:
        >>> discriminator = dcgan_discriminator((32, 32, 1), filters=32)
    """
    images = keras.Input(image_shape)
    x = downsample(images, halvings(image_shape), filters, normalization)
    sides = x.shape[1:3]
    x = layers.Flatten()(conv(1, sides, use_bias=True, spectral=normalization == "spectral")(x))
    # The logits are float32, whatever the internal precision.
    return keras.Model(images, layers.Reshape((), dtype="float32")(x), name=name)
