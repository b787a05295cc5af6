"""Image-to-image generators: residual (Johnson et al. 2016), and a U-Net (Isola et al. 2017)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import Conv2D, Dropout, InstanceNormalization, NoiseChannels
from keras_gen.networks.blocks import conv, doubled, reflect_pad

NORMALIZATIONS = {
    "instance": InstanceNormalization,
    "group": lambda: layers.GroupNormalization(4, epsilon=1e-5),
    "pixel": lambda: layers.LayerNormalization(epsilon=1e-5),
}
NOISES = ("dropout", "latents", "none")
MOST_HALVINGS = 8
DROPPED = 3  # number of the decoder's first layers that have dropout


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
    # The output is float32, regardless of the internal precision.
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(images, x, name=name)


@checked_arguments(open_sides=True)
def unet_generator(
    image_shape: tuple = (256, 256, 3),
    channels: int | None = None,
    filters: int = 64,
    noise: str = "dropout",
    name: str = "generator",
) -> keras.Model:
    """Builds the U-Net of Isola et al. (2017), app. 6.1.1.

    The encoder C64-C128-C256-C512-... halves the image until a side is odd, at most 8 times, so 256
    pixels are reduced to one. The decoder mirrors the encoder, and each of its layers also receives
    the encoder's maps of the same size. Convolutions are 4x4 with stride 2, leaky ReLU has slope
    0.2, and the number of channels doubles three times.

    Deviation: the network uses instance normalization, which is equivalent to the paper's batch
    normalization for batches of one image. The innermost layer has no normalization, because it has
    only one pixel.

    Args:
        image_shape: `(height, width, channels)` of the source, with even sides.
        channels: Number of channels in the target. If None, the number of channels in the source is
            used.
        filters: Number of channels in the first layer.
        noise: Source of randomness. `"dropout"`: dropout of half of the values in the decoder's
            first three layers, including at inference, as in the paper. `"latents"`: a noise
            channel in addition to the image, which generators learn to ignore (sec. 3.2.1).
            `"none"`: no randomness.
        name: Name of the model.

    Returns:
        A model that maps float images in [-1, 1] to float32 images
        `[batch, height, width, channels]` in the same range.

    Raises:
        ValueError: If a side is odd or unknown, or if `noise` is unknown.

    Example:
        >>> generator = unet_generator((64, 64, 3), filters=32)
    """
    height, width, source_channels = image_shape
    if noise not in NOISES:
        raise ValueError(f"noise is {noise!r}: expected one of {', '.join(NOISES)}.")
    if None in image_shape or height % 2 or width % 2:
        raise ValueError(
            f"The U-Net does not accept {height}x{width} images: expected known, even sides. "
            "Resize the images (keras_gen.data.resize_cover)."
        )
    stages = 1
    while stages < MOST_HALVINGS and not (height >> stages) % 2 and not (width >> stages) % 2:
        stages += 1
    widths = [filters * 2 ** min(stage, 3) for stage in range(stages)]

    images = keras.Input(image_shape)
    x = NoiseChannels(channels=1)(images) if noise == "latents" else images
    passed = []
    for stage in range(stages):
        normalized = 0 < stage < stages - 1
        if stage:
            x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = conv(widths[stage], 4, strides=2, padding="same", use_bias=not normalized)(x)
        if normalized:
            x = InstanceNormalization()(x)
        passed.append(x)

    double = dict(layer=layers.Conv2DTranspose, strides=2, padding="same")
    x = layers.ReLU()(passed.pop())
    for layer, stage in enumerate(reversed(range(stages - 1))):
        x = InstanceNormalization()(conv(widths[stage], 4, **double)(x))
        if noise == "dropout" and layer < DROPPED:
            x = Dropout(rate=0.5, always=True)(x)
        x = layers.ReLU()(layers.Concatenate()([x, passed.pop()]))
    x = conv(channels or source_channels, 4, use_bias=True, **double)(x)
    return keras.Model(images, layers.Activation("tanh", dtype="float32")(x), name=name)
