"""Building blocks shared by several architectures."""

import keras
from keras import layers

from keras_gen.files.images import LUMA_WEIGHTS
from keras_gen.layers import (
    BatchNormalization,
    Conv2DTranspose,
    NearestEnlargement,
    SpectralNormalization,
    ZeroConvolution,
)

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
    """Returns a convolution initialized from N(0, 0.02), as in DCGAN, pix2pix, and CycleGAN.

    Args:
        filters: Number of output channels.
        size: Side length of the kernel, or (height, width).
        layer: Layer class, such as `Conv2D` or `Conv2DTranspose`.
        use_bias: Whether to add a bias, which is not needed before a normalization.
        initializer: Initializer of the kernel. If None, N(0, 0.02) is used.
        spectral: Whether to wrap the layer in `SpectralNormalization`.
        **kwargs: Additional arguments for the layer.
    """
    # An initializer object returns the same values in every call, so each layer gets its own copy.
    initializer = initializer or keras.initializers.RandomNormal(stddev=0.02)
    made = layer(filters, size, use_bias=use_bias, kernel_initializer=initializer, **kwargs)
    return SpectralNormalization(made) if spectral else made


def he_conv(filters: int, size: int, **kwargs):
    """Returns a `conv` for networks without normalization, initialized as in He et al. (2015)."""
    usual = dict(use_bias=True, initializer="he_normal", padding="same")
    return conv(filters, size, **usual | kwargs)


def zero_conv(filters: int, size: int = 3) -> ZeroConvolution:
    """Returns the last convolution of a coupling network, in float32, initialized to zero.

    Its outputs are scaled by a learned factor per channel; see `ZeroConvolution`.
    """
    # Invertible layers require float32, regardless of the internal precision.
    return ZeroConvolution(filters, size, dtype="float32")


def halves(x) -> list:
    """Returns the two halves of the channels."""
    return keras.ops.split(x, 2, axis=-1)


def batch_norm(**options):
    """Returns batch normalization synchronized over all replicas, so that results match one device.

    The momentum of 0.9 is from the DCGAN authors' code; the Keras default of 0.99 lags in short
    runs. `options` are additional arguments for `keras.layers.BatchNormalization`.
    """
    return BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=True, **options)


def scaled_levels(images, levels: int | None):
    """Scales levels, which start at 0, to [-1, 1]; returns images unchanged if `levels` is None."""
    if not levels:
        return images
    # Scale in float32, which keeps adjacent levels distinct.
    return layers.Rescaling(2 / (levels - 1), offset=-1, dtype="float32")(images)


def float32(x):
    """Returns a network's outputs in float32, regardless of the network's internal precision."""
    return layers.Activation("linear", dtype="float32")(x)


