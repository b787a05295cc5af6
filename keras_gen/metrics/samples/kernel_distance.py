"""Kernel distance between two sets of features: the unbiased squared MMD of KID."""

from __future__ import annotations

import numpy as np

from keras_gen.arguments import checked_integer, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_feature_pair

BLOCK = 2**22  # numbers of a kernel matrix held at once: 32 MiB


@checked_types
def kernel_distance(
    features_a: np.ndarray,
    features_b: np.ndarray,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3: Binkowski et al. (2018).

    The estimate is unbiased, so between sets of one distribution it scatters around 0 and may be
    negative. Larger sets are compared in random subsets, and the mean is returned. If one set has
    no more than `subset_size` rows, both are compared whole, in blocks that bound the memory.

    Args:
        features_a: `[n_a, d]`, any number type, at least 3 rows.
        features_b: `[n_b, d]`, likewise.
        subsets: Number of pairs of subsets, at least 2.
        subset_size: Rows of a subset, at least 3, drawn without replacement.
        seed: Seed of the draw.

    Returns:
        The distance and its standard error, in float64: over the subsets, or by the jackknife
        (leaving out one row at a time) for whole sets. Subsets share rows, so many of them
        understate the error.

    Example: `distance, error = kernel_distance(real_features, generated_features)`.
    """
    seed = checked_seed(seed)
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
    return base * base * base  # ten times as fast as ** 3


def _sums(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sums of the rows and of the columns of the kernel matrix, a block at a time."""
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

    # The estimate without row i, for all i at once: rows of the kernel matrices are subtracted.
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
