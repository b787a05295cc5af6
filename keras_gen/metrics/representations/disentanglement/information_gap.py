"""The mutual information gap of codes and factors."""

from __future__ import annotations

import numpy as np
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.representations.disentanglement.codes_and_factors import (
    check,
    refuse_noise,
)


@checked_types
def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """Mutual information gap between the best two codes of each factor: MIG of Chen et al. (2018).

    Equation 6: the mean over the factors of the gap between the two highest mutual informations
    with a code, divided by the factor's entropy. It is 1 if one code alone determines each factor,
    and 0 if two codes share its information equally, as copies do.

    Deviation: Chen et al. integrate the encoder's distribution; here each code is cut into bins of
    equal width, as by Locatello et al. (2019). So a factor with more values than bins cannot reach
    1, and with few rows every mutual information is too large: take thousands of rows.

    Args:
        codes: Finite numbers `[n, d]`, such as the means of an encoder.
        factors: Integers `[n, f]`, every factor with 2 values or more.
        bins: Bins of each code, 2 or more, between its least and its largest value.

    Raises:
        ValueError: If no factor is predicted from the codes better than chance.

    Example: `mutual_information_gap(factors, factors)` is 1 for independent factors.
    """
    codes, factors = check(codes, factors)
    refuse_noise(codes, factors)
    entropies = [entropy(np.unique(v, return_counts=True)[1]) for v in factors.T]
    return float(np.mean(top_gap(mutual_information(codes, factors, bins)) / entropies))


def mutual_information(codes: np.ndarray, factors: np.ndarray, bins: int) -> np.ndarray:
    """Mutual information in nats of each code, cut into `bins` of equal width, and each factor."""
    low = codes.min(axis=0)
    high = codes.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    cut = np.minimum(((codes - low) / width * bins).astype(np.int64), bins - 1)
    return np.array([[mutual_info_score(v, z) for v in factors.T] for z in cut.T])


def top_gap(table: np.ndarray) -> np.ndarray:
    """The largest entry of each column minus its second largest, `[columns]`."""
    second, first = np.sort(table, axis=0)[-2:]
    return first - second
