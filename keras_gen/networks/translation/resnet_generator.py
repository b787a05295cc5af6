"""Residual image-to-image generator (Johnson et al. 2016, as used by CycleGAN)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import Conv2D, InstanceNormalization
from keras_gen.networks.blocks import conv, doubled, reflect_pad

NORMALIZATIONS = {
    "instance": InstanceNormalization,
    "group": lambda: layers.GroupNormalization(4, epsilon=1e-5),
    "pixel": lambda: layers.LayerNormalization(epsilon=1e-5),
}


@checked_arguments(open_sides=True)
def resnet_generator(
    image_shape: tuple = (None, None, 3),
    filters: int = 64,
    blocks: CountFrom0 = 9,
    upsampling: str = "transposed",
    normalization: str = "instance",
    reflect: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Builds c7s1-k, d2k, d4k, R4k x blocks, u2k, uk, c7s1-3 with tanh (Zhu et al. 2017, app. 7.2).

    Args:
        image_shape: `(height, width, channels)`, with sides that are multiples of 4 and at least 8,
            or None.
        filters: Number of channels in the first layer (k above); 64 in the paper.
        blocks: Number of residual blocks; in the paper, 6 for 128x128 images and 9 for 256x256
            images.
        upsampling: `"transposed"` (the paper's choice), `"smoothed"`, `"resize"`, or `"bilinear"`;
            see `networks.blocks.doubled`.
        normalization: Type of normalization. `"instance"`, the paper's choice, amplifies noise in
            flat areas. `"group"` normalizes four groups of channels (Wu & He 2018). `"pixel"`
            normalizes over all channels of each pixel (Chen et al. 2022), so a large image can be
            translated in tiles.
        reflect: Whether layers with stride 2 also pad by reflection, like the other layers. Zero
            padding causes lines along the borders.
        name: Name of the model.

    Returns:
        A model that maps float images in [-1, 1], `[batch, height, width, channels]`, to float32
        images of the same shape and range.

    Example:
        >>> generator = resnet_generator((128, 128, 3), blocks=6)
    """
    if any(side is not None and (side % 4 or side < 8) for side in image_shape[:2]):
        raise ValueError(
            f"The generator cannot preserve the size {image_shape[0]}x{image_shape[1]}: expected "
            "sides of at least 8 pixels that are multiples of 4."
        )
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"normalization is {normalization!r}: expected one of {', '.join(NORMALIZATIONS)}."
        )
    norm = NORMALIZATIONS[normalization]

    def norm_relu(x):
        return layers.ReLU()(norm()(x))

    images = keras.Input(image_shape)
    x = norm_relu(conv(filters, 7)(reflect_pad(images, 3)))
    for width in (2 * filters, 4 * filters):
        if reflect:
            x = norm_relu(conv(width, 3, strides=2)(reflect_pad(x, 1)))
        else:
            x = norm_relu(conv(width, 3, strides=2, padding="same")(x))
    for _ in range(blocks):
        y = norm_relu(conv(4 * filters, 3)(reflect_pad(x, 1)))
        x = layers.add([x, norm()(conv(4 * filters, 3)(reflect_pad(y, 1)))])
    for width in (2 * filters, filters):
        x = norm_relu(doubled(x, width, upsampling))
    x = conv(image_shape[-1], 7, layer=Conv2D, use_bias=True)(reflect_pad(x, 3))
    # The output is float32, whatever the internal precision.
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(images, x, name=name)
