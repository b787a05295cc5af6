"""Fréchet distance between two sets of features: the formula of FID."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_features


class Moments(NamedTuple):
    """Mean and covariance of a set of features.

    Args:
        mean: float64 `[d]`.
        covariance: float64 `[d, d]`, divided by n - 1.
        n: Number of features they were estimated from; None: they are known exactly.

    Example:
        >>> normal = Moments(np.zeros(8), np.eye(8))
        >>> frechet_distance(normal, Moments(np.ones(8), np.eye(8)))["distance"]
        8.0
    """

    mean: np.ndarray
    covariance: np.ndarray
    n: int | None = None


@checked_types
def moments(features: np.ndarray) -> Moments:
    """Returns the moments, computed in float64, of features `[n, d]` of any number type, n >= 2."""
    features = as_features(features, "features")
    mean = features.mean(axis=0)
    centered = features - mean
    return Moments(mean, centered.T @ centered / (len(features) - 1), len(features))


@checked_types
def frechet_distance(
    a: np.ndarray | Moments, b: np.ndarray | Moments
) -> dict[str, float | None]:
    """Squared Fréchet distance of the normal distributions with the moments of two sets.

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)): Heusel et al. (2017), equation 6. It is FID
    for the features of that paper's Inception network; otherwise report the extractor's name. The
    estimate is biased: it falls with the sizes of the sets, so compare only sets of one size.

    The trace of the root is the sum of the singular values of F_a^T F_b with C = F F^T, which needs
    no root of an asymmetric matrix, and holds for covariances without full rank.

    Args:
        a: Features `[n_a, d]`, any number type, or their `Moments`.
        b: Features `[n_b, d]` of the same extractor, or their `Moments`.

    Returns:
        {"distance": at least 0, in squared units of the features, "n_a", "n_b": the sizes}.

    Example: `frechet_distance(real_features, generated_features)["distance"]`.
    """
    a, b = _as_moments(a, "a"), _as_moments(b, "b")
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"frechet_distance found {len(a.mean)} features in a and {len(b.mean)} in b: pass "
            "features of one extractor."
        )
    cross = _factor(a.covariance).T @ _factor(b.covariance)
    trace_of_root = np.linalg.svd(cross, compute_uv=False).sum() if cross.size else 0.0
    between_means = np.sum((a.mean - b.mean) ** 2)
    spread = np.trace(a.covariance) + np.trace(b.covariance) - 2.0 * trace_of_root
    return {"distance": float(max(between_means + spread, 0.0)), "n_a": a.n, "n_b": b.n}


def _as_moments(value: np.ndarray | Moments, name: str) -> Moments:
    if not isinstance(value, Moments):
        return moments(as_features(value, name))
    mean, covariance = np.asarray(value.mean), np.asarray(value.covariance)
    if mean.ndim != 1 or covariance.shape != mean.shape * 2 or not np.isfinite(covariance).all():
        raise ValueError(
            f"Expected the moments {name} to be a mean [d] and a finite covariance [d, d], found "
            f"shapes {mean.shape} and {covariance.shape}."
        )
    return Moments(mean, covariance, value.n)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """Returns F `[d, rank]` with F F^T = `covariance`."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    # Rounding turns the eigenvalue 0 into up to this; its root would no longer be negligible.
    zero = max(values.max(), 0.0) * len(values) * np.finfo(np.float64).eps
    if values.min() < -max(1e3 * zero, 1e-12):
        raise ValueError(
            f"The covariance has the eigenvalue {values.min():g}: a covariance has none below 0."
        )
    kept = values > zero
    return vectors[:, kept] * np.sqrt(values[kept])
