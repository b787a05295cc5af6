"""What codes are good for: probes, neighbors, clusters, retrieval, detection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler, normalize

from keras_gen.data.labeled import even_order
from keras_gen.metrics.checks import as_feature_pair, as_features


def linear_probe(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    counts: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[int, float]:
    """Accuracy of logistic regression on the codes, trained with some numbers of labels.

    The codes are standardized by all of `train_codes`, of which no label is needed. The labeled
    examples are drawn as evenly over the classes as they allow, and a larger draw contains the
    smaller ones. A linear probe sees only what is linearly readable: classes arranged like an
    exclusive or stay at chance.

    Args:
        train_codes: finite numbers `[n, d]`.
        train_labels: integers `[n]`.
        test_codes: finite numbers `[m, d]`.
        test_labels: integers `[m]`.
        counts: numbers of labeled examples in all, each from the number of classes up to n; None
            for n.
        seed: of the draw.

    Returns:
        For each of `counts`, the fraction of right answers among the test examples.

    Raises:
        TypeError: labels are not integers.
        ValueError: other shapes, numbers that are not finite, fewer than two classes, or a count
            out of range.

    Example:
        >>> accuracy = linear_probe(codes, labels, test_codes, test_labels, counts=[100, 1000])
    """
    x, y, test_x, test_y = _pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    classes = len(np.unique(y))
    counts = [len(x)] if counts is None else list(counts)
    if classes < 2 or not all(classes <= count <= len(x) for count in counts):
        raise ValueError(
            f"A linear probe needs two classes or more, and counts between their number and that "
            f"of the examples: found {classes} classes, {len(x)} examples, counts {counts}."
        )
    order = even_order(y, seed)
    scaler = StandardScaler().fit(x)
    x, test_x = scaler.transform(x), scaler.transform(test_x)
    return {
        count: float(
            LogisticRegression(max_iter=1000)
            .fit(x[order[:count]], y[order[:count]])
            .score(test_x, test_y)
        )
        for count in counts
    }


def knn_accuracy(
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    neighbors: int = 5,
    metric: str = "euclidean",
) -> float:
    """Fraction of test examples that most of their nearest training examples label rightly.

    Args:
        train_codes: finite numbers `[n, d]`.
        train_labels: integers `[n]`.
        test_codes: finite numbers `[m, d]`.
        test_labels: integers `[m]`.
        neighbors: how many vote, 1 to n; of labels with as many votes the lowest wins.
        metric: "euclidean", "cosine", or another that scikit-learn knows.

    Returns:
        A number between 0 and 1.

    Raises:
        TypeError: labels are not integers.
        ValueError: other shapes, numbers that are not finite, or `neighbors` out of range.

    Example:
        >>> knn_accuracy(codes, labels, test_codes, test_labels, neighbors=1)
    """
    x, y, test_x, test_y = _pair(
        train_codes, train_labels, test_codes, test_labels, ("train", "test")
    )
    _within("neighbors", neighbors, len(x))
    return float(KNeighborsClassifier(neighbors, metric=metric).fit(x, y).score(test_x, test_y))


def cluster_purity(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of examples that have the commonest label of their cluster.

    It rises with the number of clusters, to 1 where each example is one of its own: compare at one
    number, or look at the normalized mutual information too.

    Args:
        clusters: integers `[n]`, such as the likeliest component of a mixture.
        labels: integers `[n]`.

    Returns:
        A number above 0, at most 1.

    Raises:
        TypeError: clusters or labels are not integers.
        ValueError: they are not `[n]` of one n.

    Example:
        >>> cluster_purity([0, 0, 0, 1], [5, 5, 7, 7])
        0.75
    """
    labels = _labels(labels, "labels")
    clusters = _labels(clusters, "clusters", len(labels))
    return float(contingency_matrix(labels, clusters).max(axis=0).sum() / len(labels))


