"""Parts that several architectures share."""

import keras
from keras import layers

from keras_gen.files.images import LUMA_WEIGHTS
from keras_gen.layers import SpectralNormalization, ZeroConvolution

NORMALIZATIONS = ("batch", "layer", "spectral", None)
UPSAMPLING = ("transposed", "smoothed", "resize", "bilinear")


def conv(
    filters: int,
    size: int | tuple[int, int],
    *,
    layer=layers.Conv2D,
    use_bias=False,
    initializer=None,
    spectral=False,
    **kwargs,
):
    """Returns a convolution, initialized from N(0, 0.02) as in DCGAN, pix2pix and CycleGAN.

    Args:
        filters: Output channels.
        size: Side of the kernel, or (height, width).
        layer: Layer class, such as `Conv2D` or `Conv2DTranspose`.
        use_bias: False before a normalization, which has its own.
        initializer: Of the kernel; None: N(0, 0.02).
        spectral: Whether to wrap it in `SpectralNormalization`.
        **kwargs: Further arguments of the layer.
    """
    # An initializer object repeats its values when it is called again, so each layer gets its own.
    initializer = initializer or keras.initializers.RandomNormal(stddev=0.02)
    made = layer(filters, size, use_bias=use_bias, kernel_initializer=initializer, **kwargs)
    return SpectralNormalization(made) if spectral else made


def he_conv(filters: int, size: int, **kwargs):
    """Returns a `conv` for networks without normalization, initialized as by He et al. (2015)."""
    usual = dict(use_bias=True, initializer="he_normal", padding="same")
    return conv(filters, size, **usual | kwargs)


def zero_conv(filters: int, size: int = 3) -> ZeroConvolution:
    """Returns the last convolution of a coupling network, which starts from 0, in float32.

    Its outputs are scaled by a learned factor of each channel, see `ZeroConvolution`.
    """
    # Float32 whatever the precision inside, as invertible layers need it.
    return ZeroConvolution(filters, size, dtype="float32")


def halves(x) -> list:
    """Returns the two halves of the channels."""
    channels = x.shape[-1] // 2
    return [x[..., :channels], x[..., channels:]]


def batch_norm(**options):
    """Returns batch normalization over all replicas together, so that they equal one device.

    The momentum of 0.9 is that of the authors' code of DCGAN; Keras' 0.99 lags in short trainings.
    `options` are further arguments of `keras.layers.BatchNormalization`.
    """
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=True, **options)


def scaled_levels(images, levels: int | None):
    """Returns images of levels from 0 on, scaled to [-1, 1]; as they are if `levels` is None."""
    if not levels:
        return images
    # In float32, in which neighboring levels differ.
    return layers.Rescaling(2 / (levels - 1), offset=-1, dtype="float32")(images)


def float32(x):
    """Returns outputs of a network in float32, whatever the precision inside."""
    return layers.Activation("linear", dtype="float32")(x)


