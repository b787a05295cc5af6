"""Inception score: confident and varied classifications."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from scipy import special


def inception_score(
    predictions: np.ndarray, from_logits: bool = False, splits: int = 10
) -> tuple[float, float]:
    """Exponential of the mean KL(p(y|x) || p(y)): Salimans et al. (2016), section 4.

    It lies between 1 (every image is classified alike) and the number of classes K (every image is
    classified with certainty, all classes equally often). It never sees a real image, so it misses
    what the classifier does not know. It is that paper's score only with that paper's classifier:
    name yours beside the number.

    Args:
        predictions: The classifier's output for n images, `[n, K]`: probabilities or logits.
        from_logits: Whether they are logits.
        splits: Parts, in the given order, each with its own p(y). Images sorted by class would
            make every part poor: leave them in the order they were drawn.

    Returns:
        Mean and standard deviation of the score over the parts, computed in float64. The second is
        0 for one part.

    Raises:
        ValueError: If `predictions` is no such matrix, or has fewer rows than `splits`.

    Example:
        >>> np.round(inception_score(np.tile(np.eye(10), [10, 1]), splits=10), 6)
        array([10.,  0.])
    """
    predictions = np.asarray(predictions, np.float64)
    if predictions.ndim != 2 or not 1 <= splits <= len(predictions):
        raise ValueError(
            f"inception_score found predictions of shape {predictions.shape} for {splits} splits: "
            "pass a matrix [n, classes] with at least one row per split."
        )
    if from_logits:
        predictions = special.softmax(predictions, axis=1)
    # Comparisons with NaN are false.
    sums = predictions.sum(axis=1)
    if not (predictions.min() >= 0 and np.all(np.abs(sums - 1) < 1e-3)):
        raise ValueError(
            "inception_score found rows that are no probabilities (they sum to "
            f"{sums.min():g} to {sums.max():g}): pass probabilities, or from_logits=True."
        )
    scores = []
    for part in np.array_split(predictions, splits):
        divergence = special.rel_entr(part, part.mean(axis=0)).sum(axis=1)
        scores.append(np.exp(divergence.mean()))
    return float(np.mean(scores)), float(np.std(scores))


@keras.saving.register_keras_serializable("keras_gen")
class InceptionScore(keras.metrics.Metric):
    """Inception score of all images seen, as one part: see `inception_score`.

    Replicas add up their sums, so that under a distribution strategy the result is that of all
    their images.

    Args:
        classes: Number of classes K.
        from_logits: Whether the predictions are logits.
        name: Name of the metric.

    Example:
        >>> metric = InceptionScore(10)
        >>> metric.update_state(np.eye(10))
        >>> round(float(metric.result()), 6)
        10.0
    """

    def __init__(self, classes: int, from_logits: bool = False, name: str = "inception_score"):
        super().__init__(dtype="float64", name=name)
        self.classes, self.from_logits = classes, from_logits
        self.count, self.negative_entropy = (
            self.add_variable((), "zeros", dtype="float64", name=n)
            for n in ("count", "negative_entropy")
        )
        self.total = self.add_variable((classes,), "zeros", dtype="float64", name="total")

    def update_state(self, predictions, sample_weight=None):
        """Adds predictions `[batch, K]`; `sample_weight` `[batch]` of zeros and ones drops some."""
        predictions = tf.cast(predictions, tf.float64)
        if self.from_logits:
            predictions = tf.nn.softmax(predictions)
        weight = tf.ones(tf.shape(predictions)[:1], tf.float64)
        if sample_weight is not None:
            weight = tf.cast(sample_weight, tf.float64)
        weight = weight[:, None]
        self.count.assign_add(tf.reduce_sum(weight))
        self.total.assign_add(tf.reduce_sum(weight * predictions, axis=0))
        entropies = weight * tf.math.xlogy(predictions, predictions)
        self.negative_entropy.assign_add(tf.reduce_sum(entropies))

    def result(self):
        """Returns the score, a float64 scalar."""
        # The mean of KL(p(y|x) || p(y)) is the entropy of p(y) minus the mean entropy of p(y|x).
        count = tf.convert_to_tensor(self.count)
        marginal = tf.math.divide_no_nan(tf.convert_to_tensor(self.total), count)
        conditional = tf.math.divide_no_nan(tf.convert_to_tensor(self.negative_entropy), count)
        return tf.exp(conditional - tf.reduce_sum(tf.math.xlogy(marginal, marginal)))

    def get_config(self) -> dict:
        """Returns the constructor arguments."""
        return {"classes": self.classes, "from_logits": self.from_logits, "name": self.name}
