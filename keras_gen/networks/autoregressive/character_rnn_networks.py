"""A recurrent network that models texts character by character."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import CausalLSTM, OneHot, Shift


@checked_arguments
def character_rnn(
    levels: int, units: int = 256, blocks: CountFrom0 = 2, length: int | None = None
) -> keras.Model:
    """Builds LSTMs that predict each character from the previous characters.

    Graves: "Generating Sequences With Recurrent Neural Networks", 2013, sec. 2 and fig. 1: every
    layer receives the characters, and the states of all layers predict the next character. The
    paper has 7 layers with 700 units.

    Args:
        levels: Number of distinct characters, including the end-of-text character.
        units: Number of units in each LSTM.
        blocks: Number of LSTM layers, at least 1.
        length: Length of the texts. If None, texts may have any length.

    Returns:
        A model that maps character indices `[batch, time, 1]`, with -1 for padding, to float32
        logits `[batch, time, levels]`. The logits of each character depend only on previous
        characters.

    Example:
        >>> network = character_rnn(levels=80, units=64)
    """
    if blocks < 1:
        raise ValueError(f"blocks is {blocks}: expected at least 1 LSTM.")
    characters = keras.Input((length, 1))
    before = Shift()(OneHot(levels, padding=0)(characters))
    states = [CausalLSTM(units)(before)]
    for _ in range(blocks - 1):
        states.append(CausalLSTM(units)(layers.Concatenate()([before, states[-1]])))
    x = layers.Concatenate()(states) if blocks > 1 else states[0]
    # The logits are float32, whatever the internal precision.
    logits = layers.Dense(levels, dtype="float32")(x)
    return keras.Model(characters, logits, name="character_rnn")
