"""LSTMs that encode a time series as a code and decode it."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments


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
    own outputs, and generates the last value first, because the encoder remembers the last values
    best.

    Args:
        shape: Number of steps, and `params_per_value` times the number of channels, of a series.
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
