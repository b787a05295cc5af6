"""Likelihoods of 8-bit images by methods without networks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keras_gen.metrics.likelihood.bits_per_dimension import bits_per_dimension
from keras_gen.workshop.baselines.codes.compression import compressed_bits
from keras_gen.workshop.baselines.likelihoods.pixel_histograms import PixelHistograms
from keras_gen.workshop.baselines.likelihoods.probabilistic_pca import ProbabilisticPCA


def image_baselines(
    train: np.ndarray,
    held_out: np.ndarray,
    test: np.ndarray,
    components: Sequence[int],
    latents: int | None = None,
) -> dict[str, float]:
    """Bits per dimension of test images by lossless files, PCA and histograms.

    Args:
        train: Images uint8 `[n, H, W, C]`, with mirrored ones if the model sees them.
        held_out: Likewise, to choose the number of components and the noise of PCA.
        test: Likewise.
        components: Numbers to choose from; those too large for `train` are left out. If all are,
            the largest possible number is used.
        latents: Number of a model's latents, to compare with PCA of as many components, or as
            many as `train` allows.

    Returns:
        "bits_png" and "bits_webp", by `compressed_bits`; "bits_pixels", by `PixelHistograms`;
        "bits_pca", by `ProbabilisticPCA`, and "pca_components", the chosen number; and
        "bits_pca_latents" if `latents` is given.

    Example: `metrics |= image_baselines(train, held_out, test, (100, 300, 1000), latents=128)`.
    """
    most = min(len(train), train[0].size)
    numbers = [number for number in components if number <= most] or [most]
    latents = min(latents or 0, most)
    pca = ProbabilisticPCA(train, max([*numbers, latents]))
    nats = {
        "png": compressed_bits(test, "PNG") * math.log(2),
        "webp": compressed_bits(test, "WEBP") * math.log(2),
        "pixels": -PixelHistograms(train).log_prob(test),
        "pca": -pca.tuned(held_out, numbers).log_prob(test),
    }
    chosen = pca.components
    if latents:
        nats["pca_latents"] = -pca.tuned(held_out, [latents]).log_prob(test)
    # Densities of levels with uniform noise, and probabilities of levels, have one unit.
    bits = {k: bits_per_dimension(v.mean(), test[0].size, "none") for k, v in nats.items()}
    return {f"bits_{name}": float(value) for name, value in bits.items()} | {
        "pca_components": chosen
    }
