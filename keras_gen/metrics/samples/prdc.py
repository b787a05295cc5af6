"""Precision and recall, density and coverage of generated examples."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_feature_pair
from keras_gen.metrics.samples.neighbors import nearest_neighbors

MEMORY = 64  # MiB of distances held at once


@checked_types
def prdc(real: np.ndarray, generated: np.ndarray, k: int = 5) -> dict[str, float]:
    """Compares two sets through balls around each example that reach its k-th neighbor.

    - precision: fraction of generated examples inside a ball of the real ones (quality).
    - recall: fraction of real examples inside a ball of the generated ones (coverage). Kynkäänniemi
      et al. (2019), equations 1 and 2, who use k = 3.
    - density: mean number of balls of real examples around a generated one, divided by k; about 1
      for equal distributions, but it may be larger. Real outliers affect it less than precision.
    - coverage: fraction of real examples whose ball holds a generated one. Unlike recall, generated
      outliers do not raise it. Naeem et al. (2020), section 3, who use k = 5.

    Balls are closed: a copy of a real example is inside its ball, even one of radius 0. All four
    depend on the sizes of the sets.

    Args:
        real: Features `[n, d]`, n > k, any number type; computed in float64.
        generated: Features `[m, d]` of the same extractor, m > k.
        k: Which neighbor, not counting the example itself, is the ball's radius away.

    Returns:
        {"precision", "recall", "density", "coverage": floats, "k", "n_real", "n_generated": ints}.

    Example: `prdc(real_features, generated_features)["precision"]`.
    """
    if k < 1:
        raise ValueError(f"prdc found k={k}: pass a k of at least 1.")
    real, generated = as_feature_pair(real, generated, ("real", "generated"), rows=k + 1)
    # Small numbers lose least in the expansion of |x - y|^2.
    center = real.mean(axis=0)
    real = real - center
    generated = generated - center
    real_radii = _squared_radii(real, k)
    generated_radii = _squared_radii(generated, k)

    precise = balls = start = 0
    recalled = np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for squares in pairwise_distances_chunked(
        generated, real, working_memory=MEMORY, squared=True
    ):
        in_real_ball = squares <= real_radii
        precise += int(in_real_ball.any(axis=1).sum())
        balls += int(in_real_ball.sum())
        covered |= in_real_ball.any(axis=0)
        radii = generated_radii[start : start + len(squares), None]
        recalled |= (squares <= radii).any(axis=0)
        start += len(squares)
    return {
        "precision": precise / len(generated),
        "recall": float(recalled.mean()),
        "density": balls / (k * len(generated)),
        "coverage": float(covered.mean()),
        "k": k,
        "n_real": len(real),
        "n_generated": len(generated),
    }


def _squared_radii(features: np.ndarray, k: int) -> np.ndarray:
    # Each row is its own nearest neighbor.
    radii = nearest_neighbors(features, features, k + 1)[0][:, k]
    # Closed also after rounding, which is of the size of |x|^2 times 1e-16.
    return radii**2 * (1 + 1e-10) + 1e-13 * np.max(np.sum(features**2, axis=1))
