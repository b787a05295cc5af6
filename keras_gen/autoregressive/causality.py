"""Whether a network is causal: the parameters of a value depend on the values before it alone."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_gen.training import stateless

EXAMPLES = 3  # random images for each value, for an activation may hide what another one shows
MOST_VALUES = 9
# A change of rounding, as a fraction of the outputs' deviation.
ROUNDING = 1e-3


def require_causal(network, levels: int) -> None:
    """Raises a ValueError if the logits of a value depend on this value or a later one.

    The order is that of sampling: row by row, pixel by pixel, channel by channel. With random
    weights, all values from one place on are changed, which must not change the logits up to it. In
    large images a few places are tried. It takes values and no gradients, as a network of levels
    may have none, and initial weights may be zeros, which hide what a network sees.

    Args:
        network: Levels `[batch, height, width, channels]` to logits `[batch, height, width,
            channels * levels]`, in the order `[channel, level]`.
        levels: Number of levels of a value.
    """
    shape = tuple(network.inputs[0].shape[1:])
    with tf.init_scope():
        starts = _starts(shape)
        changed = _changed(network, shape, levels, starts)
        order = np.arange(math.prod(shape))
        bad = np.argwhere(changed & (order <= starts[:, None]))
        if not len(bad):
            return
        number, output = bad[0]
        # The last place from which on a change is seen is what the output depends on.
        first, end = starts[number], len(order)
        while end - first > 1:
            middle = (first + end) // 2
            seen = _changed(network, shape, levels, np.array([middle]))[0, output]
            first, end = (middle, end) if seen else (first, middle)
    to, of = (tuple(int(n) for n in np.unravel_index(place, shape)) for place in (output, first))
    raise ValueError(
        f"The network '{network.name}' is not causal: its logits of the value at (row, column, "
        f"channel) {to} depend on the value at {of}, and may only depend on those before their "
        "own, in rows, then pixels, then channels; build it with keras_gen.networks.pixel_cnn, "
        "or of masked layers such as keras_gen.layers.MaskedConvolution."
    )


def _starts(shape) -> np.ndarray:
    """Places of values, from which on they are changed: every channel of a few pixels."""
    height, width, channels = shape
    last = height * width - 1
    pixels = np.arange(last + 1)
    if (last + 1) * channels > MOST_VALUES:
        drawn = np.random.default_rng(0).integers(last, size=max(1, MOST_VALUES // channels - 2))
        pixels = np.union1d([0, last], drawn)
    return (pixels[:, None] * channels + np.arange(channels)).ravel()


def _changed(network, shape, levels, starts) -> np.ndarray:
    """Which logits change with the values from each start on: bool `[starts, values]`."""
    rng = np.random.default_rng(0)
    count = math.prod(shape)
    size = (len(starts), EXAMPLES, count)
    before = rng.integers(0, levels, size)
    others = (before + rng.integers(1, levels, size)) % levels
    after = np.where(np.arange(count) < starts[:, None, None], before, others)
    images = np.stack([before, after]).reshape(-1, *shape)
    weights = [tf.constant(_random(w.shape, rng), w.dtype) for w in network.trainable_variables]
    with stateless(network, weights):
        logits = network(tf.cast(images, network.inputs[0].dtype), training=False)
    logits = keras.ops.convert_to_numpy(logits).reshape(2, *size, levels)
    change = np.abs(logits[1] - logits[0])
    return (change > ROUNDING * logits.std()).any(axis=(1, 3))


def _random(shape, rng) -> np.ndarray:
    """Weights that keep the scale of what passes a layer, as by He et al. (2015)."""
    inputs = math.prod(shape[:-1])
    return rng.normal(0, math.sqrt(2 / inputs) if len(shape) > 1 else 0.1, shape)
