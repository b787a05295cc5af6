"""PatchGAN discriminator (Isola et al. 2017)."""

import keras
from keras import layers

from keras_gen.layers import InstanceNormalization
from keras_gen.networks.blocks import conv, float32


def patch_discriminator(
    image_shape: tuple = (256, 256, 3),
    filters: int = 64,
    strided_layers: int = 3,
    name: str = "discriminator",
) -> keras.Model:
    """Builds C64-C128-C256-C512 and a last convolution to one logit a patch.

    With three strided layers each logit depends on 70x70 pixels (Zhu et al. 2017, app. 7.2); with
    two, on 34x34. The first layer has no normalization; leaky ReLU has slope 0.2.

    Args:
        image_shape: `(height, width, channels)`, sides of at least 3 * 2^strided_layers or None.
        filters: Channels of the first layer; they double at most three times.
        strided_layers: Layers of stride 2, before two of stride 1.
        name: Name of the model.

    Returns:
        A model from float images in [-1, 1] to float32 logits `[batch, h, w, 1]`.

    Example:
        >>> discriminator = patch_discriminator((128, 128, 3))
    """
    sides = [side for side in image_shape[:2] if side is not None]
    if any(side >> strided_layers < 3 for side in sides):
        raise ValueError(
            f"Images of {image_shape[0]}x{image_shape[1]} are too small for {strided_layers} "
            f"strided layers: use at least {3 << strided_layers} pixels or fewer layers."
        )
    images = keras.Input(image_shape)
    x = images
    for layer in range(strided_layers + 1):
        stride = 2 if layer < strided_layers else 1
        width = filters * 2 ** min(layer, 3)
        x = conv(width, 4, strides=stride, use_bias=layer == 0)(layers.ZeroPadding2D(1)(x))
        if layer:
            x = InstanceNormalization()(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    logits = conv(1, 4, use_bias=True)(layers.ZeroPadding2D(1)(x))
    return keras.Model(images, float32(logits), name=name)
