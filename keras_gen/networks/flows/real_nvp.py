"""Real NVP: a flow of affine couplings at several scales (Dinh et al. 2017)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers.flows import ActNorm, AffineCoupling, Chain, Factored, Logit, Squeeze
from keras_gen.networks.blocks import halves, he_conv, require_halvings, zero_conv

COUPLINGS = 3  # number of couplings with each mask at each scale except the last
LAST_COUPLINGS = 4  # number of couplings at the last scale


@checked_arguments(axes=None)
def real_nvp(
    shape: tuple = (28, 28, 1),
    scales: int = 2,
    blocks: CountFrom0 = 2,
    filters: int = 32,
    alpha: float = 0.05,
) -> Chain:
    """Builds the flow of Real NVP for images in [0, 1].

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, sec. 3.6 and 4.1.
    After the logit, each scale has three couplings with checkerboard masks, a squeeze, and three
    couplings with channel masks, and then outputs half of the channels as latents. The last scale
    has four couplings with checkerboard masks instead. The coupling networks are residual, and
    their number of channels doubles after each squeeze.

    Deviations: activation normalization and zero initialization, as in Glow (Kingma, Dhariwal 2018,
    sec. 3.1 and 3.3), replace batch normalization and weight normalization, so that densities do
    not depend on the batch.

    Args:
        shape: `(height, width, channels)` of an image, with sides that are multiples of 2^(scales -
            1).
        scales: Number of scales, at least 1.
        blocks: Number of residual blocks in a coupling network; 8 in the paper for 32x32 images.
        filters: Number of hidden channels in the networks before the first squeeze; 32 or 64 in the
            paper.
        alpha: Minimum distance from 0 and 1 of the scaled values to which the logit is applied; see
            `Logit`.

    Returns:
        A built `Chain` that maps float32 `[batch, *shape]` in [0, 1] to latents with the same
        number of values: `[batch, values]`, or, with one scale, `[batch, *shape]`.

    Example:
        >>> flow = real_nvp((4, 4, 1), scales=2, blocks=1, filters=4)
        >>> latents, log_det, _ = flow(keras.random.uniform([2, 4, 4, 1]))  # [2, 16]
    """
    require_halvings("Real NVP", shape, scales, scales - 1)
    chain = [Logit(alpha), *_scales(tuple(shape), scales, blocks, filters)]
    flow = Chain(chain, name="real_nvp")
    flow.build((None, *shape))
    return flow


def _scales(shape, scales, blocks, filters) -> list:
    """Builds the layers of all scales, each nested in the previous one."""
    if scales == 1:
        return _couplings("checkerboard", LAST_COUPLINGS, shape, blocks, filters)
    height, width, channels = shape
    squeezed = (height // 2, width // 2, channels * 4)
    half = (*squeezed[:2], channels * 2)
    return [
        *_couplings("checkerboard", COUPLINGS, shape, blocks, filters),
        Squeeze(),
        *_couplings("channels", COUPLINGS, squeezed, blocks, 2 * filters),
        Factored(Chain(_scales(half, scales - 1, blocks, 2 * filters))),
    ]


def _couplings(mask, count, shape, blocks, filters) -> list:
    found = []
    for number in range(count):
        # With the channel mask, the network receives only the unchanged half.
        passive = (*shape[:2], shape[-1] // 2) if mask == "channels" else shape
        network = _residual_network(passive, blocks, filters)
        found.append(ActNorm())
        found.append(AffineCoupling(network, mask, flip=number % 2 == 1))
    return found


def _residual_network(shape, blocks, filters) -> keras.Model:
    """Builds a residual network for the scale and the shift of each channel, initially zero."""
    passive = keras.Input(shape)
    x = he_conv(filters, 3)(passive)
    for _ in range(blocks):
        y = layers.ReLU()(x)
        y = he_conv(filters, 3, activation="relu")(y)
        # Each block is initialized to the identity, so that the sum of many blocks keeps its scale.
        x = layers.Add()([x, he_conv(filters, 3, initializer="zeros")(y)])
    x = layers.ReLU()(x)
    return keras.Model(passive, halves(zero_conv(2 * shape[-1])(x)))
