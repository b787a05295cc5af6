"""Inception score: confident and varied classifications."""

from __future__ import annotations

import numpy as np
from scipy import special

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_numbers


@checked_types
def inception_score(
    predictions: np.ndarray, from_logits: bool = False, splits: int = 10
) -> tuple[float, float]:
    """Exponential of the mean KL(p(y|x) || p(y)): Salimans et al. (2016), section 4.

    It lies between 1 (every image is classified alike) and the number of classes K (certain classes
    that are equally frequent). It ignores the real images, so it misses what the classifier does
    not know. It is the paper's score only with the paper's classifier: report yours with the
    number.

    Args:
        predictions: The classifier's output for n images, `[n, K]`: probabilities or logits.
        from_logits: Whether they are logits.
        splits: Number of parts, at most n, in the given order, each with its own p(y). Do not sort
            the images by class, which would lower the score of every part.

    Returns:
        Mean and standard deviation of the score over the parts, in float64. The second is 0 for one
        part.

    Example:
        >>> np.round(inception_score(np.tile(np.eye(10), [10, 1]), splits=10), 6)
        array([10.,  0.])
    """
    predictions = as_numbers(predictions, "predictions").astype(np.float64)
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
