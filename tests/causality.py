"""Which values a network's outputs depend on, by gradient and as they should."""

import numpy as np
import tensorflow as tf


def dependence(network, x) -> np.ndarray:
    """Which outputs depend on which inputs of some images of the batch.

    Args:
        network: Function from `x` to maps `[batch, height, width, filters]`, or of sequences.
        x: Images `[batch, height, width, channels]`; several, as a ReLU hides what it sets to zero.

    Returns:
        Bool `[height, width, filters, height, width, channels]`, or of sequences.
    """
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(network(x), axis=0)
    return (tape.jacobian(y, x).numpy() != 0).any(axis=x.shape.rank - 1)


def sees(mask: str, side: int, image_shape: tuple) -> np.ndarray:
    """What a masked convolution sees by its definition, bool `[values, values]`."""
    places = np.array(list(np.ndindex(*image_shape)))  # in the order of drawing
    to, of = places[:, None], places[None, :]
    near = (np.abs(to - of)[..., :2] <= side // 2).all(axis=-1)
    same = (to == of)[..., :2].all(axis=-1)
    order = np.arange(len(places))
    earlier = order[:, None] > order[None, :]
    return near & (earlier | (same & (to >= of)[..., 2] if mask == "B" else False))
