"""A distribution of images with a histogram for each pixel."""

from __future__ import annotations

import numpy as np

from keras_gen.metrics.metric_arguments import as_images

LEVELS = 256


class PixelHistograms:
    """A distribution of 8-bit images with independent values, each with its own histogram.

    Args:
        images: Training images uint8 `[n, H, W, C]`.
        pseudo_count: Added to the count of every level of every value. Without it, a level that
            does not occur in training would be impossible.

    Example:
        >>> histograms = PixelHistograms(train)
        >>> bits_per_dimension(-histograms.log_prob(test).mean(), test[0].size, "none")
    """

    def __init__(self, images: np.ndarray, pseudo_count: float = 1.0):
        if not pseudo_count > 0:
            raise ValueError(f"pseudo_count is {pseudo_count}: it must be positive.")
        values = as_images(images).reshape(len(images), -1).T
        counts = np.stack([np.bincount(value, minlength=LEVELS) for value in values])
        self._log_probs = np.log(counts + pseudo_count) - np.log(
            len(images) + LEVELS * pseudo_count
        )

    def log_prob(self, images: np.ndarray) -> np.ndarray:
        """Returns log P(x), float64 `[n]`, in nats, of images uint8 `[n, H, W, C]`."""
        values = as_images(images).reshape(len(images), -1)
        return self._log_probs[np.arange(values.shape[1]), values].sum(axis=1)
