"""Larger images without a network."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer


def bicubic(images: np.ndarray, factor: int) -> np.ndarray:
    """Enlarges images by bicubic interpolation (Keys 1981), uint8.

    Args:
        images: uint8 `[n, height, width, channels]`.
        factor: By which sides grow, 1 or more.

    Example: `bicubic(small, 4)`.
    """
    factor = checked_integer("factor", factor, minimum=1)
    size = [factor * side for side in images.shape[1:3]]
    enlarged = tf.image.resize(images, size, "bicubic").numpy()
    return enlarged.round().clip(0, 255).astype(np.uint8)
