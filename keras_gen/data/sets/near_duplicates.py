"""Finds test images that are also in a training set, possibly resized, cropped, or mirrored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_gen.arguments import checked_array, checked_number
from keras_gen.checked_arguments import checked_types

SIDE = 16  # side in pixels of the small versions that are compared


@checked_types
def near_duplicates(
    training: Sequence[np.ndarray], test: Sequence[np.ndarray], correlation: float = 0.95
) -> list[tuple[int, int]]:
    """Finds training images that show the same scene as a test image.

    Images are compared as gray versions of 16x16 pixels, both unchanged and mirrored, so the size,
    format, and colors of duplicates may differ. An image that is a small part of another image is
    not found. Images of simple shapes, such as digits, may be similar without being duplicates.

    Args:
        training: Training images of any size, uint8 `[height, width, 3]`.
        test: Test images in the format of the training images.
        correlation: Minimum correlation, from -1 to 1, between the pixels of the gray versions of
            two duplicates. Different landscape photographs can have correlations of up to 0.85.

    Returns:
        A list of pairs (index into `training`, index into `test`); empty if there are no
        duplicates.

    Raises:
        ValueError: If a set is empty, if an image is not in the required format, or if
            `correlation` is out of range.

    Example:
    ```python
    for number, _ in near_duplicates(photographs, tests):
        print(files[number])
    ```
    """
    correlation = checked_number("correlation", correlation, -1, 1)
    if not len(training) or not len(test):
        raise ValueError(
            f"There are {len(training)} training and {len(test)} test images: expected at least "
            "one image in each set."
        )
    known = _standardized(training, "training")
    mirrored = known.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(known.shape)
    asked = _standardized(test, "test")
    found = np.maximum(known @ asked.T, mirrored @ asked.T)
    return [(int(one), int(other)) for one, other in np.argwhere(found >= correlation)]


def _standardized(images: Sequence[np.ndarray], name: str) -> np.ndarray:
    """Returns small gray versions `[n, 256]` with mean 0 and length 1; constant images become 0."""
    small = np.stack([_small(image, name) for image in images])
    centered = small - small.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centered, axis=1, keepdims=True)
    return centered / np.maximum(lengths, 1e-6)


def _small(image: np.ndarray, name: str) -> np.ndarray:
    image = checked_array(name, image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f"{name} contains a {image.dtype} image of shape {list(image.shape)}: expected uint8 "
            "[height, width, 3]. Convert gray images with np.repeat(image, 3, axis=-1)."
        )
    gray = Image.fromarray(image).convert("L")
    return np.asarray(gray.resize((SIDE, SIDE), Image.Resampling.BOX), "float64").ravel()
