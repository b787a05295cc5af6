"""Features and scores from which information about an attribute is removed."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict

from keras_gen.arguments import checked_number, checked_seed
from keras_gen.metrics.metric_arguments import as_features, as_labels

SMALLEST = 1e-8  # minimum nonzero variance, as a fraction of the largest variance
_FOLDS = 5
_QUANTILES = np.linspace(0, 1, 1001)


class LinearErasure:
    """Removes only the information from which an attribute can be linearly predicted.

    Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff, Biderman: "LEACE: Perfect Linear Concept
    Erasure in Closed Form", NeurIPS 2023, sec. 4. The result is x - W+ P W (x - mean), where W
    whitens the vectors, and P projects onto the covariance between the whitened vectors and the
    attribute. On the fitted vectors, linear predictors of the attribute are then no better than a
    constant, but nonlinear predictors may be better.

    Args:
        vectors: Vectors, floats `[n, d]`.
        attributes: Attributes, integers `[n]`, with at least two values.

    Raises:
        TypeError: If the attributes are not integers.
        ValueError: If there are fewer than two vectors, if a number is not finite, or if the
            numbers of vectors and attributes differ.

    Example:
        >>> erasure = LinearErasure(np.array([[0.0, 1.0], [1.0, 2.0]]), np.array([0, 1]))
        >>> erasure(np.array([[0.0, 1.0]]))
        array([[0.5, 1.5]])
    """

    def __init__(self, vectors: np.ndarray, attributes: np.ndarray):
        vectors = as_features(vectors, "vectors")
        attributes = as_labels(attributes, "attributes", len(vectors))
        self.mean = vectors.mean(axis=0)
        centered = vectors - self.mean
        values = np.unique(attributes)
        indicators = (attributes[:, None] == values).astype(np.float64)
        indicators -= indicators.mean(axis=0)
        variances, directions = np.linalg.eigh(centered.T @ centered / len(vectors))
        kept = variances > SMALLEST * variances.max()
        directions = directions[:, kept]
        scales = np.sqrt(variances[kept])
        whiten = directions / scales @ directions.T
        unwhiten = directions * scales @ directions.T
        covariance = whiten @ (centered.T @ indicators / len(vectors))
        # One column of `covariance` is redundant, because the other columns determine it.
        basis, strengths, _ = np.linalg.svd(covariance, full_matrices=False)
        basis = basis[:, strengths > SMALLEST * strengths.max()]
        self.erased = whiten @ basis @ (basis.T @ unwhiten)
        # Constant columns are kept constant, because probes that standardize would amplify rounding
        # errors.
        self.erased[:, np.ptp(vectors, axis=0) == 0] = 0.0

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Returns the vectors without the linearly predictable information, float64 `[n, d]`."""
        vectors = np.asarray(vectors, np.float64)
        return vectors - (vectors - self.mean) @ self.erased


def reweighing(labels: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """Returns example weights, float64 `[n]`, that make labels independent of attributes.

    Kamiran, Calders: "Data Preprocessing Techniques for Classification without Discrimination",
    Knowledge and Information Systems 2012. The weight of an example is P(attribute) P(label) /
    P(attribute, label).

    Args:
        labels: Labels, integers `[n]`.
        attributes: Attributes, integers `[n]`.

    Raises:
        TypeError: If labels or attributes are not integers.
        ValueError: If the numbers of labels and attributes differ, or if any labels or attributes
            are masked.

    Example:
        >>> reweighing(np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0]))
        array([0.75, 0.75, 1.5 , 0.5 ])
    """
    labels = as_labels(labels, "labels")
    attributes = as_labels(attributes, "attributes", len(labels))
    weights = np.zeros(len(labels))
    for label in np.unique(labels):
        for value in np.unique(attributes):
            both = (labels == label) & (attributes == value)
            if both.any():
                expected = np.mean(labels == label) * np.mean(attributes == value)
                weights[both] = expected / both.mean()
    return weights


class RepairedScores:
    """Log-odds that boosted trees predict, repaired to reveal less about an attribute.

    Feldman, Friedler, Moeller, Scheidegger, Venkatasubramanian: "Certifying and Removing Disparate
    Impact", KDD 2015, sec. 5. The scores are the log-odds of a label. Each score is moved by the
    fraction `part` toward the score at the same quantile of an intermediate distribution. A
    quantile of the intermediate distribution is the mean of this quantile over the attribute
    values, weighted by their numbers of examples. Quantiles are computed from the scores of
    examples that the trees were not trained on. The attribute is also required at prediction time.

    Args:
        part: Strength of the repair: 0 leaves scores unchanged, and 1 makes the distributions of
            scores equal for all attribute values.
        seed: Seed for the trees.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> attributes = rng.integers(0, 2, 300)
        >>> vectors = rng.normal(size=(300, 2)) + attributes[:, None]
        >>> labels = (vectors[:, 0] > 0).astype(int)
        >>> RepairedScores(part=1.0).fit(vectors, labels, attributes)(vectors, attributes).shape
        (300,)
    """

    def __init__(self, part: float = 1.0, seed: int = 0):
        self.part = checked_number("part", part, minimum=0, maximum=1)
        self.trees = HistGradientBoostingClassifier(random_state=checked_seed(seed))
        self._quantiles: dict[int, np.ndarray] = {}
        self._between = np.zeros(0)

    def fit(
        self, vectors: np.ndarray, labels: np.ndarray, attributes: np.ndarray
    ) -> RepairedScores:
        """Fits the trees, computes the quantiles of their scores, and returns `self`.

        Args:
            vectors: Vectors, floats `[n, d]`.
            labels: Labels, integers `[n]`, 0 or 1.
            attributes: Attributes, integers `[n]`.
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
        """Returns repaired log-odds, float64 `[n]`; values above 0 predict label 1."""
        if not self._quantiles:
            raise ValueError("These scores are not fitted: call fit first.")
        scores = self.trees.decision_function(vectors)
        repaired = scores.copy()
        for value, quantiles in self._quantiles.items():
            chosen = np.asarray(attributes) == value
            place = np.interp(scores[chosen], quantiles, _QUANTILES)
            repaired[chosen] = np.interp(place, _QUANTILES, self._between)
        return (1 - self.part) * scores + self.part * repaired
