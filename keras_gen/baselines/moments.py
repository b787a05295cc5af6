"""Three numbers of an image by hand, to compare learned codes with."""

import numpy as np

from keras_gen.metrics.checks import as_images


def ink_moments(images: np.ndarray) -> np.ndarray:
    """Returns how much ink images have, and where its center lies, float64 `[n, 3]`.

    Of bright shapes on black these are size and place: no code that is learned, and none that an
    image could be made of.

    Args:
        images: uint8 `[n, H, W, C]`.

    Returns:
        The mean brightness in [0, 1], and the center's row and column in pixels from that of the
        image, which is the center of a black image too.

    Example:
        >>> ink_moments(np.full([1, 4, 4, 1], 255, "uint8"))
        array([[1., 0., 0.]])
    """
    bright = as_images(images).mean(axis=-1) / 255
    height, width = bright.shape[1:]
    ink = bright.sum(axis=(1, 2))
    rows = bright.sum(axis=2) @ (np.arange(height) - (height - 1) / 2)
    columns = bright.sum(axis=1) @ (np.arange(width) - (width - 1) / 2)
    total = np.where(ink > 0, ink, 1)
    return np.stack([ink / (height * width), rows / total, columns / total], axis=1)
