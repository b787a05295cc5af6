"""Distances between sets of features, as in FID and KID, and the inception score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_feature_pair, as_features, as_numbers


class Moments(NamedTuple):
    """Mean and covariance of a set of features.

    Args:
        mean: Mean, float64 `[d]`.
        covariance: Covariance, float64 `[d, d]`, with the denominator n - 1.
        n: Number of feature vectors from which the moments were estimated. If None, the moments are
            known exactly.

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
    """Returns the float64 moments of features `[n, d]` of any numeric dtype; n is at least 2.

    Example: `moments(real_features).covariance`.
    """
    features = as_features(features, "features")
    mean = features.mean(axis=0)
    centered = features - mean
    return Moments(mean, centered.T @ centered / (len(features) - 1), len(features))


@checked_types
def frechet_distance(
    a: np.ndarray | Moments, b: np.ndarray | Moments
) -> dict[str, float | None]:
    """Returns the squared Fréchet distance between normal distributions fitted to two sets.

    The distance is |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) (Heusel et al. 2017, eq. (6)).
    The distance equals FID only for the features of that paper's Inception network. For other
    features, report the extractor's name. The estimate is biased: it decreases with the size of the
    sets. Therefore, compare only distances between sets of equal size.

    The trace of the square root is computed as the sum of the singular values of F_a^T F_b, where C
    = F F^T. This computation avoids the square root of an asymmetric matrix, and also works for
    covariances without full rank.

    Args:
        a: Features `[n_a, d]`, of any numeric dtype, or their `Moments`.
        b: Features `[n_b, d]` from the same extractor, or their `Moments`.

    Returns:
        A dict with "distance", at least 0, in squared units of the features, and the sizes "n_a"
        and "n_b".

    Example: `frechet_distance(real_features, generated_features)["distance"]`.
    """
    a, b = _as_moments(a, "a"), _as_moments(b, "b")
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"frechet_distance got {len(a.mean)} features in a, but {len(b.mean)} in b: pass "
            "features from one extractor."
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
    if mean.ndim != 1 or covariance.shape != mean.shape * 2:
        raise ValueError(
            f"The moments {name} have shapes {mean.shape} and {covariance.shape}: expected a mean "
            "[d] and a covariance [d, d]."
        )
    finite = np.isfinite(mean).all() and np.isfinite(covariance).all()
    if not finite or not np.allclose(covariance, covariance.T):
        raise ValueError(
            f"The moments {name} are not finite, or the covariance is not symmetric: pass the "
            "moments of finite features."
        )
    return Moments(mean, covariance, value.n)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """Returns F `[d, rank]` such that F F^T equals `covariance`."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    # Due to rounding, an eigenvalue of 0 may reach this limit, and its square root would not be
    # negligible.
    zero = max(values.max(), 0.0) * len(values) * np.finfo(np.float64).eps
    if values.min() < -max(1e3 * zero, 1e-12):
        raise ValueError(
            f"The covariance has the eigenvalue {values.min():g}: expected no negative "
            "eigenvalues."
        )
    kept = values > zero
    return vectors[:, kept] * np.sqrt(values[kept])


BLOCK = 2**22  # maximum number of kernel values kept at once, 32 MiB


@checked_types
def kernel_distance(
    features_a: np.ndarray,
    features_b: np.ndarray,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Returns the squared MMD with the kernel (x.y / d + 1)^3 (Binkowski et al. 2018).

    The estimate of the maximum mean discrepancy is unbiased, so for two sets from the same
    distribution, the estimate fluctuates around 0 and may be negative. Larger sets are compared in
    random subsets, and the mean is returned. If either set has at most `subset_size` rows, the
    whole sets are compared, in blocks that limit memory use.

    Args:
        features_a: Features `[n_a, d]` of any numeric dtype, with at least 3 rows.
        features_b: Features `[n_b, d]` of any numeric dtype, with at least 3 rows.
        subsets: Number of pairs of subsets, at least 2.
        subset_size: Number of rows per subset, at least 3. The rows are chosen without replacement.
        seed: Seed for the choice of subsets.

    Returns:
        The distance and its standard error, in float64. The standard error is computed over the
        subsets, or, for whole sets, with the jackknife (leaving out one row at a time). Because
        subsets share rows, the standard error is too small if there are many subsets.

    Example: `distance, error = kernel_distance(real_features, generated_features)`.
    """
    a, b = as_feature_pair(features_a, features_b, ("features_a", "features_b"), rows=3)
    subsets = checked_integer("subsets", subsets, minimum=2)
    subset_size = checked_integer("subset_size", subset_size, minimum=3)
    if subset_size >= min(len(a), len(b)):
        return _whole(a, b)
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        some_a = a[rng.choice(len(a), subset_size, replace=False)]
        some_b = b[rng.choice(len(b), subset_size, replace=False)]
        values.append(_whole(some_a, some_b)[0])
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(subsets))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = x @ y.T / x.shape[1] + 1.0
    return base * base * base  # ten times as fast as base**3