def kmeans_report(
    codes: np.ndarray, labels: np.ndarray, clusters: int | None = None, seed: int = 0
) -> dict[str, float]:
    """How well k-means clusters of the codes agree with labels that they never saw.

    Args:
        codes: finite numbers `[n, d]`, taken as they are: a code of large scale counts for more.
        labels: integers `[n]`.
        clusters: how many, 1 to n; None for the number of labels.
        seed: of the ten starts, of which the tightest clusters are kept.

    Returns:
        A dict of floats between 0 and 1: "purity", see `cluster_purity`, and "nmi", the mutual
        information of clusters and labels over the mean of their entropies.

    Raises:
        TypeError: labels are not integers.
        ValueError: other shapes, numbers that are not finite, or `clusters` out of range.

    Example:
        >>> kmeans_report(codes, labels)["nmi"]
    """
    codes = as_features(codes, "codes", rows=1)
    labels = _labels(labels, "labels", len(codes))
    clusters = len(np.unique(labels)) if clusters is None else clusters
    _within("clusters", clusters, len(codes))
    found = KMeans(clusters, n_init=10, random_state=seed).fit_predict(codes)
    return {
        "purity": cluster_purity(found, labels),
        "nmi": float(normalized_mutual_info_score(labels, found)),
    }


def retrieval_precision(
    query_codes: np.ndarray,
    query_labels: np.ndarray,
    gallery_codes: np.ndarray,
    gallery_labels: np.ndarray,
    k: int = 10,
    seed: int = 0,
) -> float:
    """Mean fraction of a query's label among the `k` gallery examples of highest cosine similarity.

    Args:
        query_codes: finite numbers `[m, d]`; a row of zeros is equally similar to everything.
        query_labels: integers `[m]`.
        gallery_codes: finite numbers `[n, d]`.
        gallery_labels: integers `[n]`.
        k: 1 to n.
        seed: of the order among equally similar examples, so that collapsed codes come to chance.

    Returns:
        A number between 0 and 1.

    Raises:
        TypeError: labels are not integers.
        ValueError: other shapes, numbers that are not finite, or `k` out of range.

    Example:
        >>> retrieval_precision(test_codes, test_labels, train_codes, train_labels, k=10)
    """
    gallery, gallery_y, queries, query_y = _pair(
        gallery_codes, gallery_labels, query_codes, query_labels, ("gallery", "query")
    )
    _within("k", k, len(gallery))
    hits = _hits(queries, query_y, gallery, gallery_y, seed)
    return float(np.concatenate([part[:, :k].mean(axis=1) for part in hits]).mean())


