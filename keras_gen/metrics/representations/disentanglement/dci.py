"""Disentanglement, completeness and informativeness."""

from __future__ import annotations

import numpy as np
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import Lasso
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from keras_gen.metrics.representations.disentanglement.chance import better_than_chance
from keras_gen.metrics.representations.disentanglement.tables import check

_PREDICTORS = {
    # Every split chooses among all codes, lest a code be used for want of a better one.
    "forest": lambda seed: RandomForestClassifier(
        20, min_samples_leaf=0.01, max_features=None, random_state=seed
    ),
    "boosting": lambda seed: GradientBoostingClassifier(random_state=seed),
    "lasso": lambda seed: Lasso(alpha=0.02),
}


def dci_scores(
    codes: np.ndarray,
    factors: np.ndarray,
    predictor: str = "forest",
    test_fraction: float = 0.3,
    seed: int = 0,
) -> dict[str, float]:
    """Scores from what predictors of the factors make of the codes: Eastwood and Williams (2018).

    A predictor of each factor from all codes says how important each code was to it. A code is
    disentangled if it is important to one factor, a factor is completely caught if one code is
    important to it: 1 less the entropy of the importances, over that of even ones.

    Deviation: what is important to a predictor that is no better than chance on held-out rows is
    noise, and counts as 0. Otherwise a lasso that has taken up one code by chance would pass for a
    factor completely caught, and one for each of all factors for perfect codes.

    Args:
        codes: Finite numbers `[n, d]`.
        factors: Integers `[n, f]`, every factor with 2 values or more.
        predictor: "forest" (20 random trees with leaves of at least 1 % of the rows, lest they fit
            noise) or "boosting" (gradient boosted trees, as in Locatello et al. 2019; minutes
            where factors have dozens of values), both with the trees' impurity importances; or
            "lasso" (linear, penalty 0.02 on standardized codes and factors, whose absolute
            coefficients are the importances), which takes the values of factors for ordered.
        test_fraction: Fraction of the rows, chosen at random, held out for the informativeness.
        seed: Seed of that choice and of the trees.

    Returns:
        A dict of floats:

        - "disentanglement": between 0 and 1, the mean over the codes, weighted by their importance
          (0 if none has any);
        - "completeness": between 0 and 1, the mean over the factors (0 for one without important
          codes);
        - "informativeness": the mean over the factors of the accuracy on held-out rows, or for
          "lasso" of the coefficient of determination, which is 1 at best, 0 for the mean.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If shapes differ, codes are not finite, a factor does not vary (among the rows
            to train on, for boosting), none is predicted better than chance, the predictor is
            another, or `test_fraction` is not between 0 and 1.

    Example:
        >>> factors = Factors({"a": 4, "b": 5}).sample(200, np.random.default_rng(0))
        >>> dci_scores(factors, factors)["disentanglement"]
        1.0
    """
    codes, factors = check(codes, factors)
    if predictor not in _PREDICTORS:
        raise ValueError(f"predictor must be one of {list(_PREDICTORS)}, found {predictor!r}.")
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction must be between 0 and 1, found {test_fraction}.")
    linear = predictor == "lasso"
    if linear:
        codes = StandardScaler().fit_transform(codes)
        factors = StandardScaler().fit_transform(factors)
    train_codes, test_codes, train_factors, test_factors = train_test_split(
        codes, factors, test_size=test_fraction, random_state=seed
    )
    importances, scores, predicted = [], [], []
    for train, test in zip(train_factors.T, test_factors.T, strict=True):
        model = _PREDICTORS[predictor](seed).fit(train_codes, train)
        importances.append(np.abs(model.coef_) if linear else model.feature_importances_)
        scores.append(model.score(test_codes, test))
        predicted.append(model.predict(test_codes))
    agreement = _explained if linear else np.equal
    known = better_than_chance(np.stack(predicted, axis=1), test_factors, agreement)
    importance = np.stack(importances, axis=1) * known
    return {
        "disentanglement": disentanglement(importance),
        "completeness": completeness(importance),
        "informativeness": float(np.mean(scores)),
    }


def _explained(predicted: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """What of the variance of standardized factors is explained, for each row."""
    return 1 - (predicted - factors) ** 2


def disentanglement(importance: np.ndarray) -> float:
    """Disentanglement from the importances `[d, f]` of codes to factors, none negative."""
    weights = importance.sum(axis=1)
    return float(np.average(_concentration(importance), weights=weights)) if weights.any() else 0.0


def completeness(importance: np.ndarray) -> float:
    """Completeness from the importances `[d, f]` of codes to factors, none negative."""
    return float(np.mean(_concentration(importance.T)))


def _concentration(rows: np.ndarray) -> np.ndarray:
    """For each row, 1 less its entropy over that of an even row; 0 for a row of zeros."""
    rows = np.where(rows.any(axis=1, keepdims=True), rows, 1.0)
    return 1 - entropy(rows, axis=1) / np.log(rows.shape[1])
