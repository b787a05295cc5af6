"""Networks of VQ-VAEs for images and for sounds."""

from functools import partial

import keras
from keras import layers, ops

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.networks.blocks import cropped, float32, halved_sides, he_conv


@checked_arguments
def residual_encoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 64,
    filters: int = 256,
    residual_filters: int = 256,
    blocks: CountFrom0 = 2,
    stages: int = 2,
    codes_per_place: int = 1,
) -> keras.Model:
    """Builds strided convolutions and residual blocks, with one or several latents per position.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.1. 4x4 convolutions with stride 2 are followed by blocks of ReLU, 3x3 convolution, ReLU,
    and 1x1 convolution, all with 256 channels. For CIFAR-10, there are 8x8 positions with 10
    latents each. The paper does not specify the following details: a ReLU between the convolutions
    and before the last convolution, and a 1x1 convolution that returns the latents.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 2^stages.
        latent_dim: Number of dimensions of a latent.
        filters: Number of channels in all maps.
        residual_filters: Number of channels between the two convolutions in a block.
        blocks: Number of residual blocks.
        stages: Number of strided convolutions; each halves the sides.
        codes_per_place: Number of latents at each position.

    Returns:
        A model that maps `[batch, *image_shape]` to float32
        `[batch, height / 2^stages, width / 2^stages, latent_dim]`, with sides rounded up, or
        `[..., codes_per_place, latent_dim]` if `codes_per_place` is above 1.

    Example:
        >>> encoder = residual_encoder((32, 32, 3), filters=64, residual_filters=32)
    """
    halved_sides(image_shape, stages, "stages")
    images = keras.Input(image_shape)
    x = _blocks(_halved(images, filters, stages), residual_filters, blocks)
    x = he_conv(latent_dim * codes_per_place, 1, dtype="float32")(x)
    if codes_per_place > 1:
        x = layers.Reshape((*x.shape[1:3], codes_per_place, latent_dim), dtype="float32")(x)
    return keras.Model(images, x, name="encoder")


@checked_arguments
def residual_decoder(
    image_shape: tuple = (32, 32, 3),
    latent_dim: int = 64,
    filters: int = 256,
    residual_filters: int = 256,
    blocks: CountFrom0 = 2,
    stages: int = 2,
    codes_per_place: int = 1,
) -> keras.Model:
    """Builds the mirror image of `residual_encoder`, which returns the likelihood's parameters.

    Van den Oord et al. (2017), sec. 4.1. Residual blocks are followed by transposed 4x4
    convolutions with stride 2. Deviations: a 3x3 convolution precedes the blocks, and ReLUs are
    added as in the encoder. The arguments are as in `residual_encoder`, but `image_shape` has
    `params_per_value` times as many channels.

    Returns:
        A model that maps latents, in the format returned by the encoder, to float32 `[batch,
        *image_shape]`.

    Example:
        >>> decoder = residual_decoder((32, 32, 3), filters=64, residual_filters=32)
    """
    height, width = halved_sides(image_shape, stages, "stages")
    several = (codes_per_place,) if codes_per_place > 1 else ()
    latents = keras.Input((height, width, *several, latent_dim))
    x = latents
    if several:
        x = layers.Reshape((height, width, codes_per_place * latent_dim))(x)
    x = _image(x, image_shape, filters, residual_filters, blocks, stages)
    return keras.Model(latents, x, name="decoder")


