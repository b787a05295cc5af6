"""Networks of PixelCNN, gated PixelCNN, PixelRNN, and PixelVAE."""

from collections.abc import Callable
from functools import partial

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import GatedUnit, MaskedConvolution, OneHot, VerticalConvolution
from keras_gen.layers.causal.lstms import DiagonalLSTM, RowLSTM
from keras_gen.networks.blocks import scaled_levels
from keras_gen.networks.conv import conv_decoder


@checked_arguments
def pixel_cnn(
    image_shape: tuple = (28, 28, 1),
    outputs_per_value: int = 256,
    filters: int = 32,
    blocks: CountFrom0 = 5,
    first_kernel: int = 7,
    kernel: int = 3,
    head_filters: int | None = None,
    levels: int | None = 256,
) -> keras.Model:
    """Builds residual masked convolutions that predict each value from the previous values.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.3,
    table 1, and fig. 5 (left). At any depth, pixels far to the right in the rows just above have no
    effect. Gated PixelCNN (van den Oord et al. 2016) removes this blind spot. Deviations: another
    ReLU precedes the last layer, because this layer and the previous layer would otherwise form a
    single linear map; kernels are initialized as in He et al. (2015), because the paper does not
    specify the initialization.

    Args:
        image_shape: `(height, width, channels)`, with 1 or 3 channels.
        outputs_per_value: Number of logits per value: 256 for a softmax over levels, or 1 for
            Bernoulli.
        filters: Number of maps within a block (h in the paper), at least the number of image
            channels. Between the blocks, there are 2h maps.
        blocks: Number of residual blocks.
        first_kernel: Odd side length of the first kernel, which has mask A.
        kernel: Odd side length of the kernel within a block. This kernel has mask B.
        head_filters: Number of maps in the two layers after the blocks; 2h by default.
        levels: Number of image levels, which start at 0 and are scaled to [-1, 1]. If None, images
            are not scaled.

    Returns:
        A model that maps images `[batch, height, width, channels]` to float32 logits `[batch,
        height, width, channels * outputs_per_value]`, in the order `[channel, logit]`. The logits
        of a value depend only on previous values, ordered by row, pixel, and channel.

    Example:
        >>> network = pixel_cnn((28, 28, 1), outputs_per_value=2, filters=16, blocks=3, levels=2)
    """
    channels = image_shape[-1]

    masked = partial(_masked, channels)
    images = keras.Input(image_shape)
    x = scaled_levels(images, levels)
    x = masked(x, 2 * filters, first_kernel, mask="A")
    for _ in range(blocks):
        inner = masked(layers.ReLU()(x), filters)
        inner = masked(layers.ReLU()(inner), filters, kernel)
        inner = masked(layers.ReLU()(inner), 2 * filters)
        x = layers.Add()([x, inner])
    for _ in range(2):
        x = masked(layers.ReLU()(x), head_filters or 2 * filters)
    # The logits are float32, regardless of the internal precision.
    logits = masked(layers.ReLU()(x), channels * outputs_per_value, dtype="float32")
    return keras.Model(images, logits, name="pixel_cnn")


