"""How far reconstructions are from their originals, as in papers on autoencoders."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_numbers

BLOCK = 1000  # images whose floats are held at once


@checked_types
def squared_error(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Squared error summed over pixels (in [0, 1]) and channels of each image, float32 `[n]`.

    Papers on autoencoders report this error (Hinton & Salakhutdinov 2006). Principal components
    have the least of all linear codes.

    Args:
        images: `[n, ...]`: uint8 0..255, or floats in units of 255 levels, which may lie outside
            [0, 1] as linear reconstructions do.
        originals: The same, of one shape and order, in either dtype.

    Example:
        >>> squared_error(np.ones([1, 28, 28, 1], "float32"), np.zeros([1, 28, 28, 1], "uint8"))
        array([784.], dtype=float32)
    """
    images, originals = as_numbers(images, "images"), as_numbers(originals, "originals")
    kinds = [array.dtype == np.uint8 or array.dtype.kind == "f" for array in (images, originals)]
    if images.shape != originals.shape or images.ndim < 2 or not all(kinds):
        raise ValueError(
            f"Found images {images.dtype} {images.shape} and originals {originals.dtype} "
            f"{originals.shape}: pass uint8 or floats [n, ...] of one shape."
        )
    for name, array in (("images", images), ("originals", originals)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has NaN or infinity: expected finite numbers.")
    errors = np.zeros(len(images), np.float32)
    for start in range(0, len(images), BLOCK):
        part = slice(start, start + BLOCK)
        difference = _in_unit(images[part]) - _in_unit(originals[part])
        errors[part] = np.square(difference).reshape(len(difference), -1).sum(axis=1)
    return errors


def _in_unit(images):
    if images.dtype == np.uint8:
        return images.astype(np.float32) / 255
    return images.astype(np.float32)
