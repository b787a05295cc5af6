"""The separated attribute predictability score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.tree import DecisionTreeClassifier

from keras_gen.metrics.representations.disentanglement.chance import refuse_noise
from keras_gen.metrics.representations.disentanglement.tables import check, top_gap


def sap_score(codes: np.ndarray, factors: np.ndarray, continuous: Sequence[int] = ()) -> float:
    """How much better the best code predicts a factor than the next: SAP of Kumar et al. (2018).

    The mean over the factors of the gap between the two best codes. A code predicts a categorical
    factor by thresholds on it alone, at most one fewer than the factor has values, fitted greedily
    (a decision tree with balanced classes) and scored by balanced accuracy on the same rows; it
    predicts a continuous factor, in order of its values, by the squared correlation.

    A code that tells nothing of k categories is right for 1 / k of them, so that a perfect
    representation has 1 - 1 / k there, not 1.

    Args:
        codes: Finite numbers `[n, d]`.
        factors: Integers `[n, f]`, every factor with 2 values or more.
        continuous: Numbers of the factors to take for continuous.

    Returns:
        A number between 0 and 1.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If shapes differ, codes are not finite, a factor does not vary, none is
            predicted from the codes better than chance, or a number in `continuous` is none of a
            factor.

    Example:
        >>> factors = Factors({"a": 4, "b": 5}).values(np.arange(200) % 20)
        >>> round(sap_score(factors, factors), 6), round(sap_score(factors, factors, [0, 1]), 6)
        (0.775, 1.0)
    """
    codes, factors = check(codes, factors)
    count = factors.shape[1]
    if unknown := set(continuous) - set(range(count)):
        raise ValueError(
            f"continuous must name factors by numbers 0 to {count - 1}, found {sorted(unknown)}."
        )
    refuse_noise(codes, factors)
    predict = [_squared_correlation if j in continuous else _thresholds for j in range(count)]
    table = [[predict[j](code, factors[:, j]) for j in range(count)] for code in codes.T]
    return float(np.mean(top_gap(np.array(table))))


def _squared_correlation(code: np.ndarray, factor: np.ndarray) -> float:
    return np.corrcoef(code, factor)[0, 1] ** 2 if np.ptp(code) > 0 else 0.0


def _thresholds(code: np.ndarray, factor: np.ndarray) -> float:
    tree = DecisionTreeClassifier(
        max_leaf_nodes=len(np.unique(factor)), class_weight="balanced", random_state=0
    )
    column = code[:, None]
    return balanced_accuracy_score(factor, tree.fit(column, factor).predict(column))
