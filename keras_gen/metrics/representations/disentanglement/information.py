"""Scores from the mutual information of codes and factors."""

from __future__ import annotations

import numpy as np
from scipy.stats import entropy

from keras_gen.metrics.representations.disentanglement.chance import refuse_noise
from keras_gen.metrics.representations.disentanglement.tables import (
    check,
    mutual_information,
    top_gap,
)


def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """How much more the best code knows of a factor than the next: MIG of Chen et al. (2018).

    Equation 6: the mean over the factors of the gap between the two codes with the highest mutual
    information, over the factor's entropy. Chen et al. integrate the encoder's distribution; here
    each code is cut into bins of equal width, as Locatello et al. (2019) do. So a factor with more
    values than bins cannot reach 1, and with few rows for the bins and values every mutual
    information is too large: take thousands of rows.

    Two codes that share a factor's information equally make its gap 0, copies included.

    Args:
        codes: Finite numbers `[n, d]`, such as the means of an encoder.
        factors: Integers `[n, f]`, every factor with 2 values or more.
        bins: Bins of each code, between its least and its largest value.

    Returns:
        A number between 0 and 1, 1 if for each factor one code tells all and no other anything.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If shapes differ, codes are not finite, a factor does not vary, or none is
            predicted from the codes better than chance.

    Example:
        >>> factors = Factors({"a": 4, "b": 5}).values(np.arange(200) % 20)
        >>> round(mutual_information_gap(factors, factors), 6)
        1.0
    """
    codes, factors = check(codes, factors)
    refuse_noise(codes, factors)
    entropies = [entropy(np.unique(v, return_counts=True)[1]) for v in factors.T]
    return float(np.mean(top_gap(mutual_information(codes, factors, bins)) / entropies))


def modularity_score(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """Whether each code tells of one factor at most: modularity of Ridgeway and Mozer (2018).

    For each code, 1 less the squared mutual informations with all but its best factor, over
    (f - 1) times the square of the best (their equation 2); then the mean. Codes without any
    mutual information have no best factor and are left out. It does not ask how much a code tells:
    one of noise beside others has a value too, well below 1 but not 0.

    Args:
        codes: Finite numbers `[n, d]`.
        factors: Integers `[n, f]`, every factor with 2 values or more.
        bins: Bins of each code, between its least and its largest value.

    Returns:
        A number between 0 and 1; 0 if no code tells anything by itself.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If shapes differ, codes are not finite, a factor does not vary, or none is
            predicted from the codes better than chance.

    Example:
        >>> factors = Factors({"a": 4, "b": 5}).values(np.arange(200) % 20)
        >>> round(modularity_score(factors, factors), 6)
        1.0
    """
    codes, factors = check(codes, factors)
    refuse_noise(codes, factors)
    information = mutual_information(codes, factors, bins)
    squares = information[information.max(axis=1) > 1e-9] ** 2  # above rounding
    if not len(squares):
        return 0.0
    best = squares.max(axis=1)
    return float(np.mean(1 - (squares.sum(axis=1) - best) / (best * (factors.shape[1] - 1))))