def halvings(image_shape: tuple, smallest: int = 4) -> int:
    """Returns how many times an image is halved until its shorter side is about `smallest`.

    Sides of 8, 16, or 32 pixels are reduced to 4, and a side of 28 pixels to 7.

    Raises:
        ValueError: If a side is below `2 * smallest` and thus cannot be halved.
    """
    height, width = image_shape[:2]
    stages = max(min(height, width) // smallest, 1).bit_length() - 1
    if stages < 1:
        raise ValueError(
            f"image_shape has {height}x{width} pixels: expected sides of at least "
            f"{2 * smallest} for strided networks. Pad or resize the images "
            "(keras_gen.data.pad_to)."
        )
    return stages


def halvings_of_square(image_shape: tuple) -> int:
    """Returns the number of halvings from an image to a 4x4 map.

    Raises:
        ValueError: If the image is not square, or if its side is not a power of two or is below 8.
    """
    height, width = image_shape[:2]
    stages = max(height // 4, 1).bit_length() - 1
    if height != width or 4 << stages != height or stages < 1:
        raise ValueError(
            f"image_shape has {height}x{width} pixels: expected squares of 8, 16, 32, ... pixels "
            "for networks that start or end with a 4x4 map. Pad or resize the images "
            "(keras_gen.data.pad_to)."
        )
    return stages


def require_halvings(flow: str, shape: tuple, scales: int, halvings: int) -> None:
    """Raises a ValueError unless images can be halved `halvings` times without a remainder.

    The error message names the flow and its `scales`.
    """
    factor = 2 ** max(halvings, 0)
    if len(shape) != 3 or scales < 1 or any(side % factor for side in shape[:2]):
        raise ValueError(
            f"{flow} got {scales} scales for images of shape {tuple(shape)}: expected at least 1 "
            f"scale, and (height, width, channels) with sides that are multiples of {factor}. "
            "Use fewer scales, or pad the images (keras_gen.data.pad_to)."
        )


def halved_sides(image_shape: tuple, halvings: int, argument: str) -> tuple[int, int]:
    """Returns the height and width after `halvings` convolutions that halve both, rounded up.

    Raises:
        ValueError: If `halvings` is below 1, or if a side is shorter than 2^halvings. The message
            names `argument`, which sets the number of halvings.
    """
    factor = 2**halvings
    height, width = image_shape[:2]
    if halvings < 1 or min(height, width) < factor:
        raise ValueError(
            f"There are {halvings} halving convolutions for {height}x{width} pixels: expected at "
            f"least one, and sides of at least {factor}. Change {argument}, or pad the images "
            "(keras_gen.data.pad_to)."
        )
    return -(-height // factor), -(-width // factor)


def cropped(maps, shape: tuple):
    """Crops maps to their center, with the height and width in `shape`.

    Doubling cannot yield odd sides, so decoders generate larger maps and crop them.
    """
    extra = [found - wanted for found, wanted in zip(maps.shape[1:3], shape[:2], strict=True)]
    if not any(extra):
        return maps
    return layers.Cropping2D(tuple((n // 2, n - n // 2) for n in extra))(maps)


def downsample(images, stages: int, filters: int, normalization: str | None = "batch"):
    """Halves images `stages` times, with 4x4 convolutions of stride 2 and leaky ReLU of slope 0.2.

    Args:
        images: Images `[batch, height, width, channels]`.
        stages: Number of convolutions.
        filters: Number of channels in the first convolution; each further stage doubles this
            number.
        normalization: Normalization after all layers except the first, as in DCGAN: `"batch"`,
            `"layer"` (each image is normalized separately), or None. `"spectral"` normalizes all
            kernels instead.
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
    """Mirrors `downsample`: 4x4 transposed convolutions with stride 2 and ReLU, then tanh.

    Args:
        maps: Maps `[batch, height, width, channels]`, with any number of channels.
        stages: Number of transposed convolutions; each doubles height and width.
        filters: Number of channels before the last convolution. Each earlier stage has twice as
            many channels as the next stage.
        image_shape: `(height, width, channels)` of the images, which are float32 in [-1, 1]. Their
            sides are at most 2^stages times the sides of the maps.
    """
    double = dict(layer=Conv2DTranspose, strides=2, padding="same")
    for stage in reversed(range(stages - 1)):
        maps = conv(filters * 2**stage, 4, **double)(maps)
        maps = layers.ReLU()(batch_norm()(maps))
    images = conv(image_shape[-1], 4, use_bias=True, **double)(maps)
    images = cropped(images, image_shape)
    return layers.Activation("tanh", dtype="float32")(images)


def reflect_pad(x, pixels: int):
    """Pads height and width by reflection, which, unlike zero padding, causes no dark borders."""
    return keras.ops.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], mode="reflect")


def blurred(x, **options):
    """Blurs with the weights 1, 2, 1 along height and width. Passes `options` to the layers."""
    x = reflect_pad(x, 1)
    for _ in range(2):  # averaging two neighbors twice gives 1, 2, 1
        x = layers.AveragePooling2D(2, strides=1, **options)(x)
    return x


def smooth_chroma(images):
    """Smooths the chroma of RGB images in [-1, 1] over 3x3 pixels, and keeps the luma unchanged.

    Deviation: values outside [-1, 1] after the smoothing are clipped.
    """
    if images.shape[-1] != 3:
        raise ValueError(f"Images have {images.shape[-1]} channels: expected 3 (RGB).")
    luma = keras.ops.matmul(images, LUMA_WEIGHTS.astype("float32")[:, None])
    chroma = blurred(images - luma, dtype="float32")
    return keras.ops.clip(luma + chroma, -1.0, 1.0)


def doubled(x, filters: int, upsampling: str, **options):
    """Doubles the height and width of maps with a 3x3 kernel.

    Args:
        x: Maps `[batch, height, width, channels]`.
        filters: Number of output channels.
        upsampling: `"transposed"`: a transposed convolution with stride 2, whose uneven overlaps
            tend to produce checkerboard artifacts. `"smoothed"`: a transposed convolution followed
            by a 2x2 mean, which removes the checkerboards completely (Sugawara et al. 2018).
            `"resize"`: nearest-neighbor interpolation and a convolution (Odena, Dumoulin, Olah:
            "Deconvolution and Checkerboard Artifacts", Distill 2016), which avoids checkerboards at
            twice the cost or more, but leaves two-pixel steps in smooth areas. `"bilinear"`:
            bilinear interpolation and a convolution, which also avoids these steps.
        **options: Additional arguments for `conv`.
    """
    if upsampling not in UPSAMPLING:
        raise ValueError(
            f"upsampling is {upsampling!r}: expected one of {', '.join(UPSAMPLING)}."
        )
    if upsampling in ("resize", "bilinear"):
        x = NearestEnlargement()(x)
        if upsampling == "bilinear":
            # The bilinear Keras layer requires known sizes; blurring the nearest-neighbor
            # enlargement is equivalent.
            x = blurred(x)
        return conv(filters, 3, **options)(reflect_pad(x, 1))
    x = conv(filters, 3, strides=2, padding="same", layer=layers.Conv2DTranspose, **options)(x)
    if upsampling == "smoothed":
        x = layers.AveragePooling2D(2, strides=1, padding="same")(x)
    return x
