"""How well scores tell two kinds of examples apart."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive example has a higher score than a negative one, ties halved.

    This is the area under the curve of true against false positives: 1/2 for scores that tell
    nothing, below it for those that point the wrong way.

    Args:
        scores: Finite numbers `[n]`.
        positive: Booleans, or integers 0 and 1, `[n]`, both kinds present.

    Returns:
        A number between 0 and 1.

    Raises:
        ValueError: If shapes or values are others, or all examples are of one kind.

    Example:
        >>> auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75
    """
    scores, positive = np.asarray(scores, np.float64), np.asarray(positive)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite numbers [n], found shape {list(scores.shape)}.")
    if positive.shape != scores.shape or not np.array_equal(np.unique(positive), [0, 1]):
        raise ValueError(
            f"positive must hold one boolean per score, of both kinds: found shape "
            f"{list(positive.shape)} for {len(scores)} scores, values {np.unique(positive)[:5]}."
        )
    return float(roc_auc_score(positive, scores))
