"""A causal transformer for sequences of codes."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0, Fraction
from keras_gen.layers import CausalAttention, Dropout, LearnedPositions, OneHot, Shift


@checked_arguments
def transformer(
    length: int,
    levels: int,
    units: int = 128,
    blocks: CountFrom0 = 4,
    heads: int = 4,
    classes: int = 0,
    dropout: Fraction = 0.0,
) -> keras.Model:
    """Builds blocks of masked self-attention that predict each code from all previous codes.

    Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021,
    sec. 3.2, with the network of Radford et al.: "Language Models are Unsupervised Multitask
    Learners", 2019 (GPT-2). Each code is embedded as a learned vector, to which a learned vector
    for its position is added. A block consists of attention to positions up to the current position
    and a dense layer with 4 times `units` and GELU; both parts have normalized inputs and a
    residual connection. At the first position, which has no previous code, the class is used
    instead. A grid of codes is processed row by row (see `CodePrior`). The paper has 24 or more
    blocks with 1024 units.

    Args:
        length: Number of codes, such as 64 for an 8x8 grid.
        levels: Number of distinct codes.
        units: Number of dimensions of the vectors between blocks.
        blocks: Number of blocks.
        heads: Number of heads in each attention layer. Must divide `units`.
        classes: Number of classes, or 0 for none. With classes, the network also accepts int32
            labels `[batch]`.
        dropout: Fraction of the outputs of attention and dense layers that is set to zero in
            training.

    Returns:
        A model that maps codes `[batch, length, 1]` with -1 for padding, or a list of codes and
        labels, to float32 logits `[batch, length, levels]`. The logits of a code depend only on
        previous codes.

    Raises:
        ValueError: If `units` is not a multiple of `heads`.

    Example:
        >>> network = transformer(length=64, levels=512, units=32, blocks=2, classes=10)
    """
    if units % heads:
        raise ValueError(
            f"units is {units}, but heads is {heads}: expected a multiple of heads."
        )
    codes = keras.Input((length, 1))
    labels = keras.Input((), dtype="int32")

    # A dense layer replaces an embedding, because samplers require layers that keep the position
    # axis.
    x = layers.Dense(units, use_bias=False, kernel_initializer=_normal())(OneHot(levels)(codes))
    x = Shift()(x)
    if classes:
        of_class = layers.Embedding(classes, units, embeddings_initializer=_normal())(labels)
        of_class = layers.Reshape((1, units))(of_class)
        x = layers.Add()([x, layers.ZeroPadding1D((0, length - 1))(of_class)])
    x = LearnedPositions(length)(x)
    for _ in range(blocks):
        looked = CausalAttention(heads)(layers.LayerNormalization()(x))
        x = layers.Add()([x, _dropped(looked, dropout)])
        inner = layers.Dense(4 * units, "gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, _dropped(layers.Dense(units)(inner), dropout)])
    # The logits are float32, regardless of the internal precision.
    logits = layers.Dense(levels, dtype="float32")(layers.LayerNormalization()(x))
    return keras.Model([codes, labels] if classes else codes, logits, name="transformer")


def _normal():
    """Returns an initializer with small values, so that blocks contribute more than embeddings."""
    return keras.initializers.RandomNormal(stddev=0.02)


def _dropped(x, rate):
    return Dropout(rate=rate)(x) if rate else x
