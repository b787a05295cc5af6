"""How well clusters agree with labels."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from keras_gen.arguments import checked_list, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_classes, as_features, as_labels, check_within


@checked_types
def matched_accuracy(
    known: tuple[np.ndarray, np.ndarray], clusters: np.ndarray, labels: np.ndarray
) -> float:
    """Accuracy of clusters as a classifier: each was matched with one label on other examples.

    The matching is one-to-one, and the one that is right most often on the known examples. Clusters
    without a label are always wrong.

    Args:
        known: Clusters and labels of the examples to match on, integers `[m]` each, from 0 on.
        clusters: Clusters of the examples to classify, integers `[n]` from 0 on.
        labels: Their labels, integers `[n]` from 0 on.

    Example:
        >>> matched_accuracy(([0, 0, 1], [5, 5, 7]), clusters=[0, 1], labels=[5, 5])
        0.5
    """
    if len(checked_list("known", known)) != 2:
        raise ValueError(f"known has {len(known)} parts: expected clusters and labels.")
    known_labels = as_classes(known[1], "known labels")
    known_clusters = as_classes(known[0], "known clusters", len(known_labels))
    labels = as_classes(labels, "labels")
    clusters = as_classes(clusters, "clusters", len(labels))
    counts = np.zeros([known_clusters.max() + 1, known_labels.max() + 1], int)
    np.add.at(counts, (known_clusters, known_labels), 1)
    matched = dict(zip(*linear_sum_assignment(counts, maximize=True), strict=True))
    found = np.array([matched.get(cluster, -1) for cluster in clusters])
    return float((found == labels).mean())


@checked_types
def kmeans_report(
    codes: np.ndarray, labels: np.ndarray, clusters: int | None = None, seed: int = 0
) -> dict[str, float]:
    """How well k-means clusters of the codes agree with labels.

    Args:
        codes: Finite numbers `[n, d]`, used as they are: a code of large scale counts for more.
        labels: Integers `[n]`.
        clusters: Number of clusters, 1 to n; by default that of the labels.
        seed: Seed of the ten starts; the tightest clusters are kept.

    Returns:
        Numbers between 0 and 1: "purity", the fraction of examples that have the most common label
        of their cluster, which rises with the number of clusters; and "nmi", the mutual information
        of clusters and labels divided by the mean of their entropies.

    Example: `kmeans_report(codes, labels)["nmi"]`.
    """
    codes = as_features(codes, "codes", rows=1)
    labels = as_labels(labels, "labels", len(codes))
    clusters = len(np.unique(labels)) if clusters is None else clusters
    check_within("clusters", clusters, len(codes))
    found = KMeans(clusters, n_init=10, random_state=checked_seed(seed)).fit_predict(codes)
    commonest = contingency_matrix(labels, found).max(axis=0)
    return {
        "purity": float(commonest.sum() / len(labels)),
        "nmi": float(normalized_mutual_info_score(labels, found)),
    }
