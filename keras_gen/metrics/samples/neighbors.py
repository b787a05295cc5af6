"""Nearest neighbors, and metrics based on neighbors: memorization, precision, and recall."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

from keras_gen.checked_arguments import checked_types
from keras_gen.declared import PositiveInteger
from keras_gen.metrics.mean_and_deviation import with_bar
from keras_gen.metrics.metric_arguments import as_feature_pair, as_numbers

BLOCK = 1024  # number of queries processed at once


@checked_types
def nearest_neighbors(
    queries: np.ndarray, reference: np.ndarray, k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the k nearest rows in `reference` for every row in `queries`.

    Distances are computed in float64, in blocks. Regardless of the number of queries, the
    computation requires only as much additional memory as a copy of `reference` in a float dtype
    (float32 for uint8).

    Args:
        queries: Features or images of any numeric dtype, `[n, ...]`. Axes after the first are
            flattened.
        reference: Features or images to search, `[m, ...]`, such as the training set.
        k: Number of neighbors, at most m.

    Returns:
        The Euclidean distances, float64 `[n, k]`, in ascending order, and the indices of the
        neighbors in `reference`, int64 `[n, k]`.

    Example: `training_images[nearest_neighbors(samples, training_images)[1][:, 0]]`.
    """
    queries, reference = _rows(queries, "queries"), _rows(reference, "reference")
    if queries.shape[1] != reference.shape[1]:
        raise ValueError(
            f"nearest_neighbors got {queries.shape[1]} numbers per example in queries, but "
            f"{reference.shape[1]} in reference: pass examples of the same shape."
        )
    if not 1 <= k <= len(reference):
        raise ValueError(
            f"k is {k} for {len(reference)} rows in reference: expected 1 to {len(reference)}."
        )
    # If both arrays have the same dtype, scikit-learn computes even float32 distances in
    # float64.
    dtype = np.result_type(queries, reference, np.float32)
    # The search expands |x - y|^2, whose terms cancel least if the data are centered. For integers,
    # the center is rounded, so that equal distances stay equal.
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
        raise ValueError(f"{name} contains NaN or infinity: leave out such examples.")
    if array.ndim < 2 or not array.size:
        raise ValueError(
            f"{name} has shape {array.shape}: expected at least one example, [n, ...]."
        )
    return array.reshape(len(array), -1)


def _block(search, centered, queries, reference) -> tuple[np.ndarray, np.ndarray]:
    indices = search.kneighbors(centered, return_distance=False)
    # Expanding |x - y|^2 loses precision if x and y are close, but copies must have distance 0.
    queries = queries.astype(np.float64)
    columns = [np.linalg.norm(queries - reference[column], axis=1) for column in indices.T]
    distances = np.stack(columns, axis=1)
    order = np.argsort(distances, axis=1, kind="stable")
    distances = np.take_along_axis(distances, order, axis=1)
    indices = np.take_along_axis(indices, order, axis=1)
    # Where the distances are tiny compared with the rows, rounding can hide the nearest rows, which
    # are at most this far from the center.
    farthest = distances[:, -1]
    size = np.linalg.norm(centered.astype(np.float64), axis=1) + farthest
    share = max(1e-5, 1e3 * np.finfo(centered.dtype).eps)
    uncertain = np.flatnonzero((farthest > 0) & (farthest < share * size))
    for start in range(0, len(uncertain), 64):
        rows = uncertain[start : start + 64]
        blocks = gen_batches(len(reference), BLOCK)
        exact = np.concatenate([cdist(queries[rows], reference[b]) for b in blocks], axis=1)
        indices[rows] = np.argsort(exact, axis=1, kind="stable")[:, : indices.shape[1]]
        distances[rows] = np.take_along_axis(exact, indices[rows], axis=1)
    return distances, indices