@checked_arguments
def gated_pixel_cnn(
    image_shape: tuple = (28, 28, 1),
    outputs_per_value: int = 256,
    filters: int = 32,
    blocks: CountFrom0 = 5,
    first_kernel: int = 7,
    kernel: int = 5,
    head_filters: int | None = None,
    levels: int | None = 256,
    classes: int = 0,
    unordered: bool = False,
) -> keras.Model:
    """Builds two stacks of gated convolutions that see all previous values, without a blind spot.

    Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: "Conditional Image
    Generation with PixelCNN Decoders", NeurIPS 2016, sec. 2 and fig. 2. The vertical stack sees all
    rows above a pixel. The horizontal stack sees the pixels to its left and, through 1x1
    convolutions, the vertical stack. Deviations: because the paper does not specify the
    initialization, kernels whose output is added to the horizontal stack start at zero, and all
    other kernels are initialized as in He et al. (2015); the default numbers of filters and blocks
    suit a CPU.

    Args:
        image_shape: `(height, width, channels)`.
        outputs_per_value: Number of parameters per value: 256 for a softmax over levels, or 1 for
            Bernoulli.
        filters: Number of maps in each stack, a multiple of the number of channels.
        blocks: Number of blocks after the first layers.
        first_kernel: Odd side length of the first layers' kernels.
        kernel: Odd side length of the kernels within a block.
        head_filters: Number of maps in the second-to-last layer; `filters` by default.
        levels: Number of image levels, which start at 0 and are scaled to [-1, 1]. If None, images
            are not scaled.
        classes: Number of classes, or 0 for none. With classes, the network also accepts int32
            labels `[batch]`, which add a bias to every gate (eq. (4)).
        unordered: Whether levels are indices, such as codes from a codebook, instead of brightness
            values. Each level is then mapped to a learned vector instead of a number in [-1, 1].

    Returns:
        A model that maps images `[batch, height, width, channels]`, or a list of images and labels,
        to float32 parameters `[batch, height, width, channels * outputs_per_value]`, in the order
        `[channel, parameter]`. The parameters of a value depend only on previous values, ordered by
        row, pixel, and channel.

    Example:
        >>> network = gated_pixel_cnn((28, 28, 1), 1, filters=16, blocks=3, levels=2, classes=10)
    """
    images = keras.Input(image_shape)
    labels = keras.Input((), dtype="int32")

    def bias(maps):
        of_class = layers.Embedding(classes, maps)(labels)
        return layers.Reshape((1, 1, maps))(of_class)

    parameters = gated_stacks(
        images,
        outputs_per_value,
        filters,
        blocks,
        first_kernel,
        kernel,
        head_filters,
        levels,
        bias if classes else None,
        unordered,
    )
    inputs = [images, labels] if classes else images
    return keras.Model(inputs, parameters, name="gated_pixel_cnn")


def gated_stacks(
    images,
    outputs_per_value: int,
    filters: int,
    blocks: CountFrom0,
    first_kernel: int,
    kernel: int,
    head_filters: int | None,
    levels: int | None,
    bias: Callable | None = None,
    unordered: bool = False,
):
    """Returns the parameters of each value in `images`, the symbolic input of a network.

    The numeric arguments are as in `gated_pixel_cnn`. Each call to `bias(maps)` returns the bias
    for one gate with this number of maps: `[batch, 1, 1, maps]`, or `[batch, height, width, maps]`
    if it varies with the position. The bias does not depend on the images.
    """
    channels = images.shape[-1]
    if filters % channels:
        raise ValueError(
            f"filters is {filters}: expected a multiple of {channels}, the number of channels of "
            "the image."
        )

    masked = partial(_masked, channels)

    def vertical_maps(x, size, **options):
        return VerticalConvolution(2 * filters, size, kernel_initializer="he_normal", **options)(
            x
        )

    if unordered:
        if not levels:
            raise ValueError(
                f"levels is {levels}: expected the number of levels, because unordered is True."
            )
        # This layer acts as an embedding. Samplers require layers that keep the position axes.
        vector = layers.Dense(
            filters // channels, use_bias=False, kernel_initializer="he_normal"
        )
        one_hot = OneHot(levels)
        parts = [vector(one_hot(images[..., c : c + 1])) for c in range(channels)]
        x = layers.Concatenate()(parts) if channels > 1 else parts[0]
    else:
        x = scaled_levels(images, levels)

    def gated(maps, groups):
        if bias:
            maps = layers.Add()([maps, bias(2 * filters)])  # eq. (4) and (5)
        return GatedUnit(groups)(maps)  # eq. (2)

    vertical = x
    horizontal = x
    for block in range(blocks + 1):
        first = block == 0
        size = first_kernel if first else kernel
        maps = vertical_maps(vertical, size, sees_itself=not first)
        # This link has no mask, because all channels may depend on the rows above.
        link = layers.Conv2D(2 * filters, 1, kernel_initializer="he_normal")(maps)
        vertical = gated(maps, 1)
        maps = masked(horizontal, 2 * filters, (1, size), "A" if first else "B")
        inner = gated(layers.Add()([maps, link]), channels)
        if first:
            horizontal = masked(inner, filters)
        else:
            added = masked(inner, filters, kernel_initializer="zeros")
            horizontal = layers.Add()([horizontal, added])
    x = masked(layers.ReLU()(horizontal), head_filters or filters)
    # The parameters are float32, regardless of the internal precision.
    return masked(layers.ReLU()(x), channels * outputs_per_value, dtype="float32")


