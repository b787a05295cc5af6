"""The network of PixelCNN (van den Oord, Kalchbrenner, Kavukcuoglu 2016)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers.causal.masked_convolution import MaskedConvolution
from keras_gen.networks.blocks import scaled_levels


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
    """Builds masked convolutions with residual connections: each value given those before it.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.3,
    table 1 and fig. 5 (left). At any depth, pixels far to the right in the rows just above have no
    effect: the blind spot that Gated PixelCNN (van den Oord et al. 2016) removes. Deviations: a
    ReLU also before the last layer, which would otherwise be one linear map with the layer before
    it; kernels are initialized as by He et al. (2015), as the paper does not state how.

    Args:
        image_shape: `(height, width, channels)`, 1 or 3 channels.
        outputs_per_value: Logits for each value: 256 for the softmax over levels, 1 for Bernoulli.
        filters: The paper's h, at least the channels; between the blocks there are 2h maps.
        blocks: Number of residual blocks.
        first_kernel: Odd side of the first kernel, with mask A.
        kernel: Odd side of the kernel within a block, with mask B.
        head_filters: Maps of the two layers after the blocks; by default 2h.
        levels: Levels of images, from 0 on, which are scaled to [-1, 1]; None: no scaling.

    Returns:
        A model from images `[batch, height, width, channels]` to float32 logits `[batch, height,
        width, channels * outputs_per_value]`, in the order `[channel, logit]`. Those of a value
        depend only on the values before it, in rows, then pixels, then channels.

    Example:
        >>> network = pixel_cnn((28, 28, 1), outputs_per_value=2, filters=16, blocks=3, levels=2)
    """
    channels = image_shape[-1]

    def masked(x, maps, side=1, mask="B", **options):
        options |= dict(image_channels=channels, kernel_initializer="he_normal")
        return MaskedConvolution(maps, side, mask, **options)(x)

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
    # The logits leave in float32 whatever the precision inside.
    logits = masked(layers.ReLU()(x), channels * outputs_per_value, dtype="float32")
    return keras.Model(images, logits, name="pixel_cnn")
