"""An augmentation that turns images into videos in which they move and bounce."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.data.transforms.image_augmentations import on_image
from keras_gen.declared import PositiveInteger


@checked_types
def moving_images(
    frames: int = 16, size: PositiveInteger = 32, slowest: float = 1.0, fastest: float = 3.0
) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that creates videos: an image moves over a black square and bounces.

    The videos resemble the moving digits of Srivastava, Mansimov, Salakhutdinov: "Unsupervised
    Learning of Video Representations using LSTMs", ICML 2015. Initial position, direction, and
    speed are sampled uniformly; each step ends at a whole pixel. An example is a uint8 image
    `[height, width, channels]`, a tuple whose first field is such an image, or a batch; each image
    becomes a uint8 video `[frames, size, size, channels]`.

    Args:
        frames: Number of frames in a video, at least 2.
        size: Side length of the square in pixels, larger than the sides of the image.
        slowest: Minimum speed, in pixels per frame.
        fastest: Maximum speed, in pixels per frame.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> source = Source(np.zeros([10, 14, 14, 1], "uint8"))
        >>> next(iter(source.stream(4, augment_batch=moving_images()))).shape
        TensorShape([4, 16, 32, 32, 1])
    """
    checked_integer("frames", frames, minimum=2)
    if not 0 <= slowest <= fastest < math.inf:
        raise ValueError(
            f"slowest is {slowest} and fastest is {fastest}: expected 0 <= slowest <= fastest."
        )

    def moved(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        _, height, width, _ = images.shape
        if max(height, width) >= size:
            raise ValueError(
                f"An image of size {height}x{width} cannot move within {size}x{size}: shrink it "
                "first, or choose a larger size."
            )
        drawn = tf.random.stateless_uniform([3, tf.shape(images)[0], 2], seed)
        place, direction, speed = tf.unstack(drawn)
        angle = 2 * math.pi * direction[:, :1]
        step = tf.concat([tf.sin(angle), tf.cos(angle)], axis=1)
        step *= slowest + (fastest - slowest) * speed[:, :1]
        time = tf.range(frames, dtype=tf.float32)[:, None]
        room = tf.constant([size - height, size - width], tf.float32)
        way = (place * room)[:, None] + step[:, None] * time
        corner = tf.cast(tf.round(bounced(way, room)), tf.int32)
        # A row and a column of zeros represent the black area around the image.
        framed = tf.pad(images, [[0, 0], [0, 1], [0, 1], [0, 0]])
        rows = _places_in_image(corner[..., 0], size, height)
        columns = _places_in_image(corner[..., 1], size, width)
        strips = tf.gather(framed, rows, axis=1, batch_dims=1)
        return tf.gather(strips, columns, axis=3, batch_dims=2)

    def augment(example: Any, seed: tf.Tensor) -> Any:
        def move(image: tf.Tensor) -> tf.Tensor:
            if image.shape.rank == 3:
                return moved(image[None], seed)[0]
            return moved(image, seed)

        return on_image(move, example, ranks=(3, 4))

    return augment


def bounced(way: tf.Tensor, room: tf.Tensor) -> tf.Tensor:
    """Returns the position, after a distance, of a ball that bounces off walls at 0 and `room`.

    Both arguments are floats, and are broadcast. If `room` is 4, distances (`way`) of 1, 3, 5, and
    -1 result in the positions 1, 3, 3, and 1.
    """
    phase = tf.math.floormod(way, 2 * room)
    return tf.minimum(phase, 2 * room - phase)


def _places_in_image(corner, size, side):
    """Returns the position in the image, or in the padding, for each position in the square."""
    places = tf.range(size) - corner[..., None]
    return tf.where((places >= 0) & (places < side), places, side)
