"""How many latents a model uses."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_features


@checked_types
def active_units(means: np.ndarray, threshold: float = 0.01) -> tuple[int, np.ndarray]:
    """Counts the latents that a model uses: Burda et al. (2016), section 5.2.

    Args:
        means: Posterior means of n >= 2 examples, `[n, latents]`, as `vae.encode(images)[0]`.
        threshold: A latent is active if the variance of its mean over the data is larger.

    Returns:
        The number of active units, and the variances of all, float64 `[latents]`.

    Example:
        >>> active_units(np.array([[1.0, 0.0], [-1.0, 0.001]]))[0]
        1
    """
    variances = as_features(means, "means").var(axis=0, ddof=1)
    return int((variances > threshold).sum()), variances