@checked_arguments
def vq_vae_2_networks(
    image_shape: tuple = (256, 256, 3),
    latent_dim: int = 64,
    filters: int = 128,
    residual_filters: int = 64,
    blocks: CountFrom0 = 2,
    stages: int = 2,
    params_per_value: int = 1,
) -> dict:
    """Builds the networks of a two-level `keras_gen.vae.VQVAE2`, in a dict of its arguments.

    Razavi, van den Oord, Vinyals: "Generating Diverse High-Fidelity Images with VQ-VAE-2", NeurIPS
    2019, sec. 3.1 and fig. 2a. By default, the sides of the bottom level are a quarter of the
    image's sides, and the sides of the top level are an eighth of the image's sides. Convolutions
    and blocks are as in `residual_encoder`. The encoder of the bottom level receives the bottom
    level's features and the top level's codes, which pass through residual blocks and a transposed
    convolution. The decoder receives the codes of both levels, with a transposed convolution for
    the top level's codes.

    Args:
        image_shape: `(height, width, channels)`, with sides of at least 2^(stages + 1).
        latent_dim: Number of dimensions of a latent, at both levels.
        filters: Number of channels in all maps.
        residual_filters: Number of channels between the two convolutions in a block.
        blocks: Number of residual blocks in each network.
        stages: Number of times that the bottom level halves the sides.
        params_per_value: Number of likelihood parameters per value.

    Example:
        >>> networks = vq_vae_2_networks((64, 64, 3), filters=64, residual_filters=32)
    """
    height, width = halved_sides(image_shape, stages + 1, "stages")
    images = keras.Input(image_shape)
    features = _blocks(_halved(images, filters, stages), residual_filters, blocks)
    h_top = _blocks(_halved(features, filters, 1), residual_filters, blocks)
    outputs = [float32(features), he_conv(latent_dim, 1, dtype="float32")(h_top)]
    top_encoder = keras.Model(images, outputs, name="top_encoder")

    sides = features.shape[1:3]
    below = keras.Input(features.shape[1:])
    top = keras.Input((height, width, latent_dim))
    from_top = _blocks(he_conv(filters, 3)(top), residual_filters, blocks)
    h_bottom = layers.Concatenate()([below, cropped(_doubled(from_top, filters), sides)])
    h_bottom = he_conv(latent_dim, 1, dtype="float32")(h_bottom)
    encoder = keras.Model([below, top], h_bottom, name="encoder")

    bottom = keras.Input((*sides, latent_dim))
    top = keras.Input((height, width, latent_dim))
    x = layers.Concatenate()([bottom, cropped(_doubled(top, latent_dim), sides)])
    shape = (*image_shape[:-1], image_shape[-1] * params_per_value)
    x = _image(x, shape, filters, residual_filters, blocks, stages)
    decoder = keras.Model([bottom, top], x, name="decoder")
    return dict(top_encoder=top_encoder, encoder=encoder, decoder=decoder)


def _doubled(x, filters, **options):
    return he_conv(filters, 4, strides=2, layer=layers.Conv2DTranspose, **options)(x)


def _halved(x, filters, stages):
    """Halves the sides of maps `stages` times, without an activation at the end."""
    for stage in range(stages):
        x = he_conv(filters, 4, strides=2)(layers.ReLU()(x) if stage else x)
    return x


def _blocks(x, residual_filters, blocks):
    for _ in range(blocks):
        y = he_conv(residual_filters, 3)(layers.ReLU()(x))
        x = layers.Add()([x, he_conv(x.shape[-1], 1)(layers.ReLU()(y))])
    return layers.ReLU()(x)


def _image(x, image_shape, filters, residual_filters, blocks, stages):
    x = _blocks(he_conv(filters, 3)(x), residual_filters, blocks)
    for _ in range(stages - 1):
        x = _doubled(x, filters, activation="relu")
    return float32(cropped(_doubled(x, image_shape[-1]), image_shape))


_SPEECH = (16, 32, 64, 128, 128, 128)

_conv = partial(he_conv, layer=layers.Conv1D)


@checked_arguments
def wave_encoder(
    samples: int = 5120,
    latent_dim: int = 64,
    filters: tuple[int, ...] = _SPEECH,
    normalization: str | None = None,
) -> keras.Model:
    """Builds convolutions (stride 2, window 4, ReLU) and a linear layer for the latents.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.3. With six convolutions, there is one latent per 64 samples. The paper does not specify
    the numbers of channels.

    Args:
        samples: Number of samples in a waveform, a multiple of 2^(number of convolutions).
        latent_dim: Number of dimensions of a latent.
        filters: Number of channels in each convolution.
        normalization: None, or `"instance"`, which normalizes over time and largely removes
            information that is constant in a recording, such as the speaker (Chou, Yeh, Lee:
            "One-shot Voice Conversion by Separating Speaker and Content Representations with
            Instance Normalization", Interspeech 2019).

    Returns:
        A model that maps `[batch, samples, 1]` to float32 `[batch, latents, latent_dim]`.

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

    Residual blocks come first, so that each latent's part of the waveform depends on many other
    latents. Each block has a convolution over three latents that are `dilation` apart, and a 1x1
    convolution. The transposed convolutions have window 4 and stride 2, so they overlap evenly.
    Before every activation, a class bias is added, as in WaveNet (van den Oord et al. 2016, sec.
    2.5, global conditioning).

    Args:
        samples: Number of samples in a waveform, as in `wave_encoder`.
        latent_dim: Number of dimensions of a latent.
        classes: Number of classes.
        filters: Number of channels in each of the encoder's convolutions, in the same order as in
            the encoder.
        dilations: Dilations of consecutive blocks.

    Returns:
        A model that maps `[batch, latents, latent_dim]` and int32 labels `[batch]` to float32
        `[batch, samples, 1]` in [-1, 1].

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
            f"There are {len(filters)} halving convolutions for {samples} samples: expected at "
            f"least one convolution, and a number of samples that is a multiple of {factor}. "
            "Change filters, or pad the waveforms (keras_gen.data.fit_length)."
        )
    return samples // factor
