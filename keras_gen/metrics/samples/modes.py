"""Mode coverage where the modes of the data are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from keras_gen.arguments import checked_size
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import (
    as_feature_pair,
    as_images,
    as_logits,
    as_numbers,
)
from keras_gen.metrics.samples.neighbors import nearest_neighbors


@checked_types
def ring_centers(modes: int = 8, radius: float = 1.0) -> np.ndarray:
    """Returns the centers of a ring of normal distributions, float64 `[modes, 2]`.

    Args:
        modes: Number of centers, evenly spaced, the first at angle 0.
        radius: Radius of the ring.

    Example: `ring_centers(4)` is (1, 0), (0, 1), (-1, 0), (0, -1), up to rounding.
    """
    angles = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@checked_types
def grid_centers(side: int = 5, spacing: float = 2.0) -> np.ndarray:
    """Returns the centers of a square grid around 0, float64 `[side * side, 2]`.

    Args:
        side: Modes along each axis.
        spacing: Distance between neighbors.

    Example: `grid_centers(2)` is (-1, -1), (-1, 1), (1, -1), (1, 1).
    """
    axis = spacing * (np.arange(side) - (side - 1) / 2)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


@checked_types
def gaussian_modes(samples: np.ndarray, centers: np.ndarray, std: float) -> dict[str, float]:
    """Counts the modes that samples of a mixture of equal normal distributions reach.

    Srivastava et al. (2017, VEEGAN), section 4.1: a sample is of high quality if it lies within 3
    standard deviations of the nearest center, and a mode is captured if it is the nearest to at
    least one such sample. They draw 2,500 samples. In two dimensions, 1 - exp(-4.5) = 0.989 of the
    mixture's own samples are of high quality.

    Args:
        samples: `[n, d]`, any number type.
        centers: `[modes, d]`, such as `ring_centers()`.
        std: Standard deviation of each normal distribution along each axis, positive.

    Returns:
        {"modes": number captured, "high_quality_fraction": of all samples, "reverse_kl": KL in nats
        of the high-quality samples' modes from the uniform distribution, NaN if there are none}.

    Example:
        >>> gaussian_modes(ring_centers(8), ring_centers(8), std=0.01)["modes"]
        8
    """
    samples, centers = as_feature_pair(samples, centers, ("samples", "centers"), rows=1)
    if not std > 0:
        raise ValueError(f"Found std={std} of the modes: pass a positive number.")
    distances, nearest = nearest_neighbors(samples, centers)
    good = distances[:, 0] <= 3 * std
    report = label_modes(nearest[good, 0], len(centers))
    return {**report, "high_quality_fraction": float(good.mean())}


@checked_types
def stacked_modes(
    images: np.ndarray,
    classify: Callable[[np.ndarray], np.ndarray],
    classes: int = 10,
    reference: np.ndarray | None = None,
    batch_size: int = 512,
) -> dict[str, float]:
    """Counts the modes of images with one digit in each of three channels: stacked MNIST.

    Srivastava et al. (2017, VEEGAN), section 4.2: the classes of the three channels are one of 10^3
    modes. They draw 26,000 samples; as many real images reach all 1,000 modes.

    Args:
        images: uint8 `[n, H, W, 3]`, 0..255.
        classify: Maps gray images uint8 `[batch, H, W, 1]` to logits or probabilities
            `[batch, classes]`, by a classifier that was trained on single digits.
        classes: Number of classes of a channel.
        reference: The modes of real examples, integers `[m]`, as 100 a + 10 b + c for classes a, b,
            c; by default all modes are equally likely.
        batch_size: Images at once.

    Returns:
        As `label_modes`.

    Example: `stacked_modes(model.sample(26_000), lambda x: extractor(x)["logits"])["modes"]`.
    """
    images = as_images(images, channels=(3,))
    labels = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        # [n, H, W, 3] to gray images, the three of one image in a row.
        digits = np.moveaxis(batch, -1, 1).reshape(-1, *images.shape[1:3], 1)
        logits = np.asarray(classify(digits))
        if logits.shape != (len(digits), classes):
            raise ValueError(
                f"classify returned shape {logits.shape} for {len(digits)} images: expected "
                f"({len(digits)}, {classes})."
            )
        logits = as_logits(logits, "the output of classify")
        labels.append(logits.argmax(axis=1).reshape(-1, 3) @ [classes**2, classes, 1])
    return label_modes(np.concatenate(labels), classes**3, reference)


@checked_types
def label_modes(
    labels: np.ndarray, modes: int, reference: np.ndarray | None = None
) -> dict[str, float]:
    """Counts the modes among labels, and compares their frequencies with those of real data.

    Args:
        labels: Integers `[n]`, 0 to `modes` - 1, one for each generated example.
        modes: Number of modes.
        reference: Labels of real examples, integers `[m]`; by default all modes are equally likely.

    Returns:
        {"modes": number with at least one example, "reverse_kl": KL(labels || reference) in nats,
        infinite if the reference lacks a mode, NaN if there are no labels}.

    Example: `label_modes(np.array([0, 0, 1, 1]), modes=4)` has 2 modes, and log 2 nats.
    """
    modes = checked_size("modes", modes)
    counts = _counts(labels, modes, "labels")
    expected = np.ones(modes) if reference is None else _counts(reference, modes, "reference")
    if not expected.any():
        raise ValueError("label_modes found no labels in reference: pass at least one, or None.")
    fraction = counts / counts.sum() if counts.any() else np.full(modes, np.nan)
    divergence = special.rel_entr(fraction, expected / expected.sum()).sum()
    return {"modes": int((counts > 0).sum()), "reverse_kl": float(divergence)}


def _counts(labels: np.ndarray, modes: int, name: str) -> np.ndarray:
    labels = as_numbers(labels, name)
    whole = np.issubdtype(labels.dtype, np.integer) and labels.ndim == 1
    if not whole or (labels.size and not 0 <= labels.min() <= labels.max() < modes):
        raise ValueError(
            f"Expected {name} to be whole numbers [n] from 0 to {modes - 1}, found "
            f"{labels.dtype} {list(labels.shape)}: pass one label for each example."
        )
    return np.bincount(labels, minlength=modes)
