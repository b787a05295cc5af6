"""Metrics of how well the clusters and the neighbors of codes agree with labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.preprocessing import normalize

from keras_gen.arguments import checked_list, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import (
    as_classes,
    as_features,
    as_labeled_pair,
    as_labels,
    check_within,
)


@checked_types
def matched_accuracy(
    known: tuple[np.ndarray, np.ndarray], clusters: np.ndarray, labels: np.ndarray
) -> float:
    """Returns the accuracy of clusters, with each cluster matched to one label.

    The matching is one-to-one, and maximizes the accuracy on the known examples. Examples in
    clusters without a label count as wrong.

    Args:
        known: Clusters and labels of the examples used for matching, both nonnegative integers
            `[m]`.
        clusters: Clusters of the examples to classify, nonnegative integers `[n]`.
        labels: Labels of the examples to classify, nonnegative integers `[n]`.

    Example:
        >>> matched_accuracy(([0, 0, 1], [5, 5, 7]), clusters=[0, 1], labels=[5, 5])
        0.5
    """
    if len(checked_list("known", known)) != 2:
        raise ValueError(f"known has {len(known)} parts: expected a pair, (clusters, labels).")
    known_labels = as_classes(known[1], "known labels")
    known_clusters = as_classes(known[0], "known clusters", len(known_labels))
    labels = as_classes(labels, "labels")
    clusters = as_classes(clusters, "clusters", len(labels))
    # The table has rows and columns only for IDs that occur, because IDs may be large numbers.
    counts = contingency_matrix(known_clusters, known_labels)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    matched = dict(
        zip(np.unique(known_clusters)[rows], np.unique(known_labels)[columns], strict=True)
    )
    found = np.array([matched.get(cluster, -1) for cluster in clusters])
    return float((found == labels).mean())


@checked_types
def kmeans_report(
    codes: np.ndarray, labels: np.ndarray, clusters: int | None = None, seed: int = 0
) -> dict[str, float]:
    """Measures how well k-means clusters of the codes agree with labels.

    Args:
        codes: Codes, finite numbers `[n, d]`. The codes are not rescaled, so a code with a large
            scale counts more.
        labels: Labels, integers `[n]`.
        clusters: Number of clusters, 1 to n. If None, the number of distinct labels is used.
        seed: Seed for the ten initializations. The run with the tightest clusters is used.

    Returns:
        A dict of numbers between 0 and 1: "purity", the fraction of examples that have their
        cluster's most common label (this fraction increases with the number of clusters); and
        "nmi", the mutual information of clusters and labels divided by the mean of their entropies.

    Example: `kmeans_report(codes, labels)["nmi"]`.
    """
    codes = as_features(codes, "codes", rows=1)
    labels = as_labels(labels, "labels", len(codes))
    clusters = len(np.unique(labels)) if clusters is None else clusters
    check_within("clusters", clusters, len(codes))
    found = KMeans(clusters, n_init=10, random_state=seed).fit_predict(codes)
    commonest = contingency_matrix(labels, found).max(axis=0)
    return {
        "purity": float(commonest.sum() / len(labels)),
        "nmi": float(normalized_mutual_info_score(labels, found)),
    }


@checked_types
def retrieval_curve(
    query_codes: np.ndarray,
    query_labels: np.ndarray,
    gallery_codes: np.ndarray,
    gallery_labels: np.ndarray,
    recalls: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    seed: int = 0,
    leave_one_out: bool = False,
) -> np.ndarray:
    """Returns the precision at each recall, float64 `[len(recalls)]`, by cosine similarity.

    The gallery is ranked for each query. The precision at recall r is the precision of the shortest
    list that contains at least the fraction r of the gallery examples with the query's label,
    averaged over the queries. There is no interpolation.

    Args:
        query_codes: Codes of the queries, finite numbers `[m, d]`. A row of zeros is equally
            similar to everything.
        query_labels: Labels of the queries, integers `[m]`, all of which occur in the gallery.
        gallery_codes: Codes of the gallery, finite numbers `[n, d]`.
        gallery_labels: Labels of the gallery, integers `[n]`.
        recalls: Recalls at which the precision is measured, above 0 and at most 1.
        seed: Seed for the order of equally similar examples.
        leave_one_out: Whether the queries are the gallery examples in the same order. If True,
            gallery example i is excluded from the results of query i.

    Example: `retrieval_curve(test_codes, test_labels, train_codes, train_labels)`.
    """
    gallery, gallery_y, queries, query_y = as_labeled_pair(
        gallery_codes, gallery_labels, query_codes, query_labels, ("gallery", "query")
    )
    fractions = np.asarray(recalls, np.float64)
    if fractions.ndim != 1 or not ((fractions > 0) & (fractions <= 1)).all():
        raise ValueError(
            f"recalls is {recalls}: expected a list of numbers above 0 and at most 1."
        )
    if leave_one_out and not np.array_equal(query_y, gallery_y):
        raise ValueError(
            "leave_one_out is True, but the labels of queries and gallery differ: pass the "
            "gallery's examples as the queries, in the same order."
        )
    found, numbers = np.unique(gallery_y, return_counts=True)
    if len(missing := np.setdiff1d(query_y, found[numbers > leave_one_out])):
        other = "other " if leave_one_out else ""
        raise ValueError(
            f"No {other}gallery example has the query label {missing[0]}: leave out queries with "
            "this label."
        )
    curves = []
    for part in _hits(queries, query_y, gallery, gallery_y, seed, leave_one_out):
        for row in part:
            ranks = np.flatnonzero(row) + 1
            # Subtracting 1e-9 removes the rounding error of a product such as 0.7 * 10.
            wanted = np.maximum(np.ceil(fractions * len(ranks) - 1e-9).astype(int), 1)
            curves.append(wanted / ranks[wanted - 1])
    return np.mean(curves, axis=0)


def _hits(
    queries, query_y, gallery, gallery_y, seed, leave_one_out=False
) -> Iterator[np.ndarray]:
    """Yields bool `[queries, n or n - 1]`: whether ranked examples have the query's label."""
    order = np.random.default_rng(checked_seed(seed)).permutation(len(gallery))
    queries = normalize(queries)
    gallery = normalize(gallery[order])
    gallery_y = gallery_y[order]
    for start in range(0, len(queries), 256):
        part = slice(start, start + 256)
        ranked = np.argsort(-(queries[part] @ gallery.T), axis=1, kind="stable")
        hits = gallery_y[ranked] == query_y[part, None]
        if leave_one_out:
            own = order[ranked] == np.arange(len(queries))[part, None]
            hits = hits[~own].reshape(len(hits), -1)
        yield hits
