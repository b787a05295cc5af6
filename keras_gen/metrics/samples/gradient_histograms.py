"""Features of images that no network has learned: histograms of gradients."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_images

ORIENTATIONS = 8
CELLS = 4  # along each side
BLOCK = 2  # cells along each side of a block, in which histograms are normalized


@checked_types
def gradient_histograms(images: np.ndarray) -> np.ndarray:
    """Returns how often gradients have each direction, in 4x4 cells of an image.

    Dalal, Triggs: "Histograms of Oriented Gradients for Human Detection", CVPR 2005, by
    scikit-image. Nothing in them is learned, so that no sample can be made to please them; they see
    edges, and neither colors nor brightness.

    Args:
        images: uint8 `[n, H, W, C]`, sides of at least 8 pixels.

    Returns:
        float32 `[n, 288]`, with a mean square of 1 where an image is nowhere flat: that of the
        features of `keras_gen.metrics.trained_extractor`.

    Example: `kernel_distance(gradient_histograms(real), gradient_histograms(samples))`.
    """
    from skimage.feature import hog

    images = as_images(images)
    height, width = images.shape[1:3]
    if min(height, width) < 2 * CELLS:
        raise ValueError(
            f"gradient_histograms found images of {height}x{width} pixels: pass sides of at least "
            f"{2 * CELLS}."
        )
    options = dict(
        orientations=ORIENTATIONS,
        pixels_per_cell=(height // CELLS, width // CELLS),
        cells_per_block=(BLOCK, BLOCK),
        channel_axis=-1,
    )
    # A block's histograms have the sum of squares 1.
    scale = (ORIENTATIONS * BLOCK**2) ** 0.5
    # The cells that a side does not fill are cut.
    whole = images[:, : height // CELLS * CELLS, : width // CELLS * CELLS]
    return scale * np.stack([hog(image, **options) for image in whole]).astype(np.float32)
