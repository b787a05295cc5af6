"""Pieces that several architectures share."""

import keras
from keras import layers

from keras_gen.layers import SpectralNormalization

NORMALIZATIONS = ("batch", "layer", "spectral", None)
UPSAMPLING = ("transposed", "smoothed", "resize")


def conv(
    filters: int, size: int, *, layer=layers.Conv2D, use_bias=False, initializer=None,
    spectral=False, **kwargs,
):  # fmt: skip
    """A convolution, initialized from N(0, 0.02) as DCGAN, pix2pix and CycleGAN do.

    Args:
        filters: Output channels.
        size: Side of the kernel.
        layer: Layer class, `Conv2D` or `Conv2DTranspose`.
        use_bias: False before a normalization, which has its own.
        initializer: Name of another initializer of the kernel, for networks without normalization.
        spectral: Whether its kernel is divided by its largest singular value
            (`SpectralNormalization`).
        **kwargs: Further arguments of the layer.
    """
    # An initializer object repeats its values when it is called again, so each layer gets its own.
    initializer = initializer or keras.initializers.RandomNormal(stddev=0.02)
    made = layer(filters, size, use_bias=use_bias, kernel_initializer=initializer, **kwargs)
    return SpectralNormalization(made) if spectral else made


def batch_norm(**options):
    """Batch normalization over all replicas together, so that they equal one device.

    The momentum is that of DCGAN's authors' code (0.9): Keras' 0.99 lags behind in short trainings.

    Args:
        **options: Further arguments of `keras.layers.BatchNormalization`.
    """
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=True, **options)


def halvings(image_shape: tuple, smallest: int = 4) -> int:
    """Number of halvings from an image to a map of `smallest` x `smallest`.

    Raises:
        ValueError: If the image is no square, or its side is not `smallest` times a power of two
            of at least 2.
    """
    height, width = image_shape[:2]
    stages = max(height // smallest, 1).bit_length() - 1
    if height != width or smallest << stages != height or stages < 1:
        sides = ", ".join(str(smallest << n) for n in (1, 2, 3))
        raise ValueError(
            f"Strided networks are for squares of {sides}, ... pixels, not {height}x{width}: "
            "pad or resize the images (keras_gen.data.pad_to)."
        )
    return stages


def halved_sides(image_shape: tuple, halvings: int, argument: str) -> tuple[int, int]:
    """Height and width after convolutions that halve both.

    Args:
        image_shape: `(height, width, channels)`.
        halvings: Number of convolutions.
        argument: What decides it, for the error.

    Raises:
        ValueError: If there is no convolution, or the sides are no multiples of 2^halvings.
    """
    factor = 2**halvings
    height, width = image_shape[:2]
    if halvings < 1 or height % factor or width % factor:
        raise ValueError(
            f"{halvings} convolutions that halve cannot take {height}x{width} pixels: expected one "
            f"at least, and sides that are multiples of {factor}; change {argument}, or pad the "
            "images (keras_gen.data.pad_to)."
        )
    return height // factor, width // factor


def downsample(images, stages: int, filters: int, normalization: str | None = "batch"):
    """Halves images `stages` times: 4x4 convolutions of stride 2 and leaky ReLU of slope 0.2.

    There is no normalization in the first layer, as DCGAN asks of its discriminator.

    Args:
        images: `[batch, height, width, channels]`.
        stages: Number of convolutions.
        filters: Channels of the first; they double with every stage.
        normalization: `"batch"`, `"layer"` (each image alone, for critics whose penalty asks for
            that), `"spectral"` (of the kernels, those of the first layer too) or None.

    Raises:
        ValueError: If `normalization` is unknown.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(f"normalization is {normalization!r}: expected one of {NORMALIZATIONS}.")
    x = images
    for stage in range(stages):
        bare = stage == 0 or normalization in (None, "spectral")
        options = dict(use_bias=bare, spectral=normalization == "spectral")
        x = conv(filters * 2**stage, 4, strides=2, padding="same", **options)(x)
        if not bare:
            x = (batch_norm() if normalization == "batch" else layers.GroupNormalization(1))(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return x


def upsample(maps, stages: int, filters: int, channels: int):
    """The mirror image of `downsample`: 4x4 transposed convolutions of stride 2, ReLU, then tanh.

    Args:
        maps: `[batch, height, width, any]`.
        stages: Number of transposed convolutions, each of which doubles height and width.
        filters: Channels before the last, doubled for every stage before that.
        channels: Channels of the images.

    Returns:
        Float32 images in [-1, 1].
    """
    upsample = dict(layer=layers.Conv2DTranspose, strides=2, padding="same")
    for stage in reversed(range(stages - 1)):
        maps = conv(filters * 2**stage, 4, **upsample)(maps)
        maps = layers.ReLU()(batch_norm()(maps))
    images = conv(channels, 4, use_bias=True, **upsample)(maps)
    return layers.Activation("tanh", dtype="float32")(images)


def reflect_pad(x, pixels: int):
    """Pads height and width by reflection, which leaves no dark border as zeros do."""
    return keras.ops.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], mode="reflect")


def doubled(x, filters: int, upsampling: str, **options):
    """Doubles height and width with a 3x3 kernel.

    Args:
        x: `[batch, height, width, channels]`.
        filters: Output channels.
        upsampling: `"transposed"`: a fractionally strided convolution. Where the stride does not
            divide the kernel size, as 2 does not divide 3, its taps overlap unevenly: from a
            constant map it makes a pattern of period 2, checkerboards, unless it learns otherwise.
            `"smoothed"`: the same, then a 2x2 mean, which takes out exactly that pattern (Sugawara
            et al. 2018). `"resize"`: nearest neighbor and a convolution (Odena, Dumoulin, Olah:
            "Deconvolution and Checkerboard Artifacts", Distill 2016), which makes none either, at
            twice the cost or more.
        **options: Of `conv`.

    Raises:
        ValueError: If `upsampling` is unknown.
    """
    if upsampling not in UPSAMPLING:
        raise ValueError(
            f"upsampling is {upsampling!r}: expected 'transposed', 'smoothed' or 'resize'."
        )
    if upsampling == "resize":
        return conv(filters, 3, **options)(reflect_pad(layers.UpSampling2D()(x), 1))
    x = conv(filters, 3, strides=2, padding="same", layer=layers.Conv2DTranspose, **options)(x)
    if upsampling == "smoothed":
        x = layers.AveragePooling2D(2, strides=1, padding="same")(x)
    return x


def residual(x, activation: str, **options):
    """Adds two 3x3 convolutions of what an activation makes of maps, at the start nothing.

    He, Zhang, Ren, Sun: "Identity Mappings in Deep Residual Networks", ECCV 2016. In place of batch
    normalization the second convolution starts from zeros (Zhang, Dauphin, Ma: "Fixup
    Initialization: Residual Learning Without Normalization", ICLR 2019).

    Args:
        x: `[batch, height, width, channels]`.
        activation: Before each convolution.
        **options: Of `conv`.
    """
    y = x
    for change in ({}, {"initializer": "zeros"}):
        y = layers.Activation(activation)(y)
        y = conv(x.shape[-1], 3, padding="same", **options | change)(y)
    return layers.Add()([x, y])
