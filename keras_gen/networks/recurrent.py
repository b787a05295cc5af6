"""LSTMs that model texts character by character, and LSTMs that encode and decode time series."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import CausalLSTM, OneHot, Shift


@checked_arguments(axes=None)
def recurrent_encoder(
    shape: tuple = (32, 2), latent_dim: int = 4, units: int = 64, name: str = "encoder"
) -> keras.Model:
    """Builds an LSTM and a dense layer that maps its last state to the code.

    Srivastava, Mansimov, Salakhutdinov: "Unsupervised Learning of Video Representations using
    LSTMs", ICML 2015, sec. 2.1. In the paper, the state itself is the code. Here, the dense layer
    makes the code smaller.

    Args:
        shape: Numbers of steps and channels in a series.
        latent_dim: Number of dimensions of the code.
        units: Number of units in the LSTM.
        name: Name of the model.

    Returns:
        A model that maps series `[batch, steps, channels]` to codes, float32 `[batch, latent_dim]`.

    Example:
        >>> encoder = recurrent_encoder((32, 2), latent_dim=4)
    """
    series = keras.Input(shape)
    state = layers.LSTM(units)(series)
    codes = layers.Dense(latent_dim, dtype="float32")(state)
    return keras.Model(series, codes, name=name)


@checked_arguments(axes=None)
def recurrent_decoder(
    shape: tuple = (32, 2), latent_dim: int = 4, units: int = 64, name: str = "decoder"
) -> keras.Model:
    """Builds an LSTM that generates a series backward and receives the code at each step.

    As in the unconditioned decoder of Srivastava et al. (2015), sec. 2.1, the LSTM does not see its
    own outputs. The LSTM generates the last value first, because the encoder remembers the last
    values best.

    Args:
        shape: Shape of the output: the number of steps of a series, and `params_per_value` times
            its number of channels.
        latent_dim: Number of dimensions of the code.
        units: Number of units in the LSTM.
        name: Name of the model.

    Returns:
        A model that maps codes `[batch, latent_dim]` to float32 `[batch, *shape]`.

    Example:
        >>> decoder = recurrent_decoder((32, 2), latent_dim=4)
    """
    steps, channels = shape
    codes = keras.Input([latent_dim])
    states = layers.LSTM(units, return_sequences=True)(layers.RepeatVector(steps)(codes))
    in_order = keras.ops.flip(states, axis=1)  # the first state generates the last value
    series = layers.Dense(channels, dtype="float32")(in_order)
    return keras.Model(codes, series, name=name)


@checked_arguments
def character_rnn(
    levels: int, units: int = 256, blocks: CountFrom0 = 2, length: int | None = None
) -> keras.Model:
    """Builds LSTMs that predict each character from the previous characters.

    Graves: "Generating Sequences With Recurrent Neural Networks", 2013, sec. 2 and fig. 1. Every
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
    # The logits are float32, regardless of the internal precision.
    logits = layers.Dense(levels, dtype="float32")(x)
    return keras.Model(characters, logits, name="character_rnn")
