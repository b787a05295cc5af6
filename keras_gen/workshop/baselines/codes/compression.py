"""Sizes of losslessly compressed images, to compare likelihoods with."""

from __future__ import annotations

import io

import numpy as np

from keras_gen.files.images import to_pillow
from keras_gen.metrics.metric_arguments import as_images

# Formats without loss, each with its greatest effort in Pillow.
_OPTIONS: dict[str, dict] = {
    "PNG": dict(optimize=True),
    "WEBP": dict(lossless=True, quality=100, method=6),
}


def compressed_bits(images: np.ndarray, format: str = "PNG") -> np.ndarray:
    """Returns the bits of each image as a file without loss, float64 `[n]`.

    Code lengths define a distribution, so a good likelihood needs fewer bits. The header counts
    too: 456 bits of a PNG file are the same for all images.

    Args:
        images: uint8 `[n, H, W, 1 or 3]`.
        format: `"PNG"` or `"WEBP"`.

    Example: `compressed_bits(test, "WEBP").mean() / test[0].size` is in bits per dimension.
    """
    if format not in _OPTIONS:
        raise ValueError(f"format is {format!r}: expected one of {', '.join(_OPTIONS)}.")
    bits = []
    for image in as_images(images):
        file = io.BytesIO()
        to_pillow(image).save(file, format, **_OPTIONS[format])
        bits.append(8 * len(file.getvalue()))
    return np.array(bits, np.float64)
