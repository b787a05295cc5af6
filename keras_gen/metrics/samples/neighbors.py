"""Nearest neighbors by brute force."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.measuring_bar import with_bar
from keras_gen.metrics.metric_arguments import as_numbers

BLOCK = 1024  # queries at once


@checked_types
def nearest_neighbors(
    queries: np.ndarray, reference: np.ndarray, k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the k nearest rows of `reference` for every row of `queries`.

    It computes in float64, in blocks: additional memory is that of `reference` as floats (float32
    for uint8), for any number of queries.

    Args:
        queries: Features or images of any number type, `[n, ...]`; axes after the first are
            flattened.
        reference: Likewise, `[m, ...]`, such as the training set.
        k: Number of neighbors, at most m.

    Returns:
        Ascending Euclidean distances float64 `[n, k]`, and indices into `reference` int64 `[n, k]`.

    Example: `training_images[nearest_neighbors(samples, training_images)[1][:, 0]]`.
    """
    queries, reference = _rows(queries, "queries"), _rows(reference, "reference")
    if queries.shape[1] != reference.shape[1]:
        raise ValueError(
            f"nearest_neighbors found {queries.shape[1]} numbers per example in queries and "
            f"{reference.shape[1]} in reference: pass examples of one shape."
        )
    k = checked_integer("k", k)
    if not 1 <= k <= len(reference):
        raise ValueError(
            f"nearest_neighbors found k={k} for {len(reference)} rows in reference: pass a k "
            f"from 1 to {len(reference)}."
        )
    # scikit-learn computes float32 in float64 too, if both are of one type.
    dtype = np.result_type(queries, reference, np.float32)
    # It expands |x - y|^2, whose terms cancel least around the mean; that of integers is rounded,
    # so that equal distances stay equal.
    center = reference.mean(axis=0, dtype=np.float64)
    if reference.dtype.kind != "f":
        center = np.rint(center)
    center = center.astype(dtype)
    search = NearestNeighbors(n_neighbors=k, algorithm="brute")
    search.fit(reference - center)
    distances = []
    indices = []
    for block in with_bar(list(gen_batches(len(queries), BLOCK)), "block"):
        found = _block(search, queries[block] - center, queries[block], reference)
        distances.append(found[0])
        indices.append(found[1])
    return np.concatenate(distances), np.concatenate(indices)


def _rows(array: np.ndarray, name: str) -> np.ndarray:
    array = as_numbers(array, name)
    if not np.isfinite(array).all():
        raise ValueError(f"nearest_neighbors found NaN or infinity in {name}: leave them out.")
    if array.ndim < 2 or not array.size:
        raise ValueError(
            f"nearest_neighbors found {name} of shape {array.shape}: pass at least one example, "
            "[n, ...]."
        )
    return array.reshape(len(array), -1)


def _block(search, centered, queries, reference) -> tuple[np.ndarray, np.ndarray]:
    indices = search.kneighbors(centered, return_distance=False)
    # The expansion of |x - y|^2 loses digits where x and y are close; a copy must be at 0.
    queries = queries.astype(np.float64)
    exact = [np.linalg.norm(queries - reference[column], axis=1) for column in indices.T]
    distances = np.stack(exact, axis=1)
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(
        indices, order, axis=1
    )
