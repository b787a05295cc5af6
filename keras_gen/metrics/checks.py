"""What the metrics take: checked once, at their edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def as_features(features: np.ndarray, name: str, rows: int = 2) -> np.ndarray:
    """Returns features as a float64 matrix `[n, d]`, flattening what has more axes.

    Args:
        features: Any number type, `[n, ...]`.
        name: What the error calls them.
        rows: The least n.

    Raises:
        ValueError: If there are fewer rows or axes, no columns, or values that are not finite.

    Example:
        >>> as_features(np.zeros([5, 2, 2]), "features").shape
        (5, 4)
    """
    matrix = np.asarray(features, np.float64)
    if matrix.ndim < 2 or len(matrix) < rows or not matrix.size or not np.isfinite(matrix).all():
        raise ValueError(
            f"Expected {name} to be finite numbers [n, d] with n of at least {rows}, found shape "
            f"{matrix.shape}: pass one row for each example, and no NaN or infinity."
        )
    return matrix.reshape(len(matrix), -1)


def as_feature_pair(
    a: np.ndarray, b: np.ndarray, names: tuple[str, str], rows: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Returns two sets of features as `as_features` does, refusing different widths.

    Args:
        a: Any number type, `[n_a, ...]`.
        b: Any number type, `[n_b, ...]`.
        names: What the error calls them.
        rows: The least n.

    Raises:
        ValueError: If one is no such matrix, or they have different numbers of features.

    Example:
        >>> as_feature_pair(np.zeros([5, 3]), np.zeros([9, 3]), ("real", "generated"))
    """
    a, b = as_features(a, names[0], rows), as_features(b, names[1], rows)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"Found {a.shape[1]} features in {names[0]} and {b.shape[1]} in {names[1]}: pass "
            "features of one extractor."
        )
    return a, b


def as_images(
    images: np.ndarray, name: str = "images", channels: Sequence[int] = (1, 3)
) -> np.ndarray:
    """Returns images as an array uint8 `[n, H, W, C]`.

    Floats are refused on purpose: a generator's images are measured as they would be stored, in
    256 levels, as the real ones are (Parmar et al. 2022).

    Args:
        images: The images.
        name: What the error calls them.
        channels: The numbers that C may be.

    Raises:
        ValueError: If they are anything else, or there are none.

    Example:
        >>> as_images(np.zeros([2, 8, 8, 1], "uint8")).shape
        (2, 8, 8, 1)
    """
    images = np.asarray(images)
    shaped = images.ndim == 4 and images.shape[-1] in channels
    if images.dtype != np.uint8 or not shaped or not images.size:
        shapes = " or ".join(f"[n, H, W, {number}]" for number in channels)
        raise ValueError(
            f"Expected {name} to be uint8 {shapes}, found {images.dtype} {list(images.shape)}: "
            "pass at least one image, as whole numbers from 0 to 255."
        )
    return images
