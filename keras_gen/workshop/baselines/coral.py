"""Correlation alignment (CORAL; Sun, Feng, Saenko 2016)."""

import numpy as np
import scipy.linalg
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_feature_pair


@checked_types
def coral(features: np.ndarray, target: np.ndarray, covariance: bool = True) -> np.ndarray:
    """Returns source features with the target's mean and covariance, float64 `[n, d]`.

    Sun, Feng, Saenko: "Return of Frustratingly Easy Domain Adaptation", AAAI 2016, algorithm 1. In
    addition, the means are matched. As in the paper, 1 is added to every variance.

    Args:
        features: Features of the source, floats `[n, d]`.
        target: Features of the target, floats `[m, d]`.
        covariance: Whether to match the full covariance. If False, only the variance of each
            feature is matched.

    Raises:
        TypeError: If `covariance` is not a bool.
        ValueError: If either array has fewer than 2 rows, if the numbers of features differ, or if
            a value is not finite.

    Example: `coral(features, target_features)`.
    """
    features, target = as_feature_pair(features, target, ("features", "target"))
    centered = features - features.mean(axis=0)
    if covariance:
        source_matrix = np.cov(features, rowvar=False) + np.eye(features.shape[1])
        target_matrix = np.cov(target, rowvar=False) + np.eye(features.shape[1])
        whitened = centered @ scipy.linalg.inv(scipy.linalg.sqrtm(source_matrix).real)
        return whitened @ scipy.linalg.sqrtm(target_matrix).real + target.mean(axis=0)
    ratio = np.sqrt((target.var(axis=0) + 1) / (features.var(axis=0) + 1))
    return centered * ratio + target.mean(axis=0)


def coral_accuracy(
    features: np.ndarray,
    labels: np.ndarray,
    target: np.ndarray,
    test_features: np.ndarray,
    test_labels: np.ndarray,
    covariance: bool = True,
) -> float:
    """Returns the target accuracy, 0 to 1, of a linear classifier trained on aligned features.

    Args:
        features: Features of the source, floats `[n, d]`.
        labels: Labels of the source, integers `[n]`.
        target: Unlabeled features of the target, floats `[m, d]`.
        test_features: Test features of the target, `[k, d]`.
        test_labels: Labels of the test features, integers `[k]`.
        covariance: Whether to match the full covariance; see `coral`.

    Example: `coral_accuracy(features, labels, target_features, test_features, test_labels)`.
    """
    aligned = coral(features, target, covariance)
    scaler = StandardScaler().fit(aligned)
    linear = LogisticRegression(max_iter=300).fit(scaler.transform(aligned), labels)
    return float(linear.score(scaler.transform(test_features), test_labels))
