"""A flow of affine couplings (Dinh et al. 2017)."""

import math
from functools import partial

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.flows import ActNorm, AffineCoupling, Chain, ConditionalAffine, Squeeze


@checked_arguments(axes=None)
def coupling_flow(
    shape: tuple = (2,),
    steps: int = 8,
    hidden: tuple[int, ...] = (64, 64),
    activation: str = "relu",
    condition_dim: int = 0,
) -> Chain:
    """Builds steps of activation normalization and affine coupling, with alternating masks.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017. For examples
    `[values]`, the two halves alternate. For images, the first half of the steps has checkerboard
    masks, followed by a squeeze, and the other half has channel masks (sec. 3.6, one scale).
    Deviations, which suit small data: plain networks instead of residual networks, one scale
    instead of several, and the normalization and zero initialization of Glow (Kingma, Dhariwal
    2018, sec. 3.1 and 3.3) instead of batch normalization. The flow therefore starts as the
    normalization of its first batch.

    A condition is an input of all coupling networks, and the latents' mean and scale also depend on
    it (Winkler, Worrall, Hoogeboom, Welling: "Learning Likelihoods with Conditional Normalizing
    Flows", 2019). For one-hot labels, this last map is a table of means and scales.

    Args:
        shape: Shape of an example: `(values,)` with at least 2 values, or
            `(height, width, channels)` with even sides.
        steps: Number of couplings, at least 1. If it is a multiple of 4, both halves of every mask
            are used.
        hidden: Number of units in each hidden layer of the coupling networks; for images, number of
            channels in each 3x3 convolution.
        activation: Activation of the hidden layers.
        condition_dim: Number of values in a condition `[batch, condition_dim]`, or 0 for none.

    Returns:
        A built `Chain` that maps float32 `[batch, *shape]` to latents with the same number of
        values, `[batch, values]` or `[batch, height / 2, width / 2, channels * 4]` (see
        `flow.output_shape`).

    Example:
        >>> flow = coupling_flow((8, 8, 1), steps=4, hidden=(16,))
        >>> z, log_det, statistics = flow(keras.random.normal([32, 8, 8, 1]), training=True)
    """
    if len(shape) not in (1, 3) or tuple(shape) == (1,):
        raise ValueError(
            f"A coupling flow got examples of shape {tuple(shape)}: expected (values,) with at "
            "least 2 values, or (height, width, channels)."
        )
    options = dict(hidden=hidden, activation=activation, condition_dim=condition_dim)
    shape_of_latents = tuple(shape)
    if len(shape) == 1:
        chain = _couplings("channels", steps, shape, **options)
    else:
        squeeze = Squeeze()
        squeezed = squeeze.y_shape((None, *shape))[1:]
        chain = _couplings("checkerboard", steps - steps // 2, shape, **options)
        chain += [squeeze, *_couplings("channels", steps // 2, squeezed, **options)]
        shape_of_latents = squeezed
    if condition_dim:
        chain.append(ConditionalAffine(_prior(condition_dim, shape_of_latents)))
    flow = Chain(chain, name="flow")
    flow.build((None, *shape))
    return flow


def _couplings(mask, steps, shape, **options) -> list:
    found = []
    for step in range(steps):
        found.append(ActNorm())
        found.append(AffineCoupling(_network(shape, **options), mask, flip=step % 2 == 1))
    return found


def _prior(condition_dim, shape) -> keras.Model:
    """Builds a network that maps a condition to the latents' mean and log scale, initially 0."""
    condition = keras.Input([condition_dim])
    outputs = []
    for _ in range(2):
        head = layers.Dense(math.prod(shape), kernel_initializer="zeros", dtype="float32")
        outputs.append(layers.Reshape(shape)(head(condition)))
    return keras.Model(condition, outputs)


def _network(shape, hidden, activation, condition_dim) -> keras.Model:
    """Builds a network from the passive half and the condition to scale and shift, initially 0."""
    image = len(shape) == 3
    layer = partial(layers.Conv2D, kernel_size=3, padding="same") if image else layers.Dense
    passive = keras.Input(shape)
    inputs = [passive]
    x = passive
    if condition_dim:
        condition = keras.Input([condition_dim])
        inputs.append(condition)
        if image:  # repeat the condition for every pixel
            condition = layers.Reshape([1, 1, condition_dim])(condition)
            condition = layers.UpSampling2D(shape[:2])(condition)
        x = layers.Concatenate()([passive, condition])
    for units in hidden:
        x = layer(units, activation=activation)(x)
    # The outputs are float32, regardless of the internal precision.
    head = partial(layer, shape[-1], kernel_initializer="zeros", dtype="float32")
    outputs = [head()(x), head()(x)]
    return keras.Model(inputs if condition_dim else passive, outputs)
