"""The separated attribute predictability score."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.tree import DecisionTreeClassifier

from keras_gen.metrics.representations.disentanglement.checks import check, refuse_noise
from keras_gen.metrics.representations.disentanglement.information import top_gap


def sap_score(codes: np.ndarray, factors: np.ndarray) -> float:
    """How much better the best code predicts a factor than the next: SAP of Kumar et al. (2018).

    The mean over the factors of the gap between the two best codes. A code predicts a factor by
    thresholds on it alone, at most one fewer than the factor has values, fitted greedily (a
    decision tree with balanced classes) and scored by balanced accuracy on the same rows. The paper
    scores continuous factors by the squared correlation instead; here all are categories.

    A code that knows nothing of k categories is right for 1 / k of them, so that a perfect
    representation has 1 - 1 / k there, not 1.

    Args:
        codes: Finite numbers `[n, d]`.
        factors: Integers `[n, f]`, every factor with 2 values or more.

    Returns:
        A number between 0 and 1.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If shapes differ, codes are not finite, a factor does not vary, or none is
            predicted from the codes better than chance.

    Example:
        >>> factors = Factors({"a": 4, "b": 5}).values(np.arange(200) % 20)
        >>> round(sap_score(factors, factors), 6)
        0.775
    """
    codes, factors = check(codes, factors)
    refuse_noise(codes, factors)
    table = [[_balanced_accuracy(code, factor) for factor in factors.T] for code in codes.T]
    return float(np.mean(top_gap(np.array(table))))


def _balanced_accuracy(code: np.ndarray, factor: np.ndarray) -> float:
    tree = DecisionTreeClassifier(
        max_leaf_nodes=len(np.unique(factor)), class_weight="balanced", random_state=0
    )
    column = code[:, None]
    return balanced_accuracy_score(factor, tree.fit(column, factor).predict(column))
