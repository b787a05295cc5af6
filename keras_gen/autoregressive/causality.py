"""Checks that networks are causal: the parameters of a value depend only on earlier values."""

import math

import numpy as np
import tensorflow as tf

from keras_gen.core import stateless

EXAMPLES = 3  # random images for each value, because a single image may hide a dependency
MOST_VALUES = 9  # maximum number of values to test, but at least all channels of two positions
TIMES = 16  # length at which networks for sequences of any length are tested
AXES = {1: "channel", 2: "time, channel", 3: "row, column, channel"}  # axes of an example
# The maximum change due to rounding, as a fraction of the outputs' standard deviation.
ROUNDING = 1e-3


def require_draws(likelihood) -> None:
    """Raises a ValueError if a likelihood cannot be sampled value by value."""
    if not likelihood.uniforms_per_value:
        raise ValueError(
            f"The likelihood is {likelihood}, which cannot be sampled value by value: use "
            "another likelihood, such as 'categorical' for counts with a known maximum."
        )


def require_causal(network, levels: int | None = None) -> None:
    """Raises a ValueError if the parameters of a value depend on that value or on later values.

    The values are in sampling order: row by row, pixel by pixel, channel by channel. With random
    weights, changing all values from one position onward must not change the parameters up to that
    position. In large images, only a few positions are tested. Gradients cannot be used, because a
    network has no gradient with respect to integers. The initial weights cannot be used either,
    because weights of zero hide dependencies.

    Args:
        network: Network that maps images `[batch, height, width, channels]`, sequences `[batch,
            time, channels]`, or vectors `[batch, channels]`, and any conditions, to parameters
            `[batch, ..., channels * parameters]`, in the order `[channel, parameter]`.
        levels: Number of levels of a value. If None, the network is tested with numbers from 0 to
            2.
    """
    shape = tuple(size or TIMES for size in network.inputs[0].shape[1:])
    with tf.init_scope():
        starts = _starts(shape)
        changed = _changed(network, shape, levels, starts)
        order = np.arange(math.prod(shape))
        bad = np.argwhere(changed & (order <= starts[:, None]))
        if not len(bad):
            return
        number, output = bad[0]
        # The output depends on the last position from which a change is visible.
        first = starts[number]
        end = len(order)
        while end - first > 1:
            middle = (first + end) // 2
            seen = _changed(network, shape, levels, np.array([middle]))[0, output]
            first, end = (middle, end) if seen else (first, middle)
    to, of = (tuple(int(n) for n in np.unravel_index(place, shape)) for place in (output, first))
    axes = AXES[len(shape)]
    raise ValueError(
        f"The network '{network.name}' is not causal: its outputs for the value at ({axes}) = "
        f"{to} depend on the value at {of}. A value may depend only on earlier values, in the "
        f"order of ({axes}). Build the network with a function such as "
        "keras_gen.networks.pixel_cnn, or from causal layers such as "
        "keras_gen.layers.MaskedConvolution."
    )


def _starts(shape) -> np.ndarray:
    """Returns positions from which values are changed: every channel of a few positions."""
    *size, channels = shape
    last = math.prod(size) - 1
    places = np.arange(last + 1)
    if (last + 1) * channels > MOST_VALUES:
        further = max(1, MOST_VALUES // channels - 2)
        drawn = np.random.default_rng(0).integers(last + 1, size=further)
        places = np.union1d([0, last], drawn)
    return (places[:, None] * channels + np.arange(channels)).ravel()


def _changed(network, shape, levels, starts) -> np.ndarray:
    """Returns whether each output changes with the values from each start, `[starts, values]`."""
    rng = np.random.default_rng(0)
    count = math.prod(shape)
    size = (len(starts), EXAMPLES, count)
    if levels:
        before = rng.integers(0, levels, size)
        others = (before + rng.integers(1, levels, size)) % levels
    else:
        before, others = rng.uniform(0, 2, (2, *size))
    after = np.where(np.arange(count) < starts[:, None, None], before, others)
    images = np.stack([before, after]).reshape(-1, *shape)
    inputs = [tf.cast(images, network.inputs[0].dtype)]
    for symbol in network.inputs[1:]:
        # Labels are all 0, the only class that certainly exists.
        condition = rng.uniform(size=[n or TIMES for n in symbol.shape[1:]])
        inputs.append(tf.cast(tf.stack([condition] * len(images)), symbol.dtype))
    weights = [tf.constant(_random(w.shape, rng), w.dtype) for w in network.trainable_variables]
    with stateless(network, weights):
        outputs = network(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = tf.cast(outputs, tf.float32).numpy().reshape(2, *size, -1)
    change = np.abs(outputs[1] - outputs[0])
    return (change > ROUNDING * outputs.std()).any(axis=(1, 3))


def _random(shape, rng) -> np.ndarray:
    """Returns weights that preserve the scale of activations, as in He et al. (2015)."""
    inputs = math.prod(shape[:-1])
    return rng.normal(0, math.sqrt(2 / inputs) if len(shape) > 1 else 0.1, shape)
