"""Progressively growing generator and discriminator (Karras, Aila, Laine, Lehtinen 2018)."""

import itertools

import keras
from keras import layers, ops

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers import (
    EqualizedConv2D,
    EqualizedDense,
    MinibatchStddev,
    NearestEnlargement,
    PixelNormalization,
)
from keras_gen.networks.blocks import halvings_of_square

LEAKY = "leaky_relu"  # with slope 0.2


@checked_arguments
def progressive_generator(
    image_shape: tuple = (128, 128, 3),
    latent_dim: int = 512,
    filters: int = 512,
    width: int = 16_384,
) -> keras.Model:
    """Builds the generator in table 2, with an output at every size from 4x4 up.

    Each size has two 3x3 convolutions with equalized learning rate, each followed by leaky ReLU and
    pixel normalization. Pixels are repeated to double the size. A 1x1 convolution returns colors,
    without a tanh. An output that fades in is mixed with the enlarged previous output (fig. 2).
    Deviation: the first layer has one bias per position and channel instead of one per channel.

    Args:
        image_shape: `(side, side, channels)`, where the side is a power of two, at least 8.
        latent_dim: Number of dimensions of the latents, which the first layer normalizes.
        filters: Maximum number of channels in a map.
        width: Maximum product of the number of channels and the side. By default, the number of
            channels is halved with each size beyond 32x32.

    Returns:
        A model that maps latents `[batch, latent_dim]` and fractions `[batch]` in [0, 1], by which
        outputs have faded in, to a list of float32 images: 4x4, 8x8, and so on, up to
        `image_shape`.

    Example:
        >>> generator = progressive_generator((32, 32, 3), latent_dim=64, filters=32, width=512)
    """
    latents = keras.Input((latent_dim,))
    fade = keras.Input(())
    x = PixelNormalization()(latents)
    last = None
    images = []
    for side in sides(image_shape):
        count = channels(side, filters, width)
        if side == 4:
            # With this gain, as in the authors' code, inputs with variance 1 yield variance 1 in
            # all layers.
            x = EqualizedDense(16 * count, gain=2**0.5 / 4, activation=LEAKY)(x)
            x = PixelNormalization()(layers.Reshape((4, 4, count))(x))
        else:
            x = _normalized(NearestEnlargement()(x), count)
        x = _normalized(x, count)
        colors = EqualizedConv2D(image_shape[-1], 1, gain=1.0, dtype="float32")(x)
        images.append(
            colors if last is None else faded(NearestEnlargement()(last), colors, fade)
        )
        last = colors
    return keras.Model([latents, fade], images, name="generator")


@checked_arguments
def progressive_discriminator(
    image_shape: tuple = (128, 128, 3),
    filters: int = 512,
    width: int = 16_384,
    group_size: int | None = 4,
) -> keras.Model:
    """Builds the mirror image of the generator, which accepts images of every size from 4x4 up.

    The features of a size that fades in are mixed with the features of the image at half this size
    (fig. 2). The standard deviation over groups of examples is an additional channel at 4x4. For
    the arguments, see `progressive_generator`; for `group_size`, see `MinibatchStddev`.

    Returns:
        A model that maps images `[batch, side, side, channels]` and fractions `[batch]` in [0, 1],
        by which sizes have faded in, to a list of float32 logits `[batch]`. Entry n is for images
        with 2^(n + 2) pixels per side.

    Example:
        >>> discriminator = progressive_discriminator((32, 32, 3), filters=32, width=512)
    """
    images = keras.Input((None, None, image_shape[-1]))
    fade = keras.Input(())
    counts = [channels(side, filters, width) for side in sides(image_shape)]
    smaller = layers.AveragePooling2D(2)
    enter = [EqualizedConv2D(count, 1, activation=LEAKY) for count in counts]
    blocks = [
        [_convolution(after), _convolution(before), layers.AveragePooling2D(2)]
        for before, after in itertools.pairwise(counts)
    ]
    end = discriminator_end(counts[0], group_size)
    logits = []
    for level in range(len(counts)):
        x = enter[level](images)
        for number in reversed(range(level)):
            for layer in blocks[number]:
                x = layer(x)
            if number == level - 1:
                x = faded(enter[number](smaller(images)), x, fade)
        for layer in end:
            x = layer(x)
        logits.append(x)
    return keras.Model([images, fade], logits, name="discriminator")


def discriminator_end(count: int, group_size: int | None) -> list[layers.Layer]:
    """Returns the last layers of the discriminator, from 4x4 maps of `count` channels to logits."""
    return [
        MinibatchStddev(group_size),
        _convolution(count),
        layers.Reshape((16 * count,)),
        EqualizedDense(count, activation=LEAKY),
        EqualizedDense(1, gain=1.0),
        layers.Reshape((), dtype="float32"),
    ]


def faded(before, after, fraction):
    """Returns (1 - fraction) * before + fraction * after, for maps and fractions `[batch]`."""
    fraction = ops.reshape(fraction, (-1, 1, 1, 1))
    return (1.0 - fraction) * before + fraction * after


def resized(images, side: int):
    """Resizes images to `side` by averaging over squares or by repeating pixels.

    The images are square, `[batch, any, any, channels]`, and the ratio of the old and new sides is
    a power of two.
    """
    found = images.shape[1]
    if found > side:
        return ops.average_pool(images, found // side)
    for axis in (1, 2):
        images = ops.repeat(images, side // found, axis=axis)
    return images


def sides(image_shape: tuple) -> list[int]:
    """Returns the side lengths of the images: 4, 8, and so on, up to the side of `image_shape`."""
    return [4 << number for number in range(halvings_of_square(image_shape) + 1)]


def channels(side: int, filters: int, width: int) -> int:
    """Returns the number of channels: the smaller of `filters` and `width // side`, at least 1."""
    return max(1, min(filters, width // side))


def _convolution(count):
    return EqualizedConv2D(count, 3, activation=LEAKY)


def _normalized(x, count):
    return PixelNormalization()(_convolution(count)(x))
