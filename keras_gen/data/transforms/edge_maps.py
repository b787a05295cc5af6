"""Edges of images, which turn any folder of images into pairs."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from keras_gen.arguments import check_levels
from keras_gen.checked_arguments import checked_types
from keras_gen.files.images import luma

# Steps, in rows and columns, along the four directions of a gradient, 45 degrees apart.
_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1))
_TOUCHING = np.stack([np.zeros([3, 3]), np.ones([3, 3]), np.zeros([3, 3])])  # within an image


@checked_types
def edge_maps(
    images: np.ndarray, sigma: float = 1.0, low: float = 0.05, high: float = 0.15
) -> np.ndarray:
    """Detects the edges of images, 255 on 0: uint8 `[n, height, width, 1]`.

    Canny: "A Computational Approach to Edge Detection", PAMI 1986: the luma is blurred, and
    positions where its gradient is a maximum along its own direction are kept if the gradient is
    steep, or if they are connected to such positions through less steep ones.

    Args:
        images: uint8 `[n, height, width, 1 or 3]`; floats raise a ValueError.
        sigma: Standard deviation of the blur in pixels.
        low: Minimum gradient, in units of the full range per pixel.
        high: Gradient that at least one position of an edge must have.

    Example:
        >>> pairs = Source((edge_maps(photos), photos))
    """
    check_levels("images", images, axes=4)
    gray = images[..., 0] / 255 if images.shape[-1] == 1 else luma(images / 255)[..., 0]
    blurred = ndimage.gaussian_filter(gray, (0, sigma, sigma))
    rows = ndimage.correlate1d(blurred, [-0.5, 0, 0.5], axis=1)
    columns = ndimage.correlate1d(blurred, [-0.5, 0, 0.5], axis=2)
    # Rounded, so that two positions on either side of an edge have equal gradients.
    slope = np.hypot(rows, columns).round(6)
    direction = np.round(np.arctan2(rows, columns) / (np.pi / 4)).astype(int) % 4
    padded = np.pad(slope, ((0, 0), (1, 1), (1, 1)))
    height, width = slope.shape[1:]

    def beside(row, column):
        return padded[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]

    kept = np.zeros(slope.shape, bool)
    for number, (row, column) in enumerate(_STEPS):
        largest = (slope >= beside(row, column)) & (slope > beside(-row, -column))
        kept |= largest & (direction == number)
    lines, _ = ndimage.label(kept & (slope >= low), _TOUCHING)
    steep = np.unique(lines[kept & (slope >= high)])
    edges = np.isin(lines, steep[steep > 0])
    return 255 * edges[..., None].astype(np.uint8)