@checked_arguments
def pixel_rnn(
    image_shape: tuple = (28, 28, 1),
    outputs_per_value: int = 256,
    units: int = 16,
    blocks: CountFrom0 = 7,
    kind: str = "diagonal",
    first_kernel: int = 7,
    kernel: int = 3,
    head_filters: int | None = None,
    levels: int | None = 256,
) -> keras.Model:
    """Builds residual LSTMs over an image that predict each value from the previous values.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.1
    to 3.3, table 1, and fig. 5 (right). The Row LSTM sees a triangle above a pixel. As in the
    paper, the Diagonal BiLSTM sees all previous pixels except one. This LSTM sees the last pixel of
    the row just above only if the first kernel reaches that pixel, because maps do not contain the
    value of their own pixel.

    Deviations: another ReLU precedes the last layer, as in `pixel_cnn`; the kernels of convolutions
    are initialized as in He et al. (2015), and the kernels of LSTMs as in Keras, because the paper
    does not specify the initialization.

    Args:
        image_shape: `(height, width, channels)`, with 1 or 3 channels.
        outputs_per_value: Number of logits per value: 256 for a softmax over levels, or 1 for
            Bernoulli.
        units: Number of features of an LSTM (h in the paper), at least the number of image
            channels. Between the blocks, there are 2h maps.
        blocks: Number of residual blocks, each with an LSTM; 7 for MNIST in the paper.
        kind: Type of LSTM: "row" for `RowLSTM`, or "diagonal" for the sum of both directions of
            `DiagonalLSTM`.
        first_kernel: Odd side length of the first kernel, which has mask A.
        kernel: Odd width of the Row LSTM's kernels.
        head_filters: Number of maps in the two layers after the blocks; 2h by default.
        levels: Number of image levels, which start at 0 and are scaled to [-1, 1]. If None, images
            are not scaled.

    Returns:
        A model that maps images `[batch, height, width, channels]` to float32 logits `[batch,
        height, width, channels * outputs_per_value]`, in the order `[channel, logit]`. The logits
        of a value depend only on previous values, ordered by row, pixel, and channel.

    Example:
        >>> network = pixel_rnn((28, 28, 1), outputs_per_value=2, blocks=2, levels=2)
    """
    if kind not in ("row", "diagonal"):
        raise ValueError(f"kind is {kind!r}: expected 'row' or 'diagonal'.")
    channels = image_shape[-1]

    masked = partial(_masked, channels)

    def lstm(x):
        if kind == "row":
            return RowLSTM(units, kernel, channels)(x)
        forward = DiagonalLSTM(units, image_channels=channels)
        backward = DiagonalLSTM(units, backward=True, image_channels=channels)
        return layers.Add()([forward(x), backward(x)])

    images = keras.Input(image_shape)
    x = scaled_levels(images, levels)
    x = masked(x, 2 * units, first_kernel, mask="A")
    for _ in range(blocks):
        x = layers.Add()([x, masked(lstm(x), 2 * units)])
    for _ in range(2):
        x = masked(layers.ReLU()(x), head_filters or 2 * units)
    # The logits are float32, regardless of the internal precision.
    logits = masked(layers.ReLU()(x), channels * outputs_per_value, dtype="float32")
    return keras.Model(images, logits, name=f"pixel_rnn_{kind}")