def _sums(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the row and column sums of the kernel matrix, computed block by block."""
    rows, columns = np.empty(len(x)), np.zeros(len(y))
    size = max(1, BLOCK // len(y))
    for start in range(0, len(x), size):
        block = _kernel(x[start : start + size], y)
        rows[start : start + size] = block.sum(axis=1)
        columns += block.sum(axis=0)
    return rows, columns


def _sums_without_itself(x: np.ndarray) -> np.ndarray:
    diagonal = (np.sum(x * x, axis=1) / x.shape[1] + 1.0) ** 3
    return _sums(x, x)[0] - diagonal


@np.errstate(over="ignore", invalid="ignore")
def _whole(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Returns the unbiased estimate and its jackknife standard error."""
    n, m = len(a), len(b)
    aa = _sums_without_itself(a)
    bb = _sums_without_itself(b)
    ab, ba = _sums(a, b)
    within_a, within_b, between = aa.sum(), bb.sum(), ab.sum()
    term_a = within_a / (n * (n - 1))
    term_b = within_b / (m * (m - 1))
    value = term_a + term_b - 2.0 * between / (n * m)
    if not np.isfinite(value):
        raise ValueError(
            "The kernel of the features overflows: divide a and b by the same number."
        )

    # The estimates without row i are computed for all i at once by subtracting row sums of the
    # kernel matrices.
    without_a = (
        (within_a - 2.0 * aa) / ((n - 1) * (n - 2))
        + term_b
        - 2.0 * (between - ab) / ((n - 1) * m)
    )
    without_b = (
        (within_b - 2.0 * bb) / ((m - 1) * (m - 2))
        + term_a
        - 2.0 * (between - ba) / (n * (m - 1))
    )
    variance = (n - 1) * np.var(without_a) + (m - 1) * np.var(without_b)
    return float(value), float(np.sqrt(variance))


@checked_types
def inception_score(
    predictions: np.ndarray, from_logits: bool = False, splits: int = 10
) -> tuple[float, float]:
    """Returns the exponential of the mean KL(p(y|x) || p(y)) (Salimans et al. 2016, sec. 4).

    The score is between 1 (all images have the same predictions) and the number of classes K
    (predictions are certain, and all classes are equally frequent). The score does not depend on
    real images, so it misses anything that the classifier does not recognize. The score equals the
    paper's score only with the paper's classifier, so report your classifier with the score.

    Args:
        predictions: Classifier outputs for n images, `[n, K]`: probabilities or logits.
        from_logits: Whether `predictions` are logits.
        splits: Number of consecutive parts, at most n, each with its own p(y). Do not sort the
            images by class, which would lower the score of every part.

    Returns:
        The mean and standard deviation of the score over the parts, in float64. The standard
        deviation is 0 for one part.

    Example:
        >>> np.round(inception_score(np.tile(np.eye(10), [10, 1]), splits=10), 6)
        array([10.,  0.])
    """
    predictions = as_numbers(predictions, "predictions").astype(np.float64)
    if predictions.ndim != 2 or not 1 <= splits <= len(predictions):
        raise ValueError(
            f"inception_score got predictions of shape {predictions.shape} for {splits} splits: "
            "expected a matrix [n, classes] with at least one row per split."
        )
    if from_logits:
        predictions = special.softmax(predictions, axis=1)
    # Comparisons with NaN are false, so this check also rejects NaN.
    sums = predictions.sum(axis=1)
    if not (predictions.min() >= 0 and np.all(np.abs(sums - 1) < 1e-3)):
        raise ValueError(
            f"The row sums of predictions range from {sums.min():g} to {sums.max():g}: expected "
            "probabilities that sum to 1 in each row. For logits, pass from_logits=True."
        )
    scores = []
    for part in np.array_split(predictions, splits):
        divergence = special.rel_entr(part, part.mean(axis=0)).sum(axis=1)
        scores.append(np.exp(divergence.mean()))
    return float(np.mean(scores)), float(np.std(scores))
