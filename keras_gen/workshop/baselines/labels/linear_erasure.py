"""Cheap methods against what data tell of an attribute: erasure and reweighing."""

from __future__ import annotations

import numpy as np

from keras_gen.metrics.metric_arguments import as_labels

SMALLEST = 1e-8  # of a variance, as a fraction of the largest one, that is not taken for 0


class LinearErasure:
    """Removes from vectors what a linear predictor could tell of an attribute, and no more.

    Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff, Biderman: "LEACE: Perfect Linear Concept
    Erasure in Closed Form", NeurIPS 2023, sec. 4: x - W+ P W (x - mean), where W whitens the
    vectors and P projects on the covariance of whitened vectors and attribute. Afterwards no linear
    predictor is better than a constant on the vectors it was fitted to; others may be.

    Args:
        vectors: Floats `[n, d]`.
        attributes: Integers `[n]`, of two values or more.

    Example:
        >>> erasure = LinearErasure(np.array([[0.0, 1.0], [1.0, 2.0]]), np.array([0, 1]))
        >>> erasure(np.array([[0.0, 1.0]]))
        array([[0.5, 1.5]])
    """

    def __init__(self, vectors: np.ndarray, attributes: np.ndarray):
        vectors = np.asarray(vectors, np.float64)
        self.mean = vectors.mean(axis=0)
        centered = vectors - self.mean
        values = np.unique(attributes)
        indicators = (np.asarray(attributes)[:, None] == values).astype(np.float64)
        indicators -= indicators.mean(axis=0)
        variances, directions = np.linalg.eigh(centered.T @ centered / len(vectors))
        kept = variances > SMALLEST * variances.max()
        directions = directions[:, kept]
        scales = np.sqrt(variances[kept])
        whiten = directions / scales @ directions.T
        unwhiten = directions * scales @ directions.T
        covariance = whiten @ (centered.T @ indicators / len(vectors))
        # The column of one value is what the others lack.
        basis, strengths, _ = np.linalg.svd(covariance, full_matrices=False)
        basis = basis[:, strengths > SMALLEST * strengths.max()]
        self.erased = whiten @ basis @ (basis.T @ unwhiten)
        # A constant column stays one: probes that standardize would enlarge its rounding errors.
        self.erased[:, np.ptp(vectors, axis=0) == 0] = 0.0

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Returns the vectors without what a linear predictor could tell, float64 `[n, d]`."""
        vectors = np.asarray(vectors, np.float64)
        return vectors - (vectors - self.mean) @ self.erased


def reweighing(labels: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """Weights of examples under which label and attribute are independent, float64 `[n]`.

    Kamiran, Calders: "Data Preprocessing Techniques for Classification without Discrimination",
    Knowledge and Information Systems 2012: P(attribute) P(label) / P(attribute, label).

    Args:
        labels: Integers `[n]`.
        attributes: Integers `[n]`.

    Raises:
        TypeError: If they are not integers.
        ValueError: If their numbers differ, or some are masked.

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
