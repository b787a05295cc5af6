"""What the scores of (codes, factors) share: their check, and tables `[codes, factors]`."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import mutual_info_score

from keras_gen.metrics.checks import as_features


def check(codes: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 codes `[n, d]` and int factors `[n, f]`, d and f of at least 2.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If shapes differ, codes are not finite, or a factor has one value only.
    """
    codes, factors = as_features(codes, "codes"), np.asarray(factors)
    if factors.ndim != 2 or len(factors) != len(codes):
        raise ValueError(
            f"Expected factors of shape [{len(codes)}, f], found {list(factors.shape)}: "
            "pass the factors of the same examples in the same order."
        )
    if codes.shape[1] < 2 or factors.shape[1] < 2:
        raise ValueError(
            f"Found {codes.shape[1]} codes and {factors.shape[1]} factors: pass 2 or more of each, "
            "since one alone has nothing to be told apart from."
        )
    if not np.issubdtype(factors.dtype, np.integer):
        raise TypeError(
            f"factors must be integers, found {factors.dtype}: pass the number of each value."
        )
    constant = np.flatnonzero((factors == factors[0]).all(axis=0))
    if len(constant):
        raise ValueError(
            f"factor {constant[0]} has one value only: leave out its column, or add examples."
        )
    return codes, factors


def mutual_information(codes: np.ndarray, factors: np.ndarray, bins: int) -> np.ndarray:
    """Mutual information in nats of each code, cut into `bins` of equal width, and each factor.

    Raises:
        ValueError: If there are fewer than 2 bins.
    """
    if bins < 2:
        raise ValueError(f"bins must be 2 or more, found {bins}.")
    low, high = codes.min(axis=0), codes.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    cut = np.minimum(((codes - low) / width * bins).astype(np.int64), bins - 1)
    return np.array([[mutual_info_score(v, z) for v in factors.T] for z in cut.T])


def top_gap(table: np.ndarray) -> np.ndarray:
    """The largest entry of each column less its second largest, `[columns]`."""
    second, first = np.sort(table, axis=0)[-2:]
    return first - second
