"""Label maps stored as images with a few colors, and their classes."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types

_STEP = 8  # levels per color bin


@checked_types
def common_colors(images: np.ndarray, count: int, apart: float = 48.0) -> np.ndarray:
    """Finds the colors of label maps, the most common first: uint8 `[count, channels]`.

    Maps that were compressed with JPEG contain many colors close to each real one, and mixed colors
    at borders. Colors are therefore selected in order of frequency, skipping any that is close to a
    selected one.

    Args:
        images: uint8 `[n, height, width, channels]`.
        count: Maximum number of colors; fewer are returned if there are no more.
        apart: Minimum distance between two colors, in levels.

    Example:
        >>> colors = common_colors(labels, 12)
    """
    pixels = images.reshape(-1, images.shape[-1])
    bins, place, sizes = np.unique(
        pixels // _STEP, axis=0, return_inverse=True, return_counts=True
    )
    sums = [np.bincount(place.ravel(), channel, minlength=len(bins)) for channel in pixels.T]
    means = np.stack(sums, axis=1) / sizes[:, None]
    found: list[np.ndarray] = []
    for color in means[np.argsort(-sizes, kind="stable")]:
        if all(np.linalg.norm(color - other) >= apart for other in found):
            found.append(color)
        if len(found) == count:
            break
    return np.round(found).astype(np.uint8)


@checked_types
def nearest_colors(images: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Returns the classes of the pixels in label maps: int64 `[n, height, width]`.

    Args:
        images: uint8 `[n, height, width, channels]`.
        colors: uint8 `[classes, channels]`; the nearest color determines a pixel's class.

    Example:
        >>> nearest_colors(np.array([[[[0, 0, 9]]]], "uint8"), [[255, 0, 0], [0, 0, 0]])
        array([[[1]]])
    """
    if colors.ndim != 2 or colors.shape[1] != images.shape[-1]:
        raise ValueError(
            f"colors has shape {colors.shape}: expected [classes, {images.shape[-1]}]."
        )
    pixels = images.astype(np.float32)
    distances = [
        ((pixels - color) ** 2).sum(axis=-1) for color in np.asarray(colors, np.float32)
    ]
    return np.argmin(distances, axis=0)
