"""Sliced Wasserstein distance of the patches of Laplacian pyramids: no network, every scale."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from keras_gen.metrics.checks import as_images

PATCH = 7  # side of a patch, Karras et al. (2018), sec. 5
BINOMIAL = np.asarray([1, 4, 6, 4, 1], np.float32) / 16
SMALLEST = 16  # side of the coarsest level


def pyramid_distances(
    images: np.ndarray,
    target: np.ndarray,
    *,
    normalize: bool = True,
    patches: int = 128,
    directions: int = 512,
    seed: int = 0,
) -> dict[int, float]:
    """Sliced Wasserstein distance of two sets of images, for every level of their pyramids.

    Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality, Stability, and
    Variation", ICLR 2018, sec. 5. A level of the Laplacian pyramid holds the detail of one scale;
    from each, patches of 7x7 pixels are projected on random directions, along which the Wasserstein
    distance is that of sorted numbers. The finest level sees speckle and blur, the coarsest is the
    blurred image itself: its colors and composition.

    Deviation: with `normalize=False` the patches keep their own contrast. The paper normalizes each
    set by itself, which forgives an image that is too flat or too harsh at some scale.

    Args:
        images: uint8 `[n, H, W, C]`, sides a power of two times 16.
        target: uint8 `[m, H, W, C]`; of the larger set as many patches are drawn as there are of
            the smaller.
        normalize: True: each set's patches to mean 0 and deviation 1 for each channel, the paper's.
            False: both by the mean and the deviation of `target`, so that contrast counts.
        patches: Per image and level.
        directions: Random projections.
        seed: Seed of the patches' places and of the directions.

    Returns:
        {side of the level: distance times 1000}, finest first.

    Raises:
        ValueError: If the images are not uint8 arrays of one such size, or a number is below 1.

    Example:
        >>> pyramid_distances(model.translate(photos), paintings)  # such as
        {128: 61.0, 64: 70.2, 32: 88.5, 16: 97.1}
    """
    images, target = as_images(images, "images"), as_images(target, "target")
    _check(images, target)
    if min(patches, directions) < 1:
        raise ValueError(
            f"patches and directions must be 1 or more, found {patches} and {directions}."
        )
    rng = np.random.default_rng(seed)
    levels = zip(_levels(images, patches, rng), _levels(target, patches, rng), strict=True)
    distances = {}
    for (side, a), (_, b) in levels:
        count = min(len(a), len(b))
        a, b = (x[rng.permutation(len(x))[:count]] for x in (a, b))
        of_a, of_b = (a, b) if normalize else (b, b)
        a, b = _standardized(a, of_a), _standardized(b, of_b)
        distances[side] = 1000 * _sliced(
            a.reshape(count, -1), b.reshape(count, -1), directions, rng
        )
    return distances


def _check(images: np.ndarray, target: np.ndarray) -> None:
    height, width = images.shape[1:3]
    levels = min(height, width) / SMALLEST
    fits = (
        height == width and levels >= 1 and (levels.is_integer() and int(levels).bit_count() == 1)
    )
    if images.shape[1:] != target.shape[1:] or not fits:
        raise ValueError(
            f"pyramid_distances found images of shape {images.shape[1:]} and a target of "
            f"{target.shape[1:]}: pass squares of one size, 16, 32, 64, ... pixels."
        )


def _levels(images: np.ndarray, patches: int, rng: np.random.Generator):
    """The sides of the pyramid's levels, with patches `[n * patches, 7, 7, channels]` of each."""
    found: dict[int, list[np.ndarray]] = {}
    for image in images:
        for level in laplacian_pyramid(image):
            tops, lefts = rng.integers(len(level) - PATCH + 1, size=(2, patches))
            windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), (0, 1))
            found.setdefault(len(level), []).append(windows[tops, lefts])
    # A window's channels come first.
    return [(side, np.moveaxis(np.concatenate(p), 1, -1)) for side, p in found.items()]


def laplacian_pyramid(image: np.ndarray) -> list[np.ndarray]:
    """The details of an image at every scale, finest first, and its blurred rest of 16 pixels.

    Args:
        image: `[side, side, channels]`, any number type; the side 16 times a power of two.

    Returns:
        Float32 arrays of half the side each; a level plus the next one enlarged, and so on, is the
        image.
    """
    rest, details = image.astype(np.float32), []
    while len(rest) > SMALLEST:
        smaller = _blurred(rest)[::2, ::2]
        details.append(rest - enlarged(smaller))
        rest = smaller
    return [*details, rest]


def enlarged(image: np.ndarray) -> np.ndarray:
    """An image of twice the side: zeros between the pixels, then the pyramid's filter."""
    spread = np.zeros([2 * image.shape[0], 2 * image.shape[1], image.shape[2]], np.float32)
    spread[::2, ::2] = 4 * image
    return _blurred(spread)


def _blurred(image: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        image = ndimage.convolve1d(image, BINOMIAL, axis=axis, mode="mirror")
    return image


def _standardized(patches: np.ndarray, of: np.ndarray) -> np.ndarray:
    axes = (0, 1, 2)
    deviation = np.maximum(of.std(axis=axes, dtype=np.float64), 1e-8)
    return ((patches - of.mean(axis=axes, dtype=np.float64)) / deviation).astype(np.float32)


def _sliced(a: np.ndarray, b: np.ndarray, directions: int, rng: np.random.Generator) -> float:
    """Mean over random directions of the Wasserstein distance between the projections."""
    total, block = 0.0, 64
    for start in range(0, directions, block):
        unit = rng.normal(size=(a.shape[1], min(block, directions - start))).astype(np.float32)
        unit /= np.linalg.norm(unit, axis=0)
        difference = np.sort(a @ unit, axis=0) - np.sort(b @ unit, axis=0)
        total += np.abs(difference).mean(dtype=np.float64) * unit.shape[1]
    return float(total / directions)
