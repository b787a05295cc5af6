"""PatchGAN discriminator (Isola et al. 2017)."""

import keras
import numpy as np
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import Conv2D, InstanceNormalization
from keras_gen.networks.blocks import conv, float32, halvings, reflect_pad

NORMALIZATIONS = ("instance", "spectral")


@checked_arguments(open_sides=True)
def patch_discriminator(
    image_shape: tuple = (256, 256, 3),
    filters: int = 64,
    strided_layers: CountFrom0 | None = None,
    normalization: str = "instance",
    scales: int = 1,
    reflect: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds C64-C128-C256-C512 and a final convolution that returns one logit per patch.

    With three strided layers, each logit depends on 70x70 pixels (Zhu et al. 2017, app. 7.2); with
    two strided layers, on 34x34 pixels. The first layer is not normalized, and leaky ReLU has slope
    0.2.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 3 * 2^strided_layers, or
            None.
        filters: Number of channels in the first layer. Further layers double this number at most
            three times.
        strided_layers: Number of layers with stride 2, which precede two layers with stride 1. If
            None, 3 strided layers are used, as in the paper, or fewer for images below 24 pixels.
        normalization: `"instance"`, the paper's choice, normalizes the outputs of all layers except
            the first, but amplifies noise in flat areas. `"spectral"` (Miyato et al. 2018)
            normalizes all kernels instead and does not amplify noise.
        scales: Number of networks, each applied to images half as large as the previous network's
            images (Wang et al.: "High-Resolution Image Synthesis and Semantic Manipulation with
            Conditional GANs", CVPR 2018, sec. 3.2), so that both brushstrokes and the arrangement
            of brushstrokes are judged. More than one scale requires images of known size.
        reflect: Whether layers pad by reflection. Zero padding reveals the borders of the image to
            the discriminator.
        name: Name of the model.

    Returns:
        A model that maps float images in [-1, 1] to float32 logits `[batch, h, w, scales]`. The
        logits of smaller images are repeated, so that all scales have equal weights.

    Example:
        >>> discriminator = patch_discriminator((128, 128, 3))
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"normalization is {normalization!r}: expected one of {', '.join(NORMALIZATIONS)}."
        )
    sides = [side for side in image_shape[:2] if side is not None]
    if strided_layers is None:
        strided_layers = min(3, halvings(tuple(sides), smallest=3)) if len(sides) == 2 else 3
    if scales < 1 or (scales > 1 and len(sides) < 2):
        raise ValueError(
            f"scales is {scales} for images of {image_shape[0]}x{image_shape[1]}: expected 1 "
            "scale, or any number of scales for images of known size."
        )
    if any(side >> strided_layers + scales - 1 < 3 for side in sides):
        raise ValueError(
            f"Images of {image_shape[0]}x{image_shape[1]} are too small for {strided_layers} "
            f"strided layers at {scales} scales: use sides of at least "
            f"{3 << strided_layers + scales - 1} pixels, fewer layers, or fewer scales."
        )
    images = keras.Input(image_shape)
    x = images
    options = (filters, strided_layers, normalization, reflect)
    logits = [_patch_logits(x, *options)]
    for _ in range(scales - 1):
        x = layers.AveragePooling2D(2)(x)
        coarse = _patch_logits(x, *options)
        # Each logit is repeated at the nearest positions of the first scale.
        for axis in (1, 2):
            size = logits[0].shape[axis]
            nearest = np.arange(size) * coarse.shape[axis] // size
            coarse = keras.ops.take(coarse, nearest, axis=axis)
        logits.append(coarse)
    outputs = layers.Concatenate(dtype="float32")(logits) if scales > 1 else logits[0]
    return keras.Model(images, outputs, name=name)


def _patch_logits(x, filters, strided_layers, normalization, reflect):
    """Returns the layers of one scale, applied to its images."""
    spectral = normalization == "spectral"

    def padded(x):
        return reflect_pad(x, 1) if reflect else layers.ZeroPadding2D(1)(x)

    for layer in range(strided_layers + 1):
        stride = 2 if layer < strided_layers else 1
        width = filters * 2 ** min(layer, 3)
        bare = layer == 0 or spectral
        x = conv(width, 4, strides=stride, use_bias=bare, spectral=spectral)(padded(x))
        if not bare:
            x = InstanceNormalization()(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return float32(conv(1, 4, layer=Conv2D, use_bias=True, spectral=spectral)(padded(x)))
