"""Nearest neighbors by brute force, in blocks that bound the memory."""

from __future__ import annotations

import numpy as np

QUERY_BLOCK, REFERENCE_BLOCK = 1024, 4096


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances `[n_a, n_b]` of the rows of two matrices, in float64.

    Args:
        a: `[n_a, d]`, any number type. Whole numbers such as pixels give exact results.
        b: `[n_b, d]`.

    Example:
        >>> squared_distances(np.array([[0, 0]]), np.array([[3, 4], [0, 1]]))
        array([[25.,  1.]])
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)
    return np.maximum(squares - 2.0 * (a @ b.T), 0.0)


def nearest_neighbors(
    queries: np.ndarray, reference: np.ndarray, k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest rows of `reference` for every row of `queries`.

    Memory is that of a block of distances, whatever the sizes; the arrays are converted to float64
    block by block, so a large uint8 training set stays as it is.

    Args:
        queries: `[n, ...]`, features or images, any number type; axes after the first are
            flattened.
        reference: `[m, ...]`, such as the training set.
        k: how many neighbors, at most m.

    Returns:
        Euclidean distances float64 `[n, k]`, ascending, and indices into `reference` int64
        `[n, k]`.

    Raises:
        ValueError: examples of the two have different sizes, or k is not in 1 to m.

    Example:
        >>> distances, indices = nearest_neighbors(samples, training_images)
        >>> training_images[indices[:, 0]]  # beside the samples, for the eye
    """
    queries, reference = _rows(queries, "queries"), _rows(reference, "reference")
    if queries.shape[1] != reference.shape[1]:
        raise ValueError(
            f"nearest_neighbors found {queries.shape[1]} numbers an example in queries and "
            f"{reference.shape[1]} in reference: pass examples of one shape."
        )
    if not 1 <= k <= len(reference):
        raise ValueError(
            f"nearest_neighbors found k={k} for {len(reference)} rows in reference: pass a k "
            f"from 1 to {len(reference)}."
        )
    found = [
        _block(queries[start : start + QUERY_BLOCK], reference, k)
        for start in range(0, len(queries), QUERY_BLOCK)
    ]
    squares, indices = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return np.sqrt(squares), indices


def _rows(array: np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(array)
    if array.ndim < 2 or not array.size:
        raise ValueError(
            f"nearest_neighbors found {name} of shape {array.shape}: pass at least one example, "
            "[n, ...]."
        )
    return array.reshape(len(array), -1)


def _block(queries: np.ndarray, reference: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    squares = np.empty([len(queries), 0])
    indices = np.empty([len(queries), 0], np.int64)
    for start in range(0, len(reference), REFERENCE_BLOCK):
        new = squared_distances(queries, reference[start : start + REFERENCE_BLOCK])
        nearest = np.argpartition(new, min(k, new.shape[1]) - 1, axis=1)[:, :k]
        squares = np.concatenate([squares, np.take_along_axis(new, nearest, axis=1)], axis=1)
        indices = np.concatenate([indices, start + nearest], axis=1)
        squares, indices = _sorted(squares, indices, k)
    # The expansion of |x - y|^2 loses digits where x and y are close; a copy must be at 0.
    queries = queries.astype(np.float64)
    exact = [np.sum((queries - reference[column]) ** 2, axis=1) for column in indices.T]
    return _sorted(np.stack(exact, axis=1), indices, k)


def _sorted(squares: np.ndarray, indices: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(squares, order, axis=1), np.take_along_axis(indices, order, axis=1)
