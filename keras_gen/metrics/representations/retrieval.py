"""How well codes retrieve examples with the label of a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.preprocessing import normalize

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_labeled_pair


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
    """Precision at each recall, float64 `[len(recalls)]`, of retrieval by cosine similarity.

    The gallery is ranked for each query. Precision at recall r is that of the shortest list with at
    least the fraction r of the gallery examples with the query's label (no interpolation), averaged
    over the queries.

    Args:
        query_codes: Finite numbers `[m, d]`; a row of zeros is equally similar to everything.
        query_labels: Integers `[m]`, each found in the gallery.
        gallery_codes: Finite numbers `[n, d]`.
        gallery_labels: Integers `[n]`.
        recalls: Above 0, at most 1.
        seed: Seed of the order among equally similar examples.
        leave_one_out: Whether query i is gallery example i, and must not find itself.

    Example: `retrieval_curve(test_codes, test_labels, train_codes, train_labels)`.
    """
    gallery, gallery_y, queries, query_y = as_labeled_pair(
        gallery_codes, gallery_labels, query_codes, query_labels, ("gallery", "query")
    )
    fractions = np.asarray(recalls, np.float64)
    if fractions.ndim != 1 or not ((fractions > 0) & (fractions <= 1)).all():
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
            wanted = np.maximum(np.ceil(fractions * len(ranks) - 1e-9).astype(int), 1)
            curves.append(wanted / ranks[wanted - 1])
    return np.mean(curves, axis=0)


def _hits(
    queries, query_y, gallery, gallery_y, seed, leave_one_out=False
) -> Iterator[np.ndarray]:
    """Yields whether ranked examples have the query's label, bools `[queries, n or n - 1]`."""
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
