"""Checks for the arguments of metrics and baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_gen.arguments import refuse_masked, shown

LARGEST = 1e150


def part_of(found: Mapping[str, Any], key: str, name: str) -> Any:
    """Returns a dict's value for a key, or raises a ValueError that contains the dict's name."""
    if key not in found:
        raise ValueError(
            f"{name} lacks {key!r}: expected a dict with this key, but found the keys "
            f"{', '.join(map(str, found)) or '(none)'}."
        )
    return found[key]


def as_numbers(values, name: str) -> np.ndarray:
    """Returns values as an array of real numbers with any shape and dtype.

    Args:
        values: Array, tensor, or lists of numbers.
        name: Name of the values in the error message.

    Raises:
        TypeError: If the values are strings, objects, complex numbers, or lists of different
            lengths.
        ValueError: If some values are masked.
    """
    refuse_masked(name, values)
    try:
        array = np.asarray(values)
    except ValueError:  # raised for lists of different lengths
        array = np.asarray(None)
    # The NumPy dtype bfloat16 has kind V.
    if array.dtype.kind not in "biufV" or array.dtype.names:
        raise TypeError(f"{name} is {shown(values)}: expected an array of numbers.")
    return array


def as_features(features: np.ndarray, name: str, rows: int = 2) -> np.ndarray:
    """Returns features as a float64 matrix `[n, d]`; flattens all axes except the first.

    Args:
        features: Features `[n, ...]` with any numeric dtype.
        name: Name of the features in the error message.
        rows: Minimum number of rows.

    Raises:
        ValueError: If there are too few rows or axes, if there are no columns, or if a value is NaN
            or has a magnitude of at least 1e150.
    """
    matrix = as_numbers(features, name).astype(np.float64)
    # The squares and sums of numbers above this limit would be infinite.
    usable = matrix.size and (np.abs(matrix) < LARGEST).all()  # this also rejects NaN
    if matrix.ndim < 2 or len(matrix) < rows or not usable:
        raise ValueError(
            f"Expected {name} to be finite numbers [n, d] with at least {rows} rows, but found "
            f"shape {matrix.shape}: pass one row per example, without NaN, infinity, or "
            f"magnitudes of {LARGEST:g} or more."
        )
    return matrix.reshape(len(matrix), -1)


def as_feature_pair(
    a: np.ndarray, b: np.ndarray, names: tuple[str, str], rows: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Returns two sets of features as matrices; see `as_features`.

    Raises:
        ValueError: If `as_features` rejects a set, or if the widths d differ.
    """
    a = as_features(a, names[0], rows)
    b = as_features(b, names[1], rows)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"Found {a.shape[1]} features in {names[0]}, but {b.shape[1]} in {names[1]}: expected "
            "the same number of features in both. Pass features from one extractor."
        )
    return a, b


def as_images(
    images: np.ndarray, name: str = "images", channels: Sequence[int] = (1, 3)
) -> np.ndarray:
    """Returns images as a uint8 array `[n, H, W, C]`, where C is one of `channels`.

    A ValueError is raised for floats and for other shapes. Floats are rejected deliberately, so
    that generated images, like real images, are measured with the 256 levels in which they would be
    stored (Parmar et al. 2022).
    """
    images = as_numbers(images, name)
    shaped = images.ndim == 4 and images.shape[-1] in channels
    if images.dtype != np.uint8 or not shaped or not images.size:
        shapes = " or ".join(f"[n, H, W, {number}]" for number in channels)
        raise ValueError(
            f"Expected {name} to be uint8 {shapes}, but found {images.dtype} "
            f"{list(images.shape)}: pass at least one image, as whole numbers from 0 to 255."
        )
    return images


def as_labeled_pair(
    codes: np.ndarray,
    labels: np.ndarray,
    other_codes: np.ndarray,
    other_labels: np.ndarray,
    names: tuple[str, str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns codes, float64 `[n, d]`, labels `[n]`, other codes `[m, d]`, and their labels `[m]`.

    For errors, see `as_labels` and `as_feature_pair`. The error messages contain the `names` of the
    two sets.
    """
    one, other = names
    codes, other_codes = as_feature_pair(
        codes, other_codes, (f"{one}_codes", f"{other}_codes"), rows=1
    )
    labels = as_labels(labels, f"{one}_labels", len(codes))
    other_labels = as_labels(other_labels, f"{other}_labels", len(other_codes))
    return codes, labels, other_codes, other_labels


def as_labels(labels: np.ndarray, name: str, n: int | None = None) -> np.ndarray:
    """Returns labels as an array of integers `[n]`.

    Args:
        labels: Labels to check.
        name: Name of the labels in the error message.
        n: Required number of labels. If None, any number above 0 is allowed.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If the labels have the wrong shape.
    """
    labels = as_numbers(labels, name)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"{name} has dtype {labels.dtype}: expected integers.")
    if labels.ndim != 1 or len(labels) != (n or len(labels)) or not len(labels):
        raise ValueError(
            f"Expected {name} of shape [{n or 'n'}], but found {list(labels.shape)}: "
            "pass one integer for each example."
        )
    return labels


def as_classes(labels: np.ndarray, name: str, n: int | None = None) -> np.ndarray:
    """Returns labels as in `as_labels`, but raises a ValueError for negative (missing) labels."""
    labels = as_labels(labels, name, n)
    if labels.min() < 0:
        raise ValueError(
            f"{name} contains {labels.min()}: expected integers of at least 0. Leave out examples "
            "without a label."
        )
    return labels


def as_logits(logits: np.ndarray, name: str = "logits") -> np.ndarray:
    """Returns logits, or probabilities, as an array `[n, classes]`.

    Raises:
        ValueError: If the logits have the wrong shape or contain NaN, which would make the first
            class appear most likely.
    """
    logits = as_numbers(logits, name)
    if logits.ndim != 2 or not logits.size or np.isnan(logits).any():
        raise ValueError(
            f"Expected {name} to be numbers [n, classes], but found shape {list(logits.shape)}: "
            "pass one row for each example, without NaN."
        )
    return logits


def as_candidates(name: str, values: Iterable) -> list:
    """Returns values to choose from as a list, or raises a ValueError if there are none."""
    candidates = list(values)
    if not candidates:
        raise ValueError(f"{name} is empty: expected at least one value to try.")
    return candidates


def check_within(name: str, number: int, most: int) -> None:
    """Raises a ValueError unless a number is between 1 and `most`."""
    if not 1 <= number <= most:
        raise ValueError(f"{name} is {number}: expected an integer from 1 to {most}.")
