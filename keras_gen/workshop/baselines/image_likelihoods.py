"""Image likelihoods from pixel histograms and principal components, without networks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA

from keras_gen.arguments import checked_integer, checked_positive
from keras_gen.metrics.likelihood import bits_per_dimension
from keras_gen.metrics.metric_arguments import as_images
from keras_gen.workshop.baselines.image_codecs import compressed_bits

LEVELS = 256
NOISE = 1 / 12  # variance of the uniform distribution on [0, 1)


class PixelHistograms:
    """A distribution of 8-bit images whose values are independent, each with its own histogram.

    Args:
        images: Training images, uint8 `[n, H, W, C]`.
        pseudo_count: Number added to the count of each level in each histogram. Without it, levels
            that do not occur in the training images would have probability 0.

    Example:
        >>> histograms = PixelHistograms(train)
        >>> bits_per_dimension(-histograms.log_prob(test).mean(), test[0].size, "none")
    """

    def __init__(self, images: np.ndarray, pseudo_count: float = 1.0):
        pseudo_count = checked_positive("pseudo_count", pseudo_count)
        values = as_images(images).reshape(len(images), -1).T
        counts = np.stack([np.bincount(value, minlength=LEVELS) for value in values])
        self._log_probs = np.log(counts + pseudo_count) - np.log(
            len(images) + LEVELS * pseudo_count
        )

    def log_prob(self, images: np.ndarray) -> np.ndarray:
        """Returns log P(x) in nats, float64 `[n]`, for uint8 images `[n, H, W, C]`."""
        values = as_images(images).reshape(len(images), -1)
        return self._log_probs[np.arange(values.shape[1]), values].sum(axis=1)


class ProbabilisticPCA:
    """A density of 8-bit images without a network: a normal distribution with linear latents.

    Tipping, Bishop: "Probabilistic Principal Component Analysis", Journal of the Royal Statistical
    Society B 61, 1999. The model is x = W z + mean + noise, where z is standard normal and the
    noise has the same variance in all directions. The fitted model is the best VAE with a linear
    decoder. If there are as many components as values in an image, the model is a normal
    distribution with full covariance.

    Uniform noise u in [0, 1) turns discrete levels into a density (Theis et al. 2016, sec. 3.1).
    The noise is not sampled. Instead, 1/12 is added to each variance, and the mean of log p(x + u)
    over u is computed in closed form.

    Args:
        images: Training images, uint8 `[n, H, W, C]`.
        components: Number of components, at most n and at most the number of values per image.

    Example:
        >>> pca = ProbabilisticPCA(train, 100).tuned(held_out, (30, 100, 300))
        >>> bits_per_dimension(-pca.log_prob(test).mean(), test[0].size, "uniform")
    """

    def __init__(self, images: np.ndarray, components: int):
        levels = self._flat(images)
        n, self.dimensions = levels.shape
        components = checked_integer("components", components, 1, min(n, self.dimensions))
        if 10 * components < min(n, self.dimensions):
            solver = "arpack"
        else:
            solver = "covariance_eigh" if n > self.dimensions else "full"
        pca = PCA(components, svd_solver=solver, random_state=0).fit(levels)
        self._mean = pca.mean_
        self._directions = pca.components_.T
        # Variances are scaled to maximum-likelihood estimates, because scikit-learn divides by n -
        # 1.
        self._variances = pca.explained_variance_ * (n - 1) / n + NOISE
        self._total = np.sum((levels - self._mean) ** 2) / n + self.dimensions * NOISE
        self._choose(components)

    def _choose(self, components, noise=None):
        self.components = components
        left = max(self.dimensions - components, 1)
        # Tipping & Bishop, eq. (8): the noise variance is the mean of the remaining variances.
        of_rest = (self._total - np.sum(self._variances[:components])) / left
        self.noise = float(max(of_rest, NOISE) if noise is None else noise)

    def tuned(self, held_out: np.ndarray, components: Sequence[int]) -> ProbabilisticPCA:
        """Tunes the number of components and the noise variance on other images; returns `self`.

        The smallest variances in the training images are underestimates, especially if there are
        few images.

        Args:
            held_out: Held-out images, uint8 `[n, H, W, C]`.
            components: Numbers of components to try, at most the number passed to the constructor.
                Each number is tried with the best noise variance for the held-out images.
        """
        most = len(self._variances)
        tried = []
        for number in components:
            if not 0 <= number <= most:
                raise ValueError(f"components contains {number}: expected 0 to {most}.")
            self._choose(number)
            _, rest = self._parts(held_out)
            noise = rest.mean() / max(self.dimensions - number, 1) + NOISE
            self._choose(number, noise)
            tried.append((self.log_prob(held_out).mean(), number, self.noise))
        self._choose(*max(tried)[1:])
        return self

    def log_prob(self, images: np.ndarray) -> np.ndarray:
        """Returns the mean of log p(x + u) over u, a bound on log P(x), in nats, float64 `[n]`."""
        codes, rest = self._parts(images)
        variances = self._variances[: self.components]
        left = self.dimensions - self.components
        quadratic = np.sum(codes**2 / variances, axis=1) + rest / self.noise
        trace = np.sum(NOISE / variances) + left * NOISE / self.noise
        log_determinant = np.sum(np.log(variances)) + left * math.log(self.noise)
        constant = self.dimensions * math.log(2 * math.pi)
        return -0.5 * (quadratic + trace + log_determinant + constant)

    def _parts(self, images):
        """Returns the codes of images and the squared lengths of their residuals."""
        centered = self._flat(images) - self._mean
        codes = centered @ self._directions[:, : self.components]
        rest = np.sum(centered**2, axis=1) - np.sum(codes**2, axis=1)
        return codes, np.maximum(rest, 0.0)

    @staticmethod
    def _flat(images):
        return as_images(images).reshape(len(images), -1).astype(np.float64)


def image_baselines(
    train: np.ndarray,
    held_out: np.ndarray,
    test: np.ndarray,
    components: Sequence[int],
    latents: int | None = None,
) -> dict[str, float]:
    """Returns test images' bits per dimension under lossless codecs, PCA, and histograms.

    Args:
        train: Training images, uint8 `[n, H, W, C]`, including mirrored images if the model is
            trained on them.
        held_out: Held-out images for choosing the number of components and the noise variance of
            PCA.
        test: Test images.
        components: Numbers of PCA components to try. Numbers that are too large for `train` are
            omitted; if all are too large, the largest possible number is used.
        latents: Number of latents of the model that is compared with PCA. An additional PCA has
            this number of components, or the largest number that `train` allows if that is smaller.

    Returns:
        A dict with bits per dimension from `compressed_bits` ("bits_png" and "bits_webp"), from
        `PixelHistograms` ("bits_pixels"), and from `ProbabilisticPCA` ("bits_pca").
        "pca_components" is the chosen number of components. If `latents` is given,
        "bits_pca_latents" contains the result of the additional PCA.

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
    # Densities of levels with uniform noise have the same unit as probabilities of levels.
    bits = {k: bits_per_dimension(v.mean(), test[0].size, "none") for k, v in nats.items()}
    return {f"bits_{name}": float(value) for name, value in bits.items()} | {
        "pca_components": chosen
    }
