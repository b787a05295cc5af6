"""How many latents a model uses."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from keras_gen.metrics.checks import as_features
from keras_gen.metrics.samples.frechet import FeatureMoments


def active_units(means: np.ndarray, threshold: float = 0.01) -> tuple[int, np.ndarray]:
    """Counts the latents that a model uses: Burda et al. (2016), section 5.2.

    Args:
        means: The posterior means of many examples, `[n, latents]`, as `vae.encode(images)[0]`.
        threshold: A latent is active if its mean varies more over the data.

    Returns:
        The number of active units, and the variances of all, float64 `[latents]`.

    Raises:
        ValueError: If `means` is no finite matrix with at least 2 rows.

    Example:
        >>> active_units(np.array([[1.0, 0.0], [-1.0, 0.001]]))[0]
        1
    """
    variances = as_features(means, "means").var(axis=0, ddof=1)
    return int((variances > threshold).sum()), variances


@keras.saving.register_keras_serializable("keras_gen")
class ActiveUnits(keras.metrics.Metric):
    """Number of active units among all posterior means seen: see `active_units`.

    Args:
        dimensions: Number of latents.
        threshold: Variance from which a latent is active.
        name: Name of the metric.

    Example:
        >>> metric = ActiveUnits(2)
        >>> metric.update_state([[1.0, 0.0], [-1.0, 0.001]])
        >>> float(metric.result())
        1.0
    """

    def __init__(self, dimensions: int, threshold: float = 0.01, name: str = "active_units"):
        super().__init__(dtype="float64", name=name)
        self.dimensions, self.threshold = dimensions, threshold
        self.means = FeatureMoments(dimensions)

    def update_state(self, means, sample_weight=None):
        """Adds posterior means `[batch, dimensions]`; weights of 0 drop some."""
        self.means.update_state(means, sample_weight)

    def result(self):
        """Returns the number, a float64 scalar."""
        variances = tf.linalg.diag_part(self.means.result()["covariance"])
        return tf.reduce_sum(tf.cast(variances > self.threshold, tf.float64))

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        arguments = {"dimensions": self.dimensions, "threshold": self.threshold}
        return {**arguments, "name": self.name}
