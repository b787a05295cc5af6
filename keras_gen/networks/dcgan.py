"""Generator and discriminator of DCGAN (Radford, Metz, Chintala 2016)."""

import keras
from keras import layers

from keras_gen.networks.blocks import conv


def _stages(image_shape, smallest: int = 4) -> int:
    """Number of halvings from the image to a 4x4 map."""
    height, width = image_shape[:2]
    stages = max(height // smallest, 1).bit_length() - 1
    if height != width or smallest << stages != height or stages < 1:
        raise ValueError(
            f"DCGAN's networks are for squares of 8, 16, 32, 64, ... pixels, not {height}x{width}: "
            "pad or resize the images (keras_gen.data.pad_to)."
        )
    return stages


def _batch_norm():
    # Synchronised, so that replicas equal one device. The momentum is that of the authors' code
    # (0.9): Keras' 0.99 lags behind in short trainings.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=True)


def dcgan_generator(
    image_shape: tuple = (64, 64, 3), latents: int = 100, filters: int = 128, name="generator"
) -> keras.Model:
    """Builds the generator of fig. 1: a 4x4 map, then strided transposed convolutions to tanh.

    Args:
        image_shape: `(side, side, channels)`, the side a power of two of at least 8.
        latents: Size of the latent vector.
        filters: Channels before the last layer, 128 in the paper; they double with every stage.
        name: Name of the model.

    Returns:
        A model from float latents `[batch, latents]` to float32 images in [-1, 1].

    Raises:
        ValueError: If the side is not such a power of two.

    Example:
    ```python
    generator = dcgan_generator((32, 32, 1), latents=64, filters=32)
    ```
    """
    stages = _stages(image_shape)
    width = filters * 2 ** (stages - 1)
    inputs = keras.Input((latents,))
    x = conv(width, 4, layer=layers.Conv2DTranspose)(layers.Reshape((1, 1, latents))(inputs))
    x = layers.ReLU()(_batch_norm()(x))
    for stage in reversed(range(stages - 1)):
        x = _upsample(filters * 2**stage)(x)
        x = layers.ReLU()(_batch_norm()(x))
    x = _upsample(image_shape[-1], use_bias=True)(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name=name)


def dcgan_discriminator(
    image_shape: tuple = (64, 64, 3), filters: int = 128, name: str = "discriminator"
) -> keras.Model:
    """Builds the mirror image of the generator: strided convolutions, leaky ReLU of slope 0.2.

    No batch normalisation in the first layer (sec. 3).

    Args:
        image_shape: `(side, side, channels)`, the side a power of two of at least 8.
        filters: Channels of the first layer; they double with every stage.
        name: Name of the model.

    Returns:
        A model from images in [-1, 1] to float32 logits `[batch]`.

    Raises:
        ValueError: If the side is not such a power of two.

    Example:
    ```python
    discriminator = dcgan_discriminator((32, 32, 1), filters=32)
    ```
    """
    images = keras.Input(image_shape)
    x = images
    for stage in range(_stages(image_shape)):
        x = conv(filters * 2**stage, 4, strides=2, padding="same", use_bias=stage == 0)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(_batch_norm()(x) if stage else x)
    x = layers.Flatten()(conv(1, 4, use_bias=True)(x))
    # The logits leave in float32 whatever the precision inside.
    return keras.Model(images, layers.Reshape((), dtype="float32")(x), name=name)


def _upsample(width: int, use_bias: bool = False):
    return conv(
        width, 4, strides=2, padding="same", use_bias=use_bias, layer=layers.Conv2DTranspose
    )
