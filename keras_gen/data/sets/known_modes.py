"""Data with known modes: points around centers, and digits stacked as colors."""

from __future__ import annotations

import numpy as np

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import Source, checked_labels


@checked_types
def points_around(centers: np.ndarray, std: float, n: int, seed: int = 0) -> Source:
    """Samples points, float32 `[d]`, from a mixture of equal normal distributions, such as a ring.

    Args:
        centers: `[modes, d]`, see `keras_gen.metrics.ring_centers` and `grid_centers`.
        std: Standard deviation along each axis; 0 gives the centers.
        n: Number of points.
        seed: Seed of the sample.

    Example:
        >>> len(points_around(np.eye(2), std=0.01, n=100))
        100
    """
    if centers.ndim != 2 or not len(centers):
        raise ValueError(f"centers has shape {centers.shape}: expected [modes, d].")
    centers = centers.astype("float64")
    rng = np.random.default_rng(checked_seed(seed))
    drawn = centers[rng.integers(len(centers), size=n)]
    points = drawn + std * rng.normal(size=drawn.shape)
    return Source(points.astype("float32"), origin=f"{n} points around {len(centers)} centers")


@checked_types
def stacked_digits(
    images: np.ndarray, labels: np.ndarray, n: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Stacks three random digits as the color channels of one image: stacked MNIST.

    Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks", ICLR 2017, sec.
    3.3.1: the three classes together give one of 1,000 modes.

    Args:
        images: uint8 `[m, H, W, 1]`.
        labels: Classes of the images, integers `[m]` from 0 to 9.
        n: Number of images to create.
        seed: Seed of the selection.

    Returns:
        uint8 `[n, H, W, 3]`, and their modes, int64 `[n]`: 100 a + 10 b + c for classes a, b, c.

    Example:
        >>> images, modes = stacked_digits(digits, labels, n=1000)
    """
    classes = checked_labels(labels)
    if not 0 < len(images) == len(classes):
        raise ValueError(
            f"images has shape {images.shape} and labels has shape {labels.shape}: expected one "
            "label per image, and at least one image."
        )
    if classes.min() < 0 or classes.max() > 9:
        raise ValueError(
            f"labels are {classes.min()} to {classes.max()}: expected classes from 0 to 9."
        )
    drawn = np.random.default_rng(checked_seed(seed)).integers(len(images), size=(n, 3))
    stacked = np.moveaxis(images[drawn][..., 0], 1, -1)
    return np.ascontiguousarray(stacked), classes[drawn].astype("int64") @ [100, 10, 1]