@checked_types
def memorization(
    generated: np.ndarray, training: np.ndarray, ratio: float = 1 / 3
) -> dict[str, float]:
    """Measures how many generated examples are suspiciously close to a training example.

    An example counts as memorized if it equals its nearest training example, or if its distance to
    that example is less than `ratio` times its distance to the second-nearest training example
    (Yoon et al. 2023). For training examples with duplicates, only exact copies are detected. To
    obtain the fraction that is expected without memorization, pass held-out examples as
    `generated`.

    Args:
        generated: Images or features `[n, ...]` of any numeric dtype. Distances are Euclidean:
            distances between pixels detect copies, and distances between features also detect
            slightly shifted copies.
        training: Training set, `[m, ...]`, with at least 2 examples.
        ratio: Maximum ratio of distances, above 0 and at most 1.

    Returns:
        A dict with "memorized_fraction", the fraction of memorized examples, and
        "nearest_distance", the median distance from the generated examples to their nearest
        training example.

    Example: `memorization(model.sample(1000), training_images)["memorized_fraction"]`.
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio is {ratio}: expected a number in (0, 1].")
    nearest, second = nearest_neighbors(generated, training, k=2)[0].T
    copied = (nearest == 0) | (nearest < ratio * second)
    return {
        "memorized_fraction": float(copied.mean()),
        "nearest_distance": float(np.median(nearest)),
    }


MEMORY = 64  # MiB of distances kept at once


@checked_types
def prdc(real: np.ndarray, generated: np.ndarray, k: PositiveInteger = 5) -> dict[str, float]:
    """Compares two sets using a ball around each example that extends to its k-th neighbor.

    - precision: fraction of generated examples inside the ball of a real example (quality).
    - recall: fraction of real examples inside the ball of a generated example (coverage). See
      Kynkäänniemi et al. (2019), eqs. (1) and (2), with k = 3.
    - density: mean number of balls of real examples that contain a generated example, divided by k.
      The density is about 1 for equal distributions, but may be larger. Outliers among the real
      examples affect it less than they affect precision.
    - coverage: fraction of real examples whose ball contains a generated example. Unlike recall,
      coverage does not increase if there are outliers among the generated examples. See Naeem et
      al. (2020), sec. 3, with k = 5.

    Balls are closed, so a copy of a real example is inside its ball even if the radius is 0. All
    four metrics depend on the sizes of the sets.

    Args:
        real: Features of real examples `[n, d]`, with n > k and any numeric dtype. Distances are
            computed in float64.
        generated: Features of generated examples `[m, d]` from the same extractor, with m > k.
        k: Rank of the neighbor, not counting the example itself, that determines a ball's radius.

    Returns:
        A dict with the floats "precision", "recall", "density", and "coverage", and the ints "k",
        "n_real", and "n_generated".

    Example: `prdc(real_features, generated_features)["precision"]`.
    """
    real, generated = as_feature_pair(real, generated, ("real", "generated"), rows=k + 1)
    # Vectors are centered, because small numbers lose the fewest digits in the expansion of |x -
    # y|^2.
    center = real.mean(axis=0)
    real = real - center
    generated = generated - center
    real_radii = _squared_radii(real, k)
    generated_radii = _squared_radii(generated, k)

    precise = balls = start = 0
    recalled = np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for squares in pairwise_distances_chunked(
        generated, real, working_memory=MEMORY, squared=True
    ):
        rows = slice(start, start + len(squares))
        _replace_inaccurate(squares, generated[rows], real, real_radii)
        in_real_ball = squares <= real_radii
        precise += int(in_real_ball.any(axis=1).sum())
        balls += int(in_real_ball.sum())
        covered |= in_real_ball.any(axis=0)
        radii = generated_radii[rows, None]
        _replace_inaccurate(squares, generated[rows], real, radii)
        recalled |= (squares <= radii).any(axis=0)
        start += len(squares)
    return {
        "precision": precise / len(generated),
        "recall": float(recalled.mean()),
        "density": balls / (k * len(generated)),
        "coverage": float(covered.mean()),
        "k": k,
        "n_real": len(real),
        "n_generated": len(generated),
    }


def _squared_radii(features: np.ndarray, k: int) -> np.ndarray:
    # Find k + 1 neighbors, because each row is its own nearest neighbor. The radii are enlarged by
    # the rounding error, so that the balls remain closed.
    return nearest_neighbors(features, features, k + 1)[0][:, k] ** 2 * (1 + 1e-10)


def _replace_inaccurate(squares, rows, columns, radii) -> None:
    """Recomputes squared distances where the expansion of |x - y|^2 cannot decide, in place."""
    rounding = np.sum(rows**2, axis=1)[:, None] + np.sum(columns**2, axis=1)
    near = np.nonzero(np.abs(squares - radii) <= 1e-13 * rounding)
    for start in range(0, len(near[0]), BLOCK):
        i, j = (places[start : start + BLOCK] for places in near)
        squares[i, j] = np.sum((rows[i] - columns[j]) ** 2, axis=1)
