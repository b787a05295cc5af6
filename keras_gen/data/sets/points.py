"""Points drawn around centers, and digits stacked as colors: data whose modes are known."""

from __future__ import annotations

import numpy as np

from keras_gen.data.source import Source, checked_integer


def points_around(centers: np.ndarray, std: float, n: int, seed: int = 0) -> Source:
    """Draws points of a mixture of equal normal distributions, such as a ring or a grid of them.

    Args:
        centers: `[modes, d]`, see `keras_gen.metrics.ring_centers` and `grid_centers`.
        std: Standard deviation of each along each axis; 0 gives the centers.
        n: How many points.
        seed: Seed of the draw.

    Returns:
        A source of float32 `[d]`.

    Raises:
        TypeError: If `n` is not an integer.
        ValueError: If `n` is below 1, `std` is below 0, or the centers are no matrix.

    Example:
        >>> len(points_around(np.eye(2), std=0.01, n=100))
        100
    """
    centers, n = np.asarray(centers, "float64"), checked_integer("n", n, minimum=1)
    if centers.ndim != 2 or not centers.size or not std >= 0:
        raise ValueError(
            f"points_around found centers of shape {list(centers.shape)} and std={std}: pass "
            "[modes, d] and a number from 0 on."
        )
    rng = np.random.default_rng(seed)
    points = centers[rng.integers(len(centers), size=n)] + std * rng.normal(
        size=(n, centers.shape[1])
    )
    return Source(points.astype("float32"), origin=f"{n} points around {len(centers)} centers")


def stacked_digits(
    images: np.ndarray, labels: np.ndarray, n: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Stacks three digits drawn at random as the colors of one image: stacked MNIST.

    Metz et al. (2017, unrolled GANs), section 3.3.1: the classes of the channels make one of 1,000
    modes, all of them equally likely if the classes are.

    Args:
        images: uint8 `[m, H, W, 1]`.
        labels: Their classes, integers `[m]` from 0 to 9.
        n: How many images.
        seed: Seed of the draw.

    Returns:
        uint8 `[n, H, W, 3]`, and their modes, int64 `[n]`: 100 a + 10 b + c of classes a, b, c.

    Raises:
        TypeError: If `n` is not an integer.
        ValueError: If `n` is below 1, or the images are not gray ones with a label each.

    Example:
        >>> images, modes = stacked_digits(digits, labels, n=1000)
    """
    n, labels = checked_integer("n", n, minimum=1), np.asarray(labels)
    if images.ndim != 4 or images.shape[-1] != 1 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"stacked_digits found images {list(images.shape)} and labels {list(labels.shape)}: "
            "pass gray images [m, H, W, 1] and one label for each."
        )
    drawn = np.random.default_rng(seed).integers(len(images), size=(n, 3))
    stacked = np.moveaxis(images[drawn][..., 0], 1, -1)
    return np.ascontiguousarray(stacked), labels[drawn].astype("int64") @ [100, 10, 1]
