"""Convolutional encoder and decoder of waveforms."""

import keras
from keras import layers, ops

from keras_gen.networks.blocks import conv

_SPEECH = (16, 32, 64, 128, 128, 128)


def wave_encoder(
    samples: int = 5120,
    latent_dim: int = 64,
    filters: tuple[int, ...] = _SPEECH,
    activation: str = "relu",
    normalization: str | None = None,
    name: str = "encoder",
) -> keras.Model:
    """Builds convolutions of stride 2 and window 4, and a linear layer to the latents.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.3, which takes six: one latent for 64 samples. The paper names no channels.

    Args:
        samples: Samples of a waveform, a multiple of 2^(number of convolutions).
        latent_dim: Dimensions of a latent.
        filters: Channels of each convolution.
        activation: After each convolution.
        normalization: None; or `"instance"`: after each convolution every channel of each waveform
            gets mean 0 and variance 1 over time, which takes out much of what stays the same in a
            recording, such as its speaker (Chou, Yeh, Lee: "One-shot Voice Conversion by
            Separating Speaker and Content Representations with Instance Normalization",
            Interspeech 2019).
        name: Name of the model.

    Returns:
        A model from `[batch, samples, 1]` to float32 `[batch, latents, latent_dim]`.

    Raises:
        ValueError: If the convolutions cannot halve the samples, or `normalization` is unknown.

    Example:
    ```python
    encoder = wave_encoder(5120, latent_dim=64)  # to 80 latents
    ```
    """
    _latents(samples, filters)
    if normalization not in ("instance", None):
        raise ValueError(f"normalization is {normalization!r}: expected 'instance' or None.")
    inputs = keras.Input((samples, 1))
    x = inputs
    for width in filters:
        x = _conv(width, 4, strides=2)(x)
        if normalization:
            x = layers.GroupNormalization(groups=-1)(x)
        x = layers.Activation(activation)(x)
    outputs = layers.Conv1D(latent_dim, 1, dtype="float32", name="latents")(x)
    return keras.Model(inputs, outputs, name=name)


def wave_decoder(
    samples: int = 5120,
    latent_dim: int = 64,
    classes: int = 5,
    filters: tuple[int, ...] = _SPEECH,
    activation: str = "relu",
    dilations: tuple[int, ...] = (1, 3, 9),
    name: str = "decoder",
) -> keras.Model:
    """Builds the mirror image of the encoder, which is told a class, such as who speaks.

    First come residual blocks, in which the waveform of a latent depends on many others: each adds
    a convolution of three latents, `dilation` apart, and one of each by itself. The transposed
    convolutions have window 4 and stride 2, which divides it: they overlap evenly. Before every
    activation a bias is added that belongs to the class, as in WaveNet (van den Oord et al. 2016,
    sec. 2.5, global conditioning).

    Args:
        samples: Samples of a waveform.
        latent_dim: Dimensions of a latent.
        classes: Number of classes.
        filters: Channels of the encoder's convolutions, in its order.
        activation: Of all layers but the last.
        dilations: Of the blocks, one after the other.
        name: Name of the model.

    Returns:
        A model from `[batch, latents, latent_dim]` and int32 labels `[batch]` to float32
        `[batch, samples, 1]` in [-1, 1].

    Raises:
        ValueError: If the layers cannot double up to the samples.

    Example:
    ```python
    decoder = wave_decoder(5120, latent_dim=64, classes=5)
    ```
    """
    inputs = keras.Input((_latents(samples, filters), latent_dim))
    labels = keras.Input((), dtype="int32")
    one_hot = ops.one_hot(labels, classes, dtype=inputs.dtype)[:, None]

    def active(x):
        biased = layers.Add()([x, layers.Dense(x.shape[-1], use_bias=False)(one_hot)])
        return layers.Activation(activation)(biased)

    x = _conv(filters[-1], 3)(inputs)
    for dilation in dilations:
        block = active(_conv(filters[-1], 3, dilation_rate=dilation)(active(x)))
        x = layers.Add()([x, _conv(filters[-1], 1)(block)])
    double = dict(strides=2, layer=layers.Conv1DTranspose)
    for width in (*reversed(filters[:-1]), 1):
        x = _conv(width, 4, **double)(active(x))
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([inputs, labels], outputs, name=name)


def _conv(filters, size, layer=layers.Conv1D, **options):
    # Without normalization the weights have to keep the scale of what passes through them.
    usual = dict(use_bias=True, initializer="he_normal", padding="same")
    return conv(filters, size, layer=layer, **usual | options)


def _latents(samples, filters) -> int:
    """The number of latents of a waveform."""
    factor = 2 ** len(filters)
    if not filters or samples % factor:
        raise ValueError(
            f"{len(filters)} convolutions that halve cannot take {samples} samples: expected at "
            f"least one, and a multiple of {factor} samples; change filters, or pad the waveforms "
            "(keras_gen.data.fit_length)."
        )
    return samples // factor
