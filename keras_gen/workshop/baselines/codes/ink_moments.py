"""Three numbers of an image by hand, to compare learned codes with."""

import numpy as np

from keras_gen.files.images import ink_and_center
from keras_gen.metrics.metric_arguments import as_images


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
    images = as_images(images)
    ink, center = ink_and_center(images)
    return np.column_stack([ink / (255 * images[0].size), center])
