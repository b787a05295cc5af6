"""Metrics of the distribution of samples over the modes, clusters, or classes of the data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import numpy as np
from scipy import special
from sklearn.cluster import KMeans

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.declared import Count, Positive
from keras_gen.metrics.metric_arguments import (
    as_feature_pair,
    as_images,
    as_labeled_pair,
    as_logits,
    as_numbers,
    check_within,
    part_of,
)
from keras_gen.metrics.samples.feature_distances import kernel_distance
from keras_gen.metrics.samples.neighbors import nearest_neighbors


@checked_types
def ring_centers(modes: Count = 8, radius: float = 1.0) -> np.ndarray:
    """Returns the centers of normal distributions on a ring, float64 `[modes, 2]`.

    Args:
        modes: Number of evenly spaced centers. The first one is at angle 0.
        radius: Radius of the ring.

    Example: `ring_centers(4)` is (1, 0), (0, 1), (-1, 0), (0, -1), up to rounding.
    """
    angles = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@checked_types
def grid_centers(
    side: Annotated[int, partial(checked_integer, minimum=1, maximum=1024)] = 5,
    spacing: float = 2.0,
) -> np.ndarray:
    """Returns the centers of a square grid around 0, float64 `[side * side, 2]`.

    Args:
        side: Number of modes along each axis.
        spacing: Distance between neighboring centers.

    Example: `grid_centers(2)` is (-1, -1), (-1, 1), (1, -1), (1, 1).
    """
    axis = spacing * (np.arange(side) - (side - 1) / 2)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


@checked_types
def gaussian_modes(samples: np.ndarray, centers: np.ndarray, std: Positive) -> dict[str, float]:
    """Counts the modes that samples capture in a mixture of equal normal distributions.

    The metrics follow Srivastava et al. (2017, VEEGAN), sec. 4.1. A sample is of high quality if it
    is within 3 standard deviations of the nearest center. A mode is captured if its center is the
    nearest center of at least one high-quality sample. The paper uses 2,500 samples. In two
    dimensions, the fraction 1 - exp(-4.5) = 0.989 of the mixture's own samples is of high quality.

    Args:
        samples: Samples `[n, d]` of any numeric dtype.
        centers: Centers `[modes, d]`, such as `ring_centers()`.
        std: Standard deviation of each normal distribution along each axis; positive.

    Returns:
        A dict with "modes", the number of captured modes; "high_quality_fraction", the fraction of
        high-quality samples; and "reverse_kl", the KL divergence, in nats, of the high-quality
        samples' distribution over the modes from the uniform distribution, or NaN if there are no
        high-quality samples.

    Example:
        >>> gaussian_modes(ring_centers(8), ring_centers(8), std=0.01)["modes"]
        8
    """
    samples, centers = as_feature_pair(samples, centers, ("samples", "centers"), rows=1)
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
    """Counts the modes of stacked MNIST: images with one digit in each of three channels.

    See Srivastava et al. (2017, VEEGAN), sec. 4.2. Together, the classes of the three channels
    define one of 10^3 modes. The paper uses 26,000 samples; the same number of real images
    covers all 1,000 modes.

    Args:
        images: Images, uint8 `[n, H, W, 3]`.
        classify: Function that maps gray uint8 images `[batch, H, W, 1]` to logits or probabilities
            `[batch, classes]`, such as a classifier trained on single digits.
        classes: Number of classes per channel.
        reference: Modes of real examples, integers `[m]`: 100 a + 10 b + c if the classes of the
            channels are a, b, and c. If None, all modes are equally likely in the reference
            distribution.
        batch_size: Number of images processed at once.

    Returns:
        See `label_modes`.

    Example: `stacked_modes(model.sample(26_000), lambda x: extractor(x)["logits"])["modes"]`.
    """
    images = as_images(images, channels=(3,))
    labels = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        # Convert [n, H, W, 3] to gray images, with the three channels of each image in
        # succession.
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
    labels: np.ndarray, modes: Count, reference: np.ndarray | None = None
) -> dict[str, float]:
    """Counts the modes among labels, and compares their frequencies with real data.

    Args:
        labels: Labels of the generated examples, integers `[n]` from 0 to `modes` - 1.
        modes: Number of modes.
        reference: Labels of real examples, integers `[m]`. If None, all modes are equally likely in
            the reference distribution.

    Returns:
        A dict with "modes", the number of modes with at least one example, and "reverse_kl",
        KL(labels || reference) in nats, which is infinite if the labels contain a mode that is
        missing from the reference, and NaN if there are no labels.

    Example: `label_modes(np.array([0, 0, 1, 1]), modes=4)` has 2 modes, and log 2 nats.
    """
    counts = _counts(labels, modes, "labels")
    expected = np.ones(modes) if reference is None else _counts(reference, modes, "reference")
    if not expected.any():
        raise ValueError("reference contains no labels: pass at least one, or None.")
    fraction = counts / counts.sum() if counts.any() else np.full(modes, np.nan)
    divergence = special.rel_entr(fraction, expected / expected.sum()).sum()
    return {"modes": int((counts > 0).sum()), "reverse_kl": float(divergence)}


def _counts(labels: np.ndarray, modes: int, name: str) -> np.ndarray:
    labels = as_numbers(labels, name)
    whole = np.issubdtype(labels.dtype, np.integer) and labels.ndim == 1
    if not whole or (labels.size and not 0 <= labels.min() <= labels.max() < modes):
        raise ValueError(
            f"Expected {name} to be whole numbers [n] from 0 to {modes - 1}, but found "
            f"{labels.dtype} {list(labels.shape)}: pass one label for each example."
        )
    return np.bincount(labels, minlength=modes)


@checked_types
def bin_shares(
    real: np.ndarray, generated: np.ndarray, bins: int = 10, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fractions of real examples and samples in each cluster of the real examples.

    Richardson, Weiss: "On GANs and GMMs", NeurIPS 2018. The bins are k-means clusters of the real
    examples, and each sample belongs to the bin with the nearest center. If the samples miss a
    mode, the bins of this mode contain no samples.

    Args:
        real: Real examples or their features, `[n, ...]`. Axes after the first are flattened.
        generated: Samples or their features, `[m, ...]`.
        bins: Number of clusters, at most n.
        seed: Seed for the clusters.

    Returns:
        The fractions of the real examples and of the samples in each bin, both float64 `[bins]`.
        The bins are ordered from the most to the fewest real examples.

    Example:
        >>> of_real, of_samples = bin_shares(images, gan.sample(1000), bins=20)
        >>> missing = of_real[of_samples < 0.1 * of_real].sum()
    """
    real, generated = as_feature_pair(real, generated, ("real", "generated"), rows=1)
    check_within("bins", bins, len(real))
    # The mean is subtracted, because float32 has only seven digits.
    center = real.mean(axis=0)
    real = (real - center).astype(np.float32)
    generated = (generated - center).astype(np.float32)
    clusters = KMeans(bins, n_init=4, random_state=seed).fit(real)
    of_real = np.bincount(clusters.labels_, minlength=bins) / len(real)
    of_samples = np.bincount(clusters.predict(generated), minlength=bins) / len(generated)
    order = np.argsort(-of_real, kind="stable")
    return of_real[order], of_samples[order]


