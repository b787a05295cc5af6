"""Images drawn from a mixture of Gaussians, to compare a generator with."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from keras_gen.metrics.checks import as_images

IMAGES_EACH = 60  # makes samples as near to the training images of clothes as test images are


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
        clusters: Number of Gaussians, 1 to m; by default one for 60 images. The more, the closer
            are samples to training images.
        seed: Seed of the clusters and of the samples.

    Example: `generation_report(extractor(images), extractor(mixture_samples(images, 10_000)))`.
    """
    images = as_images(images)
    if clusters is None:
        clusters = max(1, len(images) // IMAGES_EACH)
    if n < 1 or not 1 <= clusters <= len(images):
        raise ValueError(
            f"mixture_samples found n={n} and clusters={clusters} for {len(images)} images: pass "
            f"an n of at least 1, and 1 to {len(images)} clusters."
        )
    flat = images.reshape(len(images), -1).astype(np.float32)
    # Starting from k-means++ would take longer than all the rest.
    search = MiniBatchKMeans(
        clusters, init="random", batch_size=4096, n_init=1, random_state=seed
    )
    label = search.fit_predict(flat)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(n, np.bincount(label, minlength=clusters) / len(images))
    drawn = [_gaussian(flat[label == i], count, rng) for i, count in enumerate(counts) if count]
    pixels = np.clip(np.rint(np.concatenate(drawn)), 0, 255).astype(np.uint8)
    return rng.permutation(pixels).reshape(n, *images.shape[1:])


def _gaussian(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws from the normal distribution with the mean and covariance of the rows."""
    # Weights of variance 1 / (m - 1) give the rows' own covariance, which is never computed.
    centered = rows - rows.mean(axis=0)
    weights = rng.normal(size=(count, len(rows))).astype(np.float32)
    return rows.mean(axis=0) + weights @ centered / np.sqrt(max(len(rows) - 1, 1))
