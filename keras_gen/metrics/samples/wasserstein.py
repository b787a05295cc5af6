"""Exact and sliced earth mover's distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from keras_gen.checked_arguments import checked_types
from keras_gen.declared import Count
from keras_gen.metrics.metric_arguments import as_feature_pair, as_features, as_images


@checked_types
def earth_movers_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Returns the minimum mean distance by which points must move to match another set of points.

    The critic of a Wasserstein GAN estimates this distance (Arjovsky et al. 2017, eq. (1)). Here,
    the distance is computed exactly: in one dimension by sorting, and otherwise with the optimal
    assignment. The time to compute this assignment grows with n^3 (seconds for n = 2,000). Even two
    samples from the same distribution have a positive distance, which decreases with the number of
    points and increases with the number of dimensions.

    Args:
        a: Points `[n, d]` of any numeric dtype.
        b: Points `[n, d]`. If d is 1, the numbers of points in `a` and `b` may differ.

    Example:
        >>> earth_movers_distance(np.zeros([3, 1]), np.full([3, 1], 2.0))
        2.0
    """
    a, b = as_feature_pair(a, b, ("a", "b"), rows=1)
    if a.shape[1] == 1:
        return float(wasserstein_distance(a[:, 0], b[:, 0]))
    if len(a) != len(b):
        raise ValueError(
            f"earth_movers_distance got {len(a)} and {len(b)} points of {a.shape[1]} dimensions: "
            "expected the same number of points in a and b."
        )
    costs = cdist(a, b)
    return float(costs[linear_sum_assignment(costs)].mean())


class Critic(Protocol):
    """A model that generates samples and has a discriminator that rates vectors."""

    discriminator: keras.Model
    edges: dict[str, Any]
    sample: Callable[..., np.ndarray]


@checked_types
def critic_distances(model: Critic, points: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Returns the critic's estimate of the distance from samples to points, and the exact distance.

    Args:
        model: `WGAN` or `WGANGP` for vectors. If it standardizes the vectors, both distances are in
            standardized units.
        points: Held-out points `[n, d]`, which are compared with an equal number of samples.
        seed: Seed for the samples.

    Returns:
        A dict with "critic", the critic's mean over the points minus its mean over the samples, and
        "exact", the `earth_movers_distance` between the samples and the points.

    Example: `critic_distances(model, np.random.normal(size=[500, 2]))`.
    """
    vectors = model.edges["x"]
    points = as_features(points, "points", rows=1)
    samples = vectors.prepare(model.sample(len(points), seed=seed)).numpy()
    points = vectors.prepare(points).numpy()
    of_points = np.mean(model.discriminator(points, training=False))
    of_samples = np.mean(model.discriminator(samples, training=False))
    exact = earth_movers_distance(samples, points)
    return {"critic": float(of_points - of_samples), "exact": exact}


PATCH = 7  # side of a patch, Karras et al. (2018), sec. 5
BINOMIAL = np.asarray([1, 4, 6, 4, 1], np.float32) / 16
SMALLEST = 16  # side of the coarsest level


@checked_types
def pyramid_distances(
    images: np.ndarray,
    target: np.ndarray,
    *,
    normalize: bool = True,
    patches: Count = 128,
    directions: Count = 512,
    seed: int = 0,
) -> dict[int, float]:
    """Returns the sliced Wasserstein distance between two sets of images at every pyramid level.

    Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality, Stability, and
    Variation", ICLR 2018, sec. 5. A level of the Laplacian pyramid contains the detail at one
    scale. The level's 7x7 patches are projected onto random directions, and the Wasserstein
    distance along each direction is computed by sorting. The finest level reveals noise and blur.
    The coarsest level is a blurred image, which contains the colors and the composition.

    Deviation: with `normalize=False`, the patches keep their contrast. The paper normalizes each
    set separately, which hides contrast that is too low or too high at a scale.

    Args:
        images: Images, uint8 `[n, H, W, C]`, with sides that are 16 times a power of two.
        target: Target images, uint8 `[m, H, W, C]`. Equal numbers of patches are sampled from both
            sets.
        normalize: Whether to normalize the patches of each set to mean 0 and standard deviation 1
            per channel, as in the paper. If False, both sets are normalized with the mean and the
            standard deviation of `target`, so differences in contrast count.
        patches: Number of patches per image and level.
        directions: Number of random projections.
        seed: Seed for the positions of the patches and for the directions.

    Returns:
        A dict that maps the side of each level to the level's distance times 1000. The finest level
        is first.

    Example:
        >>> pyramid_distances(model.translate(photos), paintings)  # such as
        {128: 61.0, 64: 70.2, 32: 88.5, 16: 97.1}
    """
    images, target = as_images(images, "images"), as_images(target, "target")
    height, width = images.shape[1:3]
    levels = height / SMALLEST
    power_of_two = levels.is_integer() and int(levels).bit_count() == 1
    if images.shape[1:] != target.shape[1:] or height != width or not power_of_two:
        raise ValueError(
            f"pyramid_distances got images of shape {images.shape[1:]} and a target of shape "
            f"{target.shape[1:]}: expected square images of the same size, with a side length that "
            "is a power of two and at least 16 pixels."
        )
    rng = np.random.default_rng(seed)
    of_images = _patches(images, patches, rng)
    of_target = _patches(target, patches, rng)
    distances = {}
    for side, a in of_images.items():
        b = of_target[side]
        count = min(len(a), len(b))
        a = a[rng.permutation(len(a))[:count]]
        b = b[rng.permutation(len(b))[:count]]
        a = _standardized(a, like=a if normalize else b).reshape(count, -1)
        b = _standardized(b, like=b).reshape(count, -1)
        distances[side] = 1000 * _sliced(a, b, directions, rng)
    return distances


@checked_types
def mean_patch_distance(images: np.ndarray, target: np.ndarray) -> float:
    """Returns the mean of `pyramid_distances` over the levels, without normalization.

    Args:
        images: Images; see `pyramid_distances`.
        target: Target images; see `pyramid_distances`.

    Example: `mean_patch_distance(model.translate(maps), photographs)`.
    """
    return float(np.mean([*pyramid_distances(images, target, normalize=False).values()]))


def _patches(
    images: np.ndarray, patches: int, rng: np.random.Generator
) -> dict[int, np.ndarray]:
    """Returns a dict from each level's side to its patches `[n * patches, 7, 7, channels]`."""
    found: dict[int, list[np.ndarray]] = {}
    for image in images:
        for level in laplacian_pyramid(image):
            tops, lefts = rng.integers(len(level) - PATCH + 1, size=(2, patches))
            windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), (0, 1))
            found.setdefault(len(level), []).append(windows[tops, lefts])
    # The first axis of a window contains the channels.
    return {side: np.moveaxis(np.concatenate(parts), 1, -1) for side, parts in found.items()}


