"""The separated attribute predictability score."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.tree import DecisionTreeClassifier

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.representations.disentanglement.codes_and_factors import (
    check,
    refuse_noise,
)
from keras_gen.metrics.representations.disentanglement.information_gap import top_gap


@checked_types
def sap_score(codes: np.ndarray, factors: np.ndarray) -> float:
    """Accuracy gap between the best two codes of each factor: SAP of Kumar et al. (2018).

    A code predicts a factor by thresholds on it alone, at most one fewer than the factor has
    values, fitted greedily (a decision tree with balanced classes) and scored by balanced accuracy
    on the same rows. The score is the mean of the gap over the factors. A useless code is right for
    1 / k of a factor with k values, so a perfect representation has 1 - 1 / k there, not 1.

    Deviation: the paper scores continuous factors by the squared correlation; here all are
    categories.

    Args:
        codes: Finite numbers `[n, d]`.
        factors: Integers `[n, f]`, every factor with 2 values or more.

    Raises:
        ValueError: If no factor is predicted from the codes better than chance.

    Example: `sap_score(factors, factors)` is 0.775 for independent factors of 4 and 5 values.
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