@checked_types
def class_report(
    real: dict[str, np.ndarray],
    real_labels: np.ndarray,
    generated: dict[str, np.ndarray],
    labels: np.ndarray,
    seed: int = 0,
) -> dict[str, float]:
    """Measures whether generated images show the requested class and vary as much as real images.

    Agreement alone is highest for a generator that always generates one clear image per class, so
    the kernel distance is also computed for each class. Compare the agreement with the classifier's
    accuracy on held-out real images, which is the highest agreement that can be expected of a
    generator.

    Args:
        real: Output of an `Extractor` for real images: "features" `[n, d]`.
        real_labels: Classes of the real images, integers `[n]`.
        generated: Output of the extractor for generated images: "features" `[m, d]` and "logits"
            `[m, classes]`.
        labels: Classes for which the images were generated, integers `[m]`.
        seed: Seed for the subsets of the kernel distance.

    Returns:
        A dict with "agreement", the fraction of generated images whose most likely class is the
        requested class; "worst_agreement", the lowest agreement of any class; "class_distance", the
        kernel distance between generated and real images of the same class, averaged over the
        classes; and "worst_class_distance", the largest of these distances.

    Raises:
        ValueError: If the numbers of labels and images differ, if a class has too few images, or if
            there are NaNs.

    Example: `class_report(extractor(images), classes, extractor(samples), labels)["agreement"]`.
    """
    logits = as_logits(part_of(generated, "logits", "generated"))
    features, real_labels, of_generated, labels = as_labeled_pair(
        part_of(real, "features", "real"),
        real_labels,
        part_of(generated, "features", "generated"),
        labels,
        ("real", "generated"),
    )
    if len(logits) != len(labels):
        raise ValueError(
            f"class_report got {len(logits)} logits and {len(labels)} labels: pass one label for "
            "each generated image."
        )
    right = logits.argmax(axis=1) == labels
    agreements = []
    distances = []
    for wanted in np.unique(labels):
        of_class = features[real_labels == wanted]
        made = of_generated[labels == wanted]
        agreements.append(right[labels == wanted].mean())
        distances.append(kernel_distance(of_class, made, seed=seed)[0])
    return {
        "agreement": float(right.mean()),
        "worst_agreement": float(min(agreements)),
        "class_distance": float(np.mean(distances)),
        "worst_class_distance": float(max(distances)),
    }
