"""Test images that a training set holds too, perhaps smaller, cut at a border or mirrored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_gen.arguments import checked_number
from keras_gen.checked_arguments import checked_types

SIDE = 16  # pixels of the small versions that are compared


@checked_types
def near_duplicates(
    training: Sequence[np.ndarray], test: Sequence[np.ndarray], correlation: float = 0.95
) -> list[tuple[int, int]]:
    """Finds training images that show what a test image shows.

    Images are compared as gray versions of 16x16 pixels, as they are and mirrored: size, format
    and colors may differ. A part of an image is not found, and images of few shapes, such as
    digits, are alike without being the same.

    Args:
        training: uint8 images `[height, width, 3]` of any sizes.
        test: The same.
        correlation: Of the pixels of two small versions, -1 to 1, from which they count as one.
            Different photographs of landscapes reach 0.85.

    Returns:
        Pairs of places, in `training` and in `test`; empty if there is none.

    Raises:
        ValueError: If a set is empty, or `correlation` is out of its range.

    Example:
    ```python
    for number, _ in near_duplicates(photographs, tests):
        print(files[number])
    ```
    """
    correlation = checked_number("correlation", correlation, -1, 1)
    if not len(training) or not len(test):
        raise ValueError(
            f"There are {len(training)} training and {len(test)} test images: give one of each "
            "or more."
        )
    known = _standardized(training)
    mirrored = known.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(known.shape)
    asked = _standardized(test)
    found = np.maximum(known @ asked.T, mirrored @ asked.T)
    return [(int(one), int(other)) for one, other in np.argwhere(found >= correlation)]


def _standardized(images: Sequence[np.ndarray]) -> np.ndarray:
    """Small gray versions `[n, 256]` of mean 0 and length 1; those of one color are 0."""
    small = np.stack([_small(image) for image in images])
    centered = small - small.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centered, axis=1, keepdims=True)
    return centered / np.maximum(lengths, 1e-6)


def _small(image: np.ndarray) -> np.ndarray:
    gray = Image.fromarray(image).convert("L")
    return np.asarray(gray.resize((SIDE, SIDE), Image.Resampling.BOX), "float64").ravel()
