"""The networks of StyleGAN (Karras et al. 2019 and 2020)."""

import itertools

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import (
    AdaptiveInstanceNormalization,
    EqualizedConv2D,
    EqualizedDense,
    LearnedConstant,
    ModulatedConv2D,
    NearestEnlargement,
    NoisyActivation,
    PixelNormalization,
)
from keras_gen.networks.blocks import float32
from keras_gen.networks.gan.progressive_networks import LEAKY, channels, discriminator_end, sides

STYLINGS = ("modulated", "adain")


@checked_arguments
def style_mapping(
    latent_dim: int = 512,
    style_dim: int = 512,
    depth: CountFrom0 = 8,
    rate: float = 0.01,
) -> keras.Model:
    """Builds the network f (fig. 1b of Karras et al. 2019), which maps latents z to styles w.

    Args:
        latent_dim: Number of dimensions of z, which is normalized first.
        style_dim: Number of dimensions of w, and of units in each layer.
        depth: Number of dense layers.
        rate: Factor applied to the learning rate of the layers (appendix C).

    Returns:
        A model that maps latents `[batch, latent_dim]` to float32 styles `[batch, style_dim]`.

    Example:
        >>> mapping = style_mapping(latent_dim=64, style_dim=64, depth=4)
    """
    latents = keras.Input((latent_dim,))
    x = PixelNormalization()(latents)
    for _ in range(depth):
        x = EqualizedDense(style_dim, rate=rate, activation=LEAKY)(x)
    return keras.Model(latents, float32(x), name="mapping")


@checked_arguments
def style_generator(
    image_shape: tuple = (128, 128, 3),
    style_dim: int = 512,
    filters: int = 512,
    width: int = 16_384,
    styling: str = "modulated",
) -> keras.Model:
    """Builds the synthesis network, which turns learned 4x4 maps, styles, and noise into an image.

    In two respects, `"modulated"` follows the authors' 2019 code instead of their 2020 code: sizes
    are doubled before a convolution, with the filter [1, 2, 1] instead of [1, 3, 3, 1], and each
    channel has its own noise strength.

    Args:
        image_shape: `(side, side, channels)`, where the side is a power of two, at least 8.
        style_dim: Number of dimensions of a style.
        filters: Maximum number of channels, as in `progressive_generator`.
        width: Maximum product of the number of channels and the side, as in
            `progressive_generator`.
        styling: Method for applying styles. `"modulated"`: the kernels are scaled (Karras et al.
            2020, fig. 2d), and the colors of all sizes are summed (fig. 7b). `"adain"`: the maps
            are normalized and scaled (Karras et al. 2019, fig. 1b).

    Returns:
        A model that maps styles `[batch, layers, style_dim]`, with two layers per size, and
        standard normal noise `[batch, pixels]`, with two maps per size, to float32 images without a
        tanh.

    Example:
        >>> generator = style_generator((32, 32, 3), style_dim=64, filters=32, width=512)
    """
    if styling not in STYLINGS:
        raise ValueError(f"styling is {styling!r}: expected one of {', '.join(STYLINGS)}.")
    steps = [(side, channels(side, filters, width)) for side in sides(image_shape)]
    styles = keras.Input((2 * len(steps), style_dim))
    noise = keras.Input((sum(2 * side**2 for side, _ in steps),))
    build = _modulated if styling == "modulated" else _normalized
    images = build(styles, noise, steps, image_shape[-1])
    return keras.Model([styles, noise], images, name="generator")


def _modulated(styles, noise, steps, colors):
    """Returns images as in Karras et al. (2020), figs. 2d and 7b.

    Colors share a style with the next layer.
    """
    x = LearnedConstant((4, 4, steps[0][1]))(styles)
    images = None
    offset = 16  # The first noise map at 4x4 is not used, because there is only one convolution.
    for level, (side, count) in enumerate(steps):
        for number in [2 * level - 1, 2 * level] if level else [0]:
            x = _doubled(x) if number % 2 else x
            x = ModulatedConv2D(count, 3)([x, styles[:, number]])
            x = NoisyActivation(offset, gain=2**0.5)([x, noise])
            offset += side**2
        color = ModulatedConv2D(colors, 1, demodulate=False, use_bias=True, dtype="float32")
        shown = color([x, styles[:, 2 * level + 1]])
        images = (
            shown if images is None else layers.Add(dtype="float32")([_doubled(images), shown])
        )
    return images


def _normalized(styles, noise, steps, colors):
    """Returns images as in Karras et al. (2019), fig. 1b."""
    x = LearnedConstant((4, 4, steps[0][1]))(styles)
    offset = 0
    for level, (side, count) in enumerate(steps):
        for part in range(2):
            if level or part:
                x = x if part else _doubled(x)
                x = EqualizedConv2D(count, 3, use_bias=False)(x)
            x = NoisyActivation(offset)([x, noise])
            x = AdaptiveInstanceNormalization()([x, styles[:, 2 * level + part]])
            offset += side**2
    return EqualizedConv2D(colors, 1, gain=1.0, dtype="float32")(x)


@checked_arguments
def style_discriminator(
    image_shape: tuple = (128, 128, 3),
    filters: int = 512,
    width: int = 16_384,
    group_size: int | None = 4,
) -> keras.Model:
    """Builds the residual discriminator in fig. 7c of Karras et al. (2020).

    Deviation: sizes are halved by 2x2 means instead of the filter [1, 3, 3, 1] and strides. The
    function accepts the arguments of `progressive_discriminator`, and returns a model that maps
    images `[batch, *image_shape]` to float32 logits `[batch]`.

    Example:
        >>> discriminator = style_discriminator((32, 32, 3), filters=32, width=512)
    """
    images = keras.Input(image_shape)
    counts = [channels(side, filters, width) for side in reversed(sides(image_shape))]
    x = EqualizedConv2D(counts[0], 1, activation=LEAKY)(images)
    for before, after in itertools.pairwise(counts):
        y = EqualizedConv2D(before, 3, activation=LEAKY)(x)
        # The gains of both branches are divided by sqrt(2), so that the sum keeps the variance.
        y = layers.AveragePooling2D(2)(EqualizedConv2D(after, 3, gain=1.0, activation=LEAKY)(y))
        x = layers.AveragePooling2D(2)(x)
        x = EqualizedConv2D(after, 1, gain=2**-0.5, use_bias=False)(x)
        x = layers.Add()([x, y])
    for layer in discriminator_end(counts[-1], group_size):
        x = layer(x)
    return keras.Model(images, x, name="discriminator")


def _doubled(x):
    """Repeats pixels to double height and width, then smooths with the filter [1, 2, 1] / 4."""
    x = layers.ZeroPadding2D(1)(NearestEnlargement()(x))
    # Averaging neighbors twice applies the filter 1, 2, 1 along each axis.
    return layers.AveragePooling2D(2, strides=1)(layers.AveragePooling2D(2, strides=1)(x))
