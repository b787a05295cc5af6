"""Mixtures of Gaussians, to compare densities and generators of images with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.mixture import GaussianMixture

from keras_gen.arguments import checked_seed
from keras_gen.metrics.metric_arguments import as_images
from keras_gen.metrics.samples.neighbors import nearest_neighbors

IMAGES_EACH = (30, 60, 120, 240)  # tried for each Gaussian, from the finest mixture on
SEARCHED = 1000  # samples and held-out images whose nearest neighbors are found


def best_mixture(
    train: np.ndarray,
    held_out: np.ndarray,
    components: Sequence[int] = (10, 20, 40, 80),
    seed: int = 0,
) -> GaussianMixture:
    """Fits mixtures of Gaussians to vectors, and returns the one that is best on held-out ones.

    Args:
        train: Vectors `[n, values]`.
        held_out: Others, `[m, values]`, that choose the number of Gaussians by their mean
            log-density.
        components: Numbers of Gaussians that are tried, each at most n.
        seed: Seed of the first centers.

    Returns:
        A mixture of scikit-learn, whose `score_samples` returns log-densities in nats.

    Example: `nats = -best_mixture(points, held_out).score_samples(test_points)`.
    """
    if not components or not 1 <= min(components) <= max(components) <= len(train):
        raise ValueError(
            f"best_mixture found components={tuple(components)} for {len(train)} vectors: pass at "
            f"least one number, from 1 to {len(train)}."
        )
    fitted = [
        GaussianMixture(count, random_state=checked_seed(seed)).fit(train)
        for count in components
    ]
    return max(fitted, key=lambda mixture: mixture.score(held_out))


def mixture_samples(
    images: np.ndarray, n: int, clusters: int | None = None, seed: int = 0
) -> np.ndarray:
    """Draws images from a mixture of Gaussians of the pixels, one for each cluster of k-means.

    The result is uint8 `[n, H, W, C]`, rounded and clipped. Richardson, Weiss: "On GANs and GMMs",
    NeurIPS 2018: such mixtures cover the data better than GANs, but their samples are less sharp.
    Deviation: the Gaussians have the covariances of their clusters and are not fitted any further.

    Args:
        images: Training images uint8 `[m, H, W, 1 or 3]`, 0..255.
        n: How many images to draw.
        clusters: Number of Gaussians, 1 to m. The more there are, the closer are samples to
            training images. By default one for 30, 60, 120 or 240 images: the first with which
            samples are no nearer to training images than a held-out tenth of them is.
        seed: Seed of the clusters and of the samples.

    Example: `generation_report(extractor(images), extractor(mixture_samples(images, 10_000)))`.
    """
    images = as_images(images)
    flat = images.reshape(len(images), -1).astype(np.float32)
    if clusters is None:
        clusters = _most_clusters(flat, seed)
    if n < 1 or not 1 <= clusters <= len(images):
        raise ValueError(
            f"mixture_samples found n={n} and clusters={clusters} for {len(images)} images: pass "
            f"an n of at least 1, and 1 to {len(images)} clusters."
        )
    pixels = np.clip(np.rint(_drawn(flat, n, clusters, seed)), 0, 255).astype(np.uint8)
    return pixels.reshape(n, *images.shape[1:])


def _most_clusters(flat: np.ndarray, seed: int) -> int:
    """Returns the number of the finest mixture that is no nearer to its images than others are."""
    if len(flat) < min(IMAGES_EACH):
        return 1
    order = np.random.default_rng(checked_seed(seed)).permutation(len(flat))
    held_out, known = np.split(flat[order], [max(1, len(flat) // 10)])
    usual = _distance(held_out[:SEARCHED], known)
    for each in IMAGES_EACH:
        drawn = _drawn(known, SEARCHED, max(1, len(known) // each), seed)
        if _distance(drawn, known) >= usual:
            break
    return max(1, len(flat) // each)


def _distance(queries: np.ndarray, known: np.ndarray) -> float:
    """Returns the median distance to the nearest known example."""
    return float(np.median(nearest_neighbors(queries, known)[0]))


def _drawn(flat: np.ndarray, n: int, clusters: int, seed: int) -> np.ndarray:
    """Draws `[n, pixels]` from one Gaussian for each cluster of the images."""
    # Starting from k-means++ would take longer than all the rest.
    search = MiniBatchKMeans(
        clusters, init="random", batch_size=4096, n_init=1, random_state=checked_seed(seed)
    )
    label = search.fit_predict(flat)
    rng = np.random.default_rng(checked_seed(seed))
    counts = rng.multinomial(n, np.bincount(label, minlength=clusters) / len(flat))
    drawn = [_gaussian(flat[label == i], count, rng) for i, count in enumerate(counts) if count]
    return rng.permutation(np.concatenate(drawn))


def _gaussian(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws from the normal distribution with the mean and covariance of the rows."""
    # Weights of variance 1 / (m - 1) give the rows' own covariance, which is never computed.
    centered = rows - rows.mean(axis=0)
    weights = rng.normal(size=(count, len(rows))).astype(np.float32)
    return rows.mean(axis=0) + weights @ centered / np.sqrt(max(len(rows) - 1, 1))
