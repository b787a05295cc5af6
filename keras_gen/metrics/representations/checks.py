"""What the measures of labeled codes take: checked once, at their edge."""

from __future__ import annotations

import numpy as np

from keras_gen.metrics.checks import as_feature_pair


def as_labeled_pair(
    codes: np.ndarray,
    labels: np.ndarray,
    other_codes: np.ndarray,
    other_labels: np.ndarray,
    names: tuple[str, str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns two sets of codes of one width, float64 matrices, and their labels `[n]`.

    Args:
        codes: Finite numbers `[n, d]`.
        labels: Integers `[n]`.
        other_codes: Finite numbers `[m, d]`.
        other_labels: Integers `[m]`.
        names: What the errors call the two sets.

    Raises:
        TypeError: If labels are not integers.
        ValueError: If the shapes do not fit each other, or codes are not finite.
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
        labels: The labels.
        name: What the error calls them.
        n: How many; by default any number above 0.

    Raises:
        TypeError: If they are not integers.
        ValueError: If they have another shape.
    """
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"Expected {name} to be integers, found {labels.dtype}.")
    if labels.ndim != 1 or len(labels) != (n or len(labels)) or not len(labels):
        raise ValueError(
            f"Expected {name} of shape [{n or 'n'}], found {list(labels.shape)}: "
            "pass one integer for each example."
        )
    return labels


def check_within(name: str, number: int, most: int) -> None:
    """Raises a ValueError if a number is not between 1 and `most`."""
    if not 1 <= number <= most:
        raise ValueError(f"{name} must be between 1 and {most}, found {number}.")