def _masked(channels, x, maps, side=1, mask="B", **options):
    """Applies a masked convolution to the maps of images that have `channels` channels."""
    options = dict(image_channels=channels, kernel_initializer="he_normal") | options
    return MaskedConvolution(maps, side, mask, **options)(x)


@checked_arguments
def pixel_vae_decoder(
    image_shape: tuple = (28, 28, 1),
    latent_dim: int = 32,
    outputs_per_value: int = 1,
    filters: int = 32,
    blocks: CountFrom0 = 1,
    decoder_filters: tuple[int, ...] = (32, 64),
    first_kernel: int = 5,
    kernel: int = 3,
    head_filters: int | None = None,
    levels: int | None = 2,
    upsampling: str = "resize",
) -> keras.Model:
    """Builds convolutions that map latents to maps, and a Gated PixelCNN conditioned on the maps.

    Gulrajani, Kumar, Ahmed, Taiga, Visin, Vazquez, Courville: "PixelVAE: A Latent Variable Model
    for Natural Images", ICLR 2017, sec. 3.1 and fig. 2. The maps, which have one vector per pixel,
    are added to every gate through a 1x1 convolution, as in van den Oord et al. (2016), eq. (5).
    With few blocks, a pixel sees only nearby pixels, and all other information must come from the
    latents; with many blocks, the latents may remain unused. Deviations: the kernels'
    initialization and the residual connections are as in `gated_pixel_cnn`.

    Args:
        image_shape: `(height, width, channels)` of the data, with 1 or 3 channels.
        latent_dim: Number of latent dimensions.
        outputs_per_value: Number of parameters per value: 1 for Bernoulli, or 256 for a softmax
            over levels.
        filters: Number of maps in each stack, which is also the number of maps computed from the
            latents; a multiple of the number of channels.
        blocks: Number of blocks after the first layers, at least 0.
        decoder_filters: Number of channels in each convolution applied to the latents, as in
            `conv_decoder`.
        first_kernel: Odd side length of the first layers' kernels.
        kernel: Odd side length of the kernels within a block. A pixel sees at most `first_kernel //
            2 + blocks * (kernel // 2)` rows above it and columns to either side.
        head_filters: Number of maps in the second-to-last layer; `filters` by default.
        levels: Number of image levels, which start at 0 and are scaled to [-1, 1]. If None, images
            are not scaled.
        upsampling: Type of upsampling, as in `conv_decoder`.

    Returns:
        A model that maps a list of latents `[batch, latent_dim]` and images `[batch, height, width,
        channels]` to float32 parameters `[batch, height, width, channels * outputs_per_value]`, in
        the order `[channel, parameter]`. The parameters of a value depend on all latents, and
        otherwise only on previous values, ordered by row, pixel, and channel.

    Example:
        >>> decoder = pixel_vae_decoder((28, 28, 1), latent_dim=16, filters=16)
    """
    height, width, _ = image_shape
    latents = keras.Input((latent_dim,))
    images = keras.Input(image_shape)
    maps_of = conv_decoder(
        (height, width, filters), latent_dim, decoder_filters, upsampling=upsampling, name="maps"
    )
    maps = layers.ReLU()(maps_of(latents))

    def bias(channels):
        return layers.Conv2D(channels, 1, kernel_initializer="he_normal")(maps)

    parameters = gated_stacks(
        images,
        outputs_per_value,
        filters,
        blocks,
        first_kernel,
        kernel,
        head_filters,
        levels,
        bias,
    )
    return keras.Model([latents, images], parameters, name="pixel_vae_decoder")