def laplacian_pyramid(image: np.ndarray) -> list[np.ndarray]:
    """Returns the details of an image at every scale, finest first, and the blurred remainder.

    The result is a list of float32 arrays. Each array has half the side of the previous one, down
    to 16 pixels. Starting with the coarsest level, repeatedly enlarging the result and adding the
    next finer level yields the image.

    Args:
        image: Image `[side, side, channels]` of any numeric dtype, where the side is 16 times a
            power of two.
    """
    details = []
    rest = image.astype(np.float32)
    while len(rest) > SMALLEST:
        smaller = _blurred(rest)[::2, ::2]
        details.append(rest - enlarged(smaller))
        rest = smaller
    return [*details, rest]


def enlarged(image: np.ndarray) -> np.ndarray:
    """Doubles an image's sides: inserts zeros between pixels, then applies the pyramid's filter."""
    spread = np.zeros([2 * image.shape[0], 2 * image.shape[1], image.shape[2]], np.float32)
    spread[::2, ::2] = 4 * image
    return _blurred(spread)


def _blurred(image: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        image = ndimage.convolve1d(image, BINOMIAL, axis=axis, mode="mirror")
    return image


def _standardized(patches: np.ndarray, like: np.ndarray) -> np.ndarray:
    axes = (0, 1, 2)
    deviation = np.maximum(like.std(axis=axes, dtype=np.float64), 1e-8)
    return ((patches - like.mean(axis=axes, dtype=np.float64)) / deviation).astype(np.float32)


def _sliced(a: np.ndarray, b: np.ndarray, directions: int, rng: np.random.Generator) -> float:
    """Returns the mean Wasserstein distance between projections onto random directions."""
    total = 0.0
    block = 64
    for start in range(0, directions, block):
        unit = rng.normal(size=(a.shape[1], min(block, directions - start))).astype(np.float32)
        unit /= np.linalg.norm(unit, axis=0)
        # Each row contains one direction, so that the sorted numbers are contiguous in memory.
        difference = np.sort(unit.T @ a.T, axis=1) - np.sort(unit.T @ b.T, axis=1)
        total += np.abs(difference).mean(dtype=np.float64) * unit.shape[1]
    return float(total / directions)
