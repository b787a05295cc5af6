"""Encoder and decoder of the VQ-VAE of sounds: convolutions from waveforms to latents, and back."""

from functools import partial

import keras
from keras import layers, ops

from keras_gen.checked_arguments import checked_arguments
from keras_gen.networks.blocks import he_conv

_SPEECH = (16, 32, 64, 128, 128, 128)

_conv = partial(he_conv, layer=layers.Conv1D)


@checked_arguments
def wave_encoder(
    samples: int = 5120,
    latent_dim: int = 64,
    filters: tuple[int, ...] = _SPEECH,
    normalization: str | None = None,
) -> keras.Model:
    """Builds convolutions of stride 2, window 4 and ReLU, and a linear layer to the latents.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.3: six convolutions, so one latent for 64 samples. The channels are not in the paper.

    Args:
        samples: Samples of a waveform, a multiple of 2^(number of convolutions).
        latent_dim: Dimensions of a latent.
        filters: Channels of each convolution.
        normalization: None; or `"instance"`, over time, which removes much that is constant in a
            recording, such as the speaker (Chou, Yeh, Lee: "One-shot Voice Conversion by Separating
            Speaker and Content Representations with Instance Normalization", Interspeech 2019).

    Returns:
        A model from `[batch, samples, 1]` to float32 `[batch, latents, latent_dim]`.

    Example:
        >>> encoder = wave_encoder(5120, latent_dim=64)  # to 80 latents
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
        x = layers.Activation("relu")(x)
    outputs = layers.Conv1D(latent_dim, 1, dtype="float32", name="latents")(x)
    return keras.Model(inputs, outputs, name="encoder")


@checked_arguments
def wave_decoder(
    samples: int = 5120,
    latent_dim: int = 64,
    classes: int = 5,
    filters: tuple[int, ...] = _SPEECH,
    dilations: tuple[int, ...] = (1, 3, 9),
) -> keras.Model:
    """Builds the mirror image of the encoder, conditioned on a class, such as the speaker.

    Residual blocks come first, so that the waveform of a latent depends on many others: each adds a
    convolution of three latents, `dilation` apart, and a 1x1 convolution. Transposed convolutions
    of window 4 and stride 2 overlap evenly. Before every activation a bias of the class is added,
    as in WaveNet (van den Oord et al. 2016, sec. 2.5, global conditioning).

    Args:
        samples: Samples of a waveform, as in `wave_encoder`.
        latent_dim: Dimensions of a latent.
        classes: Number of classes.
        filters: Channels of the encoder's convolutions, in its order.
        dilations: Of the blocks, one after the other.

    Returns:
        A model from `[batch, latents, latent_dim]` and int32 labels `[batch]` to float32 `[batch,
        samples, 1]` in [-1, 1].

    Example:
        >>> decoder = wave_decoder(5120, latent_dim=64, classes=5)
    """
    inputs = keras.Input((_latents(samples, filters), latent_dim))
    labels = keras.Input((), dtype="int32")
    one_hot = ops.one_hot(labels, classes, dtype=inputs.dtype)[:, None]

    def active(x):
        biased = layers.Add()([x, layers.Dense(x.shape[-1], use_bias=False)(one_hot)])
        return layers.Activation("relu")(biased)

    x = _conv(filters[-1], 3)(inputs)
    for dilation in dilations:
        block = active(_conv(filters[-1], 3, dilation_rate=dilation)(active(x)))
        x = layers.Add()([x, _conv(filters[-1], 1)(block)])
    for width in (*reversed(filters[:-1]), 1):
        x = he_conv(width, 4, strides=2, layer=layers.Conv1DTranspose)(active(x))
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([inputs, labels], outputs, name="decoder")


def _latents(samples, filters) -> int:
    factor = 2 ** len(filters)
    if not filters or samples % factor:
        raise ValueError(
            f"{len(filters)} convolutions that halve cannot take {samples} samples: "
            "expected at "
            f"least one, and a multiple of {factor} samples; change filters, or pad the "
            "waveforms (keras_gen.data.fit_length)."
        )
    return samples // factor
