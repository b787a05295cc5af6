"""How many bits an image takes in a file, to compare likelihoods with."""

from __future__ import annotations

import io

import numpy as np

from keras_gen.media.images import to_pillow
from keras_gen.metrics.checks import as_images

# Formats without loss, each with its greatest effort in Pillow.
_OPTIONS: dict[str, dict] = {
    "PNG": dict(optimize=True),
    "WEBP": dict(lossless=True, quality=100, method=6),
}


def compressed_bits(images: np.ndarray, format: str = "PNG") -> np.ndarray:
    """Returns the size of each image as a file without loss.

    A code's lengths are a distribution, so a good likelihood needs fewer bits. The whole file is
    counted, with its header: 456 bits of PNG's are the same for all images.

    Args:
        images: uint8 `[n, H, W, 1 or 3]`.
        format: `"PNG"` or `"WEBP"`.

    Returns:
        float64 `[n]`, bits for each image.

    Raises:
        ValueError: If the images are not such an array, or the format is another.

    Example:
        >>> compressed_bits(test, "WEBP").mean() / test[0].size  # bits per dimension
    """
    if format not in _OPTIONS:
        raise ValueError(f"format is {format!r}: expected one of {', '.join(_OPTIONS)}.")
    bits = []
    for image in as_images(images):
        file = io.BytesIO()
        to_pillow(image).save(file, format, **_OPTIONS[format])
        bits.append(8 * len(file.getvalue()))
    return np.array(bits, np.float64)
