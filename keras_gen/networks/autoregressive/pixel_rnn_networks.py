"""The networks of PixelRNN (van den Oord, Kalchbrenner, Kavukcuoglu 2016)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers.causal.masked_convolution import MaskedConvolution
from keras_gen.layers.causal.pixel_lstms import DiagonalLSTM, RowLSTM
from keras_gen.networks.blocks import scaled_levels


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
    """Builds LSTMs over the image with residual connections: each value given those before it.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.1
    to 3.3, table 1 and fig. 5 (right). The Row LSTM sees a triangle above a pixel. The Diagonal
    BiLSTM sees all pixels before but one, as in the paper: the last pixel of the row just above is
    seen only where the first kernel reaches it, as maps do not hold the value of their own pixel.

    Deviations: a ReLU also before the last layer, as in `pixel_cnn`; the kernels of convolutions
    are initialized as by He et al. (2015), those of LSTMs as by Keras, as the paper does not state
    how.

    Args:
        image_shape: `(height, width, channels)`, 1 or 3 channels.
        outputs_per_value: Logits for each value: 256 for the softmax over levels, 1 for Bernoulli.
        units: The paper's h, features of an LSTM, at least the channels; between the blocks there
            are 2h maps.
        blocks: Number of residual blocks, each with an LSTM: the paper has 7 for MNIST.
        kind: "row" for `RowLSTM`, "diagonal" for the sum of both directions of `DiagonalLSTM`.
        first_kernel: Odd side of the first kernel, with mask A.
        kernel: Odd width of the Row LSTM's kernels.
        head_filters: Maps of the two layers after the blocks; by default 2h.
        levels: Levels of images, from 0 on, which are scaled to [-1, 1]; None: no scaling.

    Returns:
        A model from images `[batch, height, width, channels]` to float32 logits `[batch, height,
        width, channels * outputs_per_value]`, in the order `[channel, logit]`. Those of a value
        depend only on the values before it, in rows, then pixels, then channels.

    Example:
        >>> network = pixel_rnn((28, 28, 1), outputs_per_value=2, blocks=2, levels=2)
    """
    if kind not in ("row", "diagonal"):
        raise ValueError(f"kind is {kind!r}: expected 'row' or 'diagonal'.")
    channels = image_shape[-1]

    def masked(x, maps, side=1, mask="B", **options):
        options |= dict(image_channels=channels, kernel_initializer="he_normal")
        return MaskedConvolution(maps, side, mask, **options)(x)

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
    # The logits leave in float32 whatever the precision inside.
    logits = masked(layers.ReLU()(x), channels * outputs_per_value, dtype="float32")
    return keras.Model(images, logits, name=f"pixel_rnn_{kind}")
