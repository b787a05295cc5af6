"""Masks for inpainting models: 1 where a pixel is missing."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf


def centered_square(side: int, margin: int) -> tf.Tensor:
    """Returns the mask of a square in the middle of an image, float32 `[1, side, side, 1]`.

    Pathak et al.: "Context Encoders: Feature Learning by Inpainting", CVPR 2016, sec. 3.3, "central
    region".

    Args:
        side: Side of the image in pixels.
        margin: Number of pixels between the square and each border of the image.

    Example:
        >>> float(tf.reduce_sum(centered_square(32, margin=8)))
        256.0
    """
    place = np.arange(side)
    inside = (place >= margin) & (place < side - margin)
    return tf.constant((inside[:, None] & inside)[None, ..., None], tf.float32)


def random_regions(noise: tf.Tensor, side: int, fraction: float = 0.25) -> tf.Tensor:
    """Returns masks `[n, side, side, 1]` of irregular regions: the minima of upsampled noise.

    Pathak et al. 2016, sec. 3.3, "random region", as in the authors' code; the paper uses
    silhouettes of objects.

    Args:
        noise: Uniform noise, float32 `[n, cells, cells, 1]`. Fewer cells give larger regions.
        side: Side of the images in pixels.
        fraction: Missing fraction of each image, from 0 to below 1; at most 1/4 in the paper.

    Example:
        >>> masks = random_regions(tf.random.stateless_uniform([9, 8, 8, 1], seed=[0, 1]), side=32)
        >>> float(tf.reduce_mean(masks))
        0.25
    """
    upsample = _upsampling(noise.shape[1], side)
    smooth = tf.einsum("yi,bijc,xj->byxc", upsample, noise, upsample)
    lowest = tf.sort(tf.reshape(smooth, [-1, side * side]))
    threshold = lowest[:, int(fraction * side * side), None, None, None]
    return tf.cast(smooth < threshold, tf.float32)


@functools.cache
def _upsampling(cells: int, side: int) -> np.ndarray:
    """Bicubic upsampling as a matrix `[side, cells]`, because XLA has no kernel for it."""
    with tf.init_scope():  # a constant even while a step is traced
        rows = np.eye(cells, dtype="float32")[None, ..., None]
        return tf.image.resize(rows, [side, cells], "bicubic").numpy()[0, ..., 0]
