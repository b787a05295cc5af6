"""Glow: a flow of invertible 1x1 convolutions (Kingma, Dhariwal 2018)."""

import keras

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.flows import (
    ActNorm,
    AffineCoupling,
    Chain,
    Factored,
    InvertibleConvolution,
    Logit,
    Squeeze,
)
from keras_gen.networks.blocks import halves, he_conv, require_halvings, zero_conv


@checked_arguments(axes=None)
def glow(
    shape: tuple = (28, 28, 1),
    scales: int = 2,
    steps: int = 8,
    filters: int = 64,
    alpha: float = 0.05,
    lu: bool = False,
    seed: int = 0,
) -> Chain:
    """Builds the flow of Glow for images in [0, 1].

    Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018, fig.
    2. Each of the L scales applies a squeeze and K steps, which consist of activation
       normalization, an invertible 1x1 convolution, and an affine coupling. Each scale outputs half
       of the channels as latents, and the last scale outputs all channels. A coupling network has
       three convolutions, 3x3, 1x1, and 3x3, of which the last convolution starts at zero (sec.
       3.3). The latents of all scales except the last have a normal
    prior whose mean and scale depend on the remaining channels, as in the authors' code; the last
    latents have a standard normal prior.

    Deviations: the flow starts with the logit of Real NVP, because digits are mostly black and
    white; log scales are a learned factor times a tanh, as in `AffineCoupling`, whereas the
    authors' code uses a sigmoid; the hidden layers of coupling networks are initialized as in He et
    al. (2015) and are not normalized.

    Args:
        shape: `(height, width, channels)` of an image, with sides that are multiples of 2^scales.
        scales: Number of scales (L in the paper), at least 1.
        steps: Number of flow steps per scale (K in the paper), at least 1.
        filters: Number of hidden channels in the coupling networks; 512 in the paper.
        alpha: Minimum distance from 0 and 1 of the scaled values to which the logit is applied; see
            `Logit`.
        lu: Whether `InvertibleConvolution` uses an LU decomposition.
        seed: Seed for the first rotation.

    Returns:
        A built `Chain` that maps float32 `[batch, *shape]` in [0, 1] to latents with the same
        number of values: `[batch, values]`, or, with one scale,
        `[batch, height / 2, width / 2, 4 * channels]`.

    Example:
        >>> flow = glow((8, 8, 1), scales=2, steps=1, filters=4)
        >>> latents, log_det, _ = flow(keras.random.uniform([2, 8, 8, 1]))  # [2, 64]
    """
    require_halvings("Glow", shape, scales, scales)
    chain = [Logit(alpha), *_scales(tuple(shape), scales, steps, filters, lu, seed)]
    flow = Chain(chain, name="glow")
    flow.build((None, *shape))
    return flow


def _scales(shape, scales, steps, filters, lu, seed) -> list:
    """Builds the layers of all scales, each nested in the previous one."""
    height, width, channels = shape
    height = height // 2
    width = width // 2
    channels = channels * 4
    found = [Squeeze()]
    for step in range(steps):
        found.append(ActNorm())
        found.append(InvertibleConvolution(lu, seed=seed + step))
        network = _coupling_network((height, width, channels // 2), filters)
        found.append(AffineCoupling(network))
    if scales > 1:
        half = (height, width, channels // 2)
        rest = Chain(_scales(half, scales - 1, steps, filters, lu, seed + steps))
        found.append(Factored(rest, _prior_network(half)))
    return found


def _coupling_network(half, filters) -> keras.Model:
    """Builds a network for the scale and the shift of half of the channels, initially zero."""
    passive = keras.Input(half)
    x = he_conv(filters, 3, activation="relu")(passive)
    x = he_conv(filters, 1, activation="relu")(x)
    return keras.Model(passive, halves(zero_conv(2 * half[-1])(x)))


def _prior_network(half) -> keras.Model:
    """Builds a network for the mean and log scale of a scale's latents, initially zero."""
    stay = keras.Input(half)
    return keras.Model(stay, halves(zero_conv(2 * half[-1])(stay)))
