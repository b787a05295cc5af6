"""The network of WaveNet (van den Oord et al. 2016)."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.causal.convolutions import CausalConvolution
from keras_gen.layers.channels import GatedUnit, OneHot

_DOUBLED = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@checked_arguments
def wavenet(
    samples: int | None = None,
    outputs_per_value: int = 256,
    filters: int = 32,
    skip_filters: int = 256,
    dilations: Sequence[int] = 2 * _DOUBLED,
    kernel_size: int = 2,
    levels: int | None = 256,
    classes: int = 0,
    local_channels: int = 0,
) -> keras.Model:
    """Builds gated dilated causal convolutions that predict each sample from the previous samples.

    Van den Oord, Dieleman, Zen, Simonyan, Vinyals, Graves, Kalchbrenner, Senior, Kavukcuoglu:
    "WaveNet: A Generative Model for Raw Audio", 2016, fig. 4. A causal convolution of past samples
    is followed by gated residual blocks (eq. (2)) whose dilation grows. ReLUs and 1x1 convolutions
    are applied to the sum of all blocks' outputs. The sum of the blocks' 1x1 convolutions is
    computed as one equivalent convolution of all concatenated gates. The paper does not specify the
    numbers of filters.

    Args:
        samples: Number of samples. If None, sounds may have any length.
        outputs_per_value: Number of logits per sample, such as 256 for a softmax over mu-law
            levels.
        filters: Number of channels between the blocks. Within a block, there are twice as many
            channels, because of the gate.
        skip_filters: Number of channels in the sum over the blocks, and in the next layer.
        dilations: Dilations of consecutive blocks; the paper repeats 1, 2, 4, ..., 512.
        kernel_size: Number of taps of each convolution, at least 2.
        levels: Number of levels of the samples, which are one-hot encoded; padding (-1) is treated
            as the middle level, which is silence. If None, the samples are numbers and are not
            encoded.
        classes: Number of classes, such as speakers, or 0 for none. A class conditions a whole
            example (global conditioning, sec. 2.5).
        local_channels: Number of channels of a condition that has a value at every sample (local
            conditioning, sec. 2.5), or 0 for no such condition.

    Returns:
        A model that maps levels `[batch, time, 1]` to float32 logits
        `[batch, time, outputs_per_value]`. With classes, it also accepts int32 labels `[batch]`,
        and with local channels, floats `[batch, time, local_channels]`. The logits of a sample
        depend on the preceding `receptive_field` samples.

    Raises:
        ValueError: If there are no blocks, or if there are fewer than 2 taps.

    Example:
        >>> network = wavenet(filters=16, skip_filters=32, dilations=(1, 2, 4, 8), classes=5)
    """
    receptive_field(dilations, kernel_size)
    values = keras.Input((samples, 1))
    inputs = [values]
    biases = []  # for all gates, from each condition: V^T h in eq. (3), and V * y
    gates = 2 * filters * len(dilations)
    if classes:
        labels = keras.Input((), dtype="int32")
        inputs.append(labels)
        biases.append(layers.Reshape((1, gates))(layers.Embedding(classes, gates)(labels)))
    if local_channels:
        local = keras.Input((samples, local_channels))
        inputs.append(local)
        biases.append(layers.Dense(gates, use_bias=False)(local))
    biases = [keras.ops.split(bias, len(dilations), axis=-1) for bias in biases]

    x = OneHot(levels, padding=levels // 2)(values) if levels else values
    x = CausalConvolution(filters, kernel_size, sees_itself=False)(x)
    gated: list = []
    for number, dilation in enumerate(dilations):
        if number:
            x = layers.Add()([x, CausalConvolution(filters, 1)(gated[-1])])
        both = CausalConvolution(2 * filters, kernel_size, dilation)(x)
        if biases:
            both = layers.Add()([both, *(bias[number] for bias in biases)])
        gated.append(GatedUnit()(both))
    skips = layers.Concatenate()(gated) if len(gated) > 1 else gated[0]
    skips = CausalConvolution(skip_filters, 1, activation="relu")(skips)
    skips = CausalConvolution(skip_filters, 1, activation="relu")(skips)
    # The logits are float32, regardless of the internal precision.
    logits = CausalConvolution(outputs_per_value, 1, dtype="float32")(skips)
    return keras.Model(inputs if len(inputs) > 1 else values, logits, name="wavenet")


@checked_arguments
def receptive_field(dilations: Sequence[int], kernel_size: int = 2) -> int:
    """Returns the number of previous samples that a `wavenet` uses for a prediction.

    Args:
        dilations: Dilations of the blocks, at least one.
        kernel_size: Number of taps of each convolution, at least 2.

    Example:
        >>> receptive_field((1, 2, 4, 8))
        17
    """
    if not dilations or kernel_size < 2:
        raise ValueError(
            f"A WaveNet got {len(dilations)} blocks and {kernel_size} taps: expected at least 1 "
            "block and at least 2 taps."
        )
    return kernel_size + (kernel_size - 1) * sum(dilations)