def retrieval_curve(
    query_codes: np.ndarray,
    query_labels: np.ndarray,
    gallery_codes: np.ndarray,
    gallery_labels: np.ndarray,
    recalls: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    seed: int = 0,
    leave_one_out: bool = False,
) -> np.ndarray:
    """Precision where each fraction of a query's matches has been retrieved, by cosine similarity.

    The gallery is ranked for each query; precision at recall r is that of the shortest list which
    holds at least the share r of the gallery examples with the query's label (no interpolation),
    averaged over the queries.

    Args:
        query_codes: finite numbers `[m, d]`; a row of zeros is equally similar to everything.
        query_labels: integers `[m]`, each found in the gallery.
        gallery_codes: finite numbers `[n, d]`.
        gallery_labels: integers `[n]`.
        recalls: above 0, at most 1.
        seed: of the order among equally similar examples.
        leave_one_out: whether query i is gallery example i, which is then not to be found by it.

    Returns:
        float64 `[len(recalls)]`, between 0 and 1.

    Raises:
        TypeError: labels are not integers.
        ValueError: other shapes, numbers that are not finite, a query without match, or a recall
            out of range.

    Example:
        >>> precision = retrieval_curve(test_codes, test_labels, train_codes, train_labels)
    """
    gallery, gallery_y, queries, query_y = _pair(
        gallery_codes, gallery_labels, query_codes, query_labels, ("gallery", "query")
    )
    shares = np.asarray(recalls, np.float64)
    if shares.ndim != 1 or not ((shares > 0) & (shares <= 1)).all():
        raise ValueError(f"recalls must be a list of numbers above 0 up to 1, found {recalls}.")
    if leave_one_out and not np.array_equal(query_y, gallery_y):
        raise ValueError("leave_one_out wants queries and gallery to be the same examples.")
    found, numbers = np.unique(gallery_y, return_counts=True)
    if len(missing := np.setdiff1d(query_y, found[numbers > leave_one_out])):
        other = "other " if leave_one_out else ""
        raise ValueError(
            f"No {other}gallery example has the query label {missing[0]}: leave it out."
        )
    curves = []
    for part in _hits(queries, query_y, gallery, gallery_y, seed, leave_one_out):
        for row in part:
            ranks = np.flatnonzero(row) + 1
            # Less what rounding adds to a product such as 0.7 * 10.
            wanted = np.maximum(np.ceil(shares * len(ranks) - 1e-9).astype(int), 1)
            curves.append(wanted / ranks[wanted - 1])
    return np.mean(curves, axis=0)


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive example has a higher score than a negative one, ties halved.

    This is the area under the curve of true against false positives: 1/2 for scores that tell
    nothing, below it for those that point the wrong way.

    Args:
        scores: finite numbers `[n]`.
        positive: booleans, or integers 0 and 1, `[n]`, both kinds present.

    Returns:
        A number between 0 and 1.

    Raises:
        ValueError: other shapes or values, or examples of one kind only.

    Example:
        >>> auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75
    """
    scores, positive = np.asarray(scores, np.float64), np.asarray(positive)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite numbers [n], found shape {list(scores.shape)}.")
    if positive.shape != scores.shape or not np.array_equal(np.unique(positive), [0, 1]):
        raise ValueError(
            f"positive must hold one boolean a score, of both kinds: found shape "
            f"{list(positive.shape)} for {len(scores)} scores, values {np.unique(positive)[:5]}."
        )
    return float(roc_auc_score(positive, scores))


def _hits(queries, query_y, gallery, gallery_y, seed, leave_one_out=False) -> Iterator[np.ndarray]:
    """Whether ranked gallery examples have the query's label: bools `[some queries, n]`.

    Without the query itself, which is the gallery's example of its number, they are `n - 1`.
    """
    order = np.random.default_rng(seed).permutation(len(gallery))
    queries, gallery, gallery_y = normalize(queries), normalize(gallery[order]), gallery_y[order]
    for start in range(0, len(queries), 256):
        part = slice(start, start + 256)
        ranked = np.argsort(-(queries[part] @ gallery.T), axis=1, kind="stable")
        hits = gallery_y[ranked] == query_y[part, None]
        if leave_one_out:
            own = order[ranked] == np.arange(len(queries))[part, None]
            hits = hits[~own].reshape(len(hits), -1)
        yield hits


def _pair(codes, labels, other_codes, other_labels, names: tuple[str, str]):
    """Check two sets of codes of one width and their labels."""
    codes, other_codes = as_feature_pair(
        codes, other_codes, (f"{names[0]}_codes", f"{names[1]}_codes"), rows=1
    )
    labels = _labels(labels, f"{names[0]}_labels", len(codes))
    return codes, labels, other_codes, _labels(other_labels, f"{names[1]}_labels", len(other_codes))


def _labels(labels, name: str, n: int | None = None) -> np.ndarray:
    """Check integers `[n]`, of any n above 0 if it is None."""
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"Expected {name} to be integers, found {labels.dtype}.")
    if labels.ndim != 1 or len(labels) != (n or len(labels)) or not len(labels):
        raise ValueError(
            f"Expected {name} of shape [{n or 'n'}], found {list(labels.shape)}: "
            "pass one integer for each example."
        )
    return labels


def _within(name: str, number: int, most: int) -> None:
    if not 1 <= number <= most:
        raise ValueError(f"{name} must be between 1 and {most}, found {number}.")
