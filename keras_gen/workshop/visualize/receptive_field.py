"""Visualizes the pixels on which the distribution of a pixel depends."""

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_seed

EXAMPLES = 8  # number of random images; several are used, because a ReLU may hide a dependency
SEEN = (255, 255, 255)
UNSEEN = (200, 40, 40)
ITSELF = (60, 120, 255)
LATER = (40, 40, 40)


def seen_pixels(network, row: int, column: int, scale: int = 8, seed: int = 0) -> np.ndarray:
    """Shows the pixels that one pixel's parameters depend on in an autoregressive network.

    Pixels that the network uses are white. Pixels that are sampled earlier but are not used, the
    blind spot, are red. The pixel itself is blue, and later pixels are dark.

    Args:
        network: Network that maps images `[batch, height, width, channels]` to parameters of the
            same height and width.
        row: Row of the pixel.
        column: Column of the pixel.
        scale: Side length, in the result, of each pixel.
        seed: Seed for the random images at which gradients are taken.

    Returns: A uint8 image `[height * scale, width * scale, 3]`.

    Raises:
        ValueError: If the pixel is outside of the image.

    Example: `write_image("blind_spot.png", seen_pixels(pixel_cnn((28, 28, 1)), 14, 14))`.
    """
    height, width, channels = network.inputs[0].shape[1:]
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(
            f"The pixel is ({row}, {column}): expected a pixel in an image of {height}x{width}."
        )
    random = np.random.default_rng(checked_seed(seed)).uniform(
        size=(EXAMPLES, height, width, channels)
    )
    images = tf.constant(random, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        parameters = network(images, training=False)[:, row, column]
        # Random weights are applied, because opposite dependencies would otherwise cancel.
        weights = (
            np.random.default_rng(checked_seed(seed))
            .normal(size=parameters.shape)
            .astype("float32")
        )
        total = tf.reduce_sum(weights * parameters)
    seen = (tape.gradient(total, images).numpy() != 0).any(axis=(0, 3))

    order = np.arange(height * width).reshape(height, width)
    before = order < order[row, column]
    image = np.where(before[..., None], UNSEEN, LATER)
    image = np.where(seen[..., None], SEEN, image)
    image[row, column] = ITSELF
    return image.repeat(scale, axis=0).repeat(scale, axis=1).astype("uint8")