def halvings(image_shape: tuple, smallest: int = 4) -> int:
    """Returns how often an image can be halved until its shorter side is `smallest` or a bit more.

    A side of 4 is left of 8, 16 or 32 pixels, one of 7 of 28 pixels.

    Raises:
        ValueError: If a side is below `2 * smallest`, so that it cannot be halved.
    """
    height, width = image_shape[:2]
    stages = max(min(height, width) // smallest, 1).bit_length() - 1
    if stages < 1:
        raise ValueError(
            f"Strided networks are for sides of at least {2 * smallest} pixels, not "
            f"{height}x{width}: pad or resize the images (keras_gen.data.pad_to)."
        )
    return stages


def halvings_of_square(image_shape: tuple) -> int:
    """Returns how many halvings lead from an image to a map of 4x4.

    Raises:
        ValueError: If the image is no square, or its side is not 8, 16, 32, ...
    """
    height, width = image_shape[:2]
    stages = max(height // 4, 1).bit_length() - 1
    if height != width or 4 << stages != height or stages < 1:
        raise ValueError(
            "Networks from or to a map of 4x4 are for squares of 8, 16, 32, ... pixels, not "
            f"{height}x{width}: pad or resize the images (keras_gen.data.pad_to)."
        )
    return stages


def require_halvings(flow: str, shape: tuple, scales: int, halvings: int) -> None:
    """Raises a ValueError unless images of a shape can be halved so often without a rest.

    The message names the flow and its `scales`.
    """
    factor = 2 ** max(halvings, 0)
    if len(shape) != 3 or scales < 1 or any(side % factor for side in shape[:2]):
        raise ValueError(
            f"{flow} of {scales} scales for images of shape {tuple(shape)}: expected 1 or more, "
            f"and (height, width, channels) with sides that are multiples of {factor}; take "
            "fewer scales, or pad the images (keras_gen.data.pad_to)."
        )


def halved_sides(image_shape: tuple, halvings: int, argument: str) -> tuple[int, int]:
    """Returns height and width after `halvings` convolutions that halve both, rounded up.

    Raises:
        ValueError: If there is no convolution, or a side is shorter than 2^halvings. The message
            names `argument`, which sets the number.
    """
    factor = 2**halvings
    height, width = image_shape[:2]
    if halvings < 1 or min(height, width) < factor:
        raise ValueError(
            f"{halvings} convolutions that halve cannot take {height}x{width} pixels: expected one "
            f"at least, and sides of at least {factor}; change {argument}, or pad the images "
            "(keras_gen.data.pad_to)."
        )
    return -(-height // factor), -(-width // factor)


def cropped(maps, shape: tuple):
    """Returns the center of maps, as high and wide as `shape`, `(height, width, ...)`.

    Doubling cannot lead to odd sides, so that decoders make too many pixels and crop them.
    """
    extra = [found - wanted for found, wanted in zip(maps.shape[1:3], shape[:2], strict=True)]
    if not any(extra):
        return maps
    return layers.Cropping2D(tuple((n // 2, n - n // 2) for n in extra))(maps)


def downsample(images, stages: int, filters: int, normalization: str | None = "batch"):
    """Halves images `stages` times: 4x4 convolutions of stride 2 and leaky ReLU of slope 0.2.

    Args:
        images: `[batch, height, width, channels]`.
        stages: Number of convolutions.
        filters: Channels of the first; they double with every stage.
        normalization: After all layers but the first, as in DCGAN: `"batch"`; `"layer"`, of each
            image alone; or None. `"spectral"` normalizes all kernels instead.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"normalization is {normalization!r}: expected one of {NORMALIZATIONS}."
        )
    spectral = normalization == "spectral"
    x = images
    for stage in range(stages):
        bare = stage == 0 or normalization in (None, "spectral")
        width = filters * 2**stage
        x = conv(width, 4, strides=2, padding="same", use_bias=bare, spectral=spectral)(x)
        if not bare:
            x = (batch_norm() if normalization == "batch" else layers.GroupNormalization(1))(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return x


def upsample(maps, stages: int, filters: int, image_shape: tuple):
    """Mirrors `downsample`: 4x4 transposed convolutions of stride 2 and ReLU, at the end tanh.

    Args:
        maps: `[batch, height, width, any]`.
        stages: Number of transposed convolutions; each doubles height and width.
        filters: Channels before the last, doubled for every stage before that.
        image_shape: `(height, width, channels)` of the images, which are float32 in [-1, 1]. Their
            sides are at most those of the maps times 2^stages.
    """
    double = dict(layer=layers.Conv2DTranspose, strides=2, padding="same")
    for stage in reversed(range(stages - 1)):
        maps = conv(filters * 2**stage, 4, **double)(maps)
        maps = layers.ReLU()(batch_norm()(maps))
    images = conv(image_shape[-1], 4, use_bias=True, **double)(maps)
    images = cropped(images, image_shape)
    return layers.Activation("tanh", dtype="float32")(images)


def reflect_pad(x, pixels: int):
    """Pads height and width by reflection, which leaves no dark border as zeros do."""
    return keras.ops.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], mode="reflect")


def blurred(x, **options):
    """Blurs by the weights 1, 2, 1 along height and width; **options are those of the layers."""
    x = reflect_pad(x, 1)
    for _ in range(2):  # two means of neighbors have these weights
        x = layers.AveragePooling2D(2, strides=1, **options)(x)
    return x


def smooth_chroma(images):
    """Smooths the chroma of RGB images in [-1, 1] over 3x3 pixels, and leaves the luma as it is.

    Deviation: where the sum of luma and smoothed chroma leaves [-1, 1], it is cut off.
    """
    if images.shape[-1] != 3:
        raise ValueError(f"Images have {images.shape[-1]} channels: expected 3, RGB, to smooth.")
    luma = keras.ops.matmul(images, LUMA_WEIGHTS.astype("float32")[:, None])
    chroma = blurred(images - luma, dtype="float32")
    return keras.ops.clip(luma + chroma, -1.0, 1.0)


def doubled(x, filters: int, upsampling: str, **options):
    """Doubles height and width with a 3x3 kernel.

    Args:
        x: `[batch, height, width, channels]`.
        filters: Output channels.
        upsampling: `"transposed"`: a transposed convolution of stride 2, whose uneven overlaps tend
            to draw checkerboards. `"smoothed"`: the same, then a 2x2 mean, which removes exactly
            these (Sugawara et al. 2018). `"resize"`: nearest neighbor and a convolution (Odena,
            Dumoulin, Olah: "Deconvolution and Checkerboard Artifacts", Distill 2016), which draws
            no checkerboards either, at twice the cost or more, but leaves steps of two pixels in
            flat areas. `"bilinear"`: the same with bilinear interpolation, which leaves none.
        **options: Further arguments of `conv`.
    """
    if upsampling not in UPSAMPLING:
        raise ValueError(
            f"upsampling is {upsampling!r}: expected one of {', '.join(UPSAMPLING)}."
        )
    if upsampling in ("resize", "bilinear"):
        x = layers.UpSampling2D()(x)
        if upsampling == "bilinear":
            # Keras' own knows no open sizes. Blurred nearest neighbors are the same.
            x = blurred(x)
        return conv(filters, 3, **options)(reflect_pad(x, 1))
    x = conv(filters, 3, strides=2, padding="same", layer=layers.Conv2DTranspose, **options)(x)
    if upsampling == "smoothed":
        x = layers.AveragePooling2D(2, strides=1, padding="same")(x)
    return x
