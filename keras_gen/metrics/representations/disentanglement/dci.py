"""Disentanglement, completeness and informativeness."""

from __future__ import annotations

import numpy as np
from scipy.stats import entropy
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.representations.disentanglement.codes_and_factors import (
    better_than_chance,
    check,
)


@checked_types
def dci_scores(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Scores codes by their importance for predicting factors: Eastwood and Williams (2018).

    A random forest predicts each factor from all codes, with 20 trees whose leaves have at least 1
    % of the rows, so that they do not fit noise. The trees' impurity gives the importance of each
    code. A code is disentangled if it is important to one factor, and a factor is complete if one
    code is important to it: 1 minus the entropy of the importances, divided by that of even ones.

    Deviation: the importances of a predictor that is no better than chance on held-out rows are
    noise, and count as 0. Otherwise a code that a tree used by chance would count as a complete
    factor.

    Args:
        codes: Finite numbers `[n, d]`.
        factors: Integers `[n, f]`, every factor with 2 values or more.
        seed: Seed of the trees, and of the three tenths of the rows that are held out.

    Returns:
        Numbers between 0 and 1:

        - "disentanglement": the mean over the codes, weighted by their importance (0 without any);
        - "completeness": the mean over the factors (0 for one without important codes);
        - "informativeness": the mean over the factors of the accuracy on held-out rows.

    Raises:
        ValueError: If no factor is predicted better than chance.

    Example: `dci_scores(factors, factors)["disentanglement"]` is 1 for independent factors.
    """
    seed = checked_seed(seed)
    codes, factors = check(codes, factors)
    train_codes, test_codes, train_factors, test_factors = train_test_split(
        codes, factors, test_size=0.3, random_state=seed
    )
    importances, scores, predicted = [], [], []
    for train, test in zip(train_factors.T, test_factors.T, strict=True):
        # Every split chooses among all codes, or a code would be used for want of a better one.
        forest = RandomForestClassifier(
            20, min_samples_leaf=0.01, max_features=None, random_state=seed
        ).fit(train_codes, train)
        importances.append(forest.feature_importances_)
        scores.append(forest.score(test_codes, test))
        predicted.append(forest.predict(test_codes))
    known = better_than_chance(np.stack(predicted, axis=1), test_factors)
    importance = np.stack(importances, axis=1) * known
    return {
        "disentanglement": disentanglement(importance),
        "completeness": completeness(importance),
        "informativeness": float(np.mean(scores)),
    }


def disentanglement(importance: np.ndarray) -> float:
    """Disentanglement from the importances `[d, f]` of codes to factors, none negative."""
    weights = importance.sum(axis=1)
    return (
        float(np.average(_concentration(importance), weights=weights)) if weights.any() else 0.0
    )


def completeness(importance: np.ndarray) -> float:
    """Completeness from the importances `[d, f]` of codes to factors, none negative."""
    return float(np.mean(_concentration(importance.T)))


def _concentration(rows: np.ndarray) -> np.ndarray:
    """Returns 1 minus the entropy of each row over that of an even row; 0 for a row of zeros."""
    rows = np.where(rows.any(axis=1, keepdims=True), rows, 1.0)
    return 1 - entropy(rows, axis=1) / np.log(rows.shape[1])
