"""Scores of a classifier whose distributions are made alike for each value of an attribute."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict

from keras_gen.arguments import checked_seed

_FOLDS = 5
_QUANTILES = np.linspace(0, 1, 1001)


class RepairedScores:
    """Log-odds of a label by boosted trees, which tell less of an attribute than the trees would.

    Feldman, Friedler, Moeller, Scheidegger, Venkatasubramanian: "Certifying and Removing Disparate
    Impact", KDD 2015, sec. 5: a score is moved towards the one that has its quantile in a
    distribution between those of all values, as far as `part` says. Here the quantiles of that
    distribution are the means of theirs, by the numbers of examples. Quantiles are those of scores
    of examples that the trees did not learn from. The attribute is needed in use too.

    Args:
        part: 0 leaves scores as they are, and 1 makes their distributions the same.
        seed: Seed of the trees.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> attributes = rng.integers(0, 2, 300)
        >>> vectors = rng.normal(size=(300, 2)) + attributes[:, None]
        >>> labels = (vectors[:, 0] > 0).astype(int)
        >>> RepairedScores(part=1.0).fit(vectors, labels, attributes)(vectors, attributes).shape
        (300,)
    """

    def __init__(self, part: float = 1.0, seed: int = 0):
        if not 0 <= part <= 1:
            raise ValueError(f"part must be 0 to 1, found {part}.")
        self.part = part
        self.trees = HistGradientBoostingClassifier(random_state=checked_seed(seed))
        self._quantiles: dict[int, np.ndarray] = {}
        self._between = np.zeros(0)

    def fit(
        self, vectors: np.ndarray, labels: np.ndarray, attributes: np.ndarray
    ) -> RepairedScores:
        """Grows the trees, finds the quantiles of their scores, and returns itself.

        Args:
            vectors: Floats `[n, d]`.
            labels: Integers `[n]`, 0 or 1.
            attributes: Integers `[n]`.
        """
        scores = cross_val_predict(
            self.trees, vectors, labels, cv=_FOLDS, method="decision_function"
        )
        self.trees.fit(vectors, labels)
        values, counts = np.unique(attributes, return_counts=True)
        self._quantiles = {
            int(value): np.quantile(scores[attributes == value], _QUANTILES) for value in values
        }
        self._between = np.average(list(self._quantiles.values()), axis=0, weights=counts)
        return self

    def __call__(self, vectors: np.ndarray, attributes: np.ndarray) -> np.ndarray:
        """Returns repaired log-odds, float64 `[n]`; above 0 the label 1 is decided."""
        if not self._quantiles:
            raise ValueError("These scores are not fitted: call fit first.")
        scores = self.trees.decision_function(vectors)
        repaired = scores.copy()
        for value, quantiles in self._quantiles.items():
            chosen = np.asarray(attributes) == value
            place = np.interp(scores[chosen], quantiles, _QUANTILES)
            repaired[chosen] = np.interp(place, _QUANTILES, self._between)
        return (1 - self.part) * scores + self.part * repaired
