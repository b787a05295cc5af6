"""The accuracy of a classifier in each group of examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_labels


@checked_types
def group_report(
    predicted: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    shares: Sequence[float] | None = None,
) -> dict[str, float]:
    """Accuracy over all examples, in the worst group, and the gap to the best group.

    Args:
        predicted: The classifier's classes, integers `[n]`.
        labels: The right classes, integers `[n]`.
        groups: Group of each example, integers `[n]` from 0 on, none of them empty.
        shares: Weight of each group in the accuracy over all, not negative, of any sum; by default
            its number of examples. With weights, rare groups can be measured on many examples.

    Returns:
        Numbers between 0 and 1: "accuracy"; "worst_group"; "gap", the best group's accuracy minus
        the worst one's; and "group_0", "group_1", ..., the accuracy in each.

    Example:
        >>> report = group_report([1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 0, 1], shares=[0.9, 0.1])
        >>> report["accuracy"], report["worst_group"], report["gap"]
        (0.9, 0.0, 1.0)
    """
    labels = as_labels(labels, "labels")
    predicted = as_labels(predicted, "predicted", len(labels))
    groups = as_labels(groups, "groups", len(labels))
    if groups.min() < 0 or not (counts := np.bincount(groups)).all():
        raise ValueError(
            f"groups are {np.unique(groups).tolist()}: expected all numbers from 0 to the "
            "largest."
        )
    accuracies = np.bincount(groups, weights=predicted == labels) / counts
    weights = np.asarray(counts if shares is None else shares, np.float64)
    if weights.shape != counts.shape or weights.min() < 0 or not weights.sum() > 0:
        raise ValueError(
            f"shares are {weights.tolist()}: expected one for each of {len(counts)} "
            "groups, not negative and not all 0."
        )
    each = {f"group_{number}": float(value) for number, value in enumerate(accuracies)}
    return {
        "accuracy": float(np.average(accuracies, weights=weights)),
        "worst_group": float(accuracies.min()),
        "gap": float(np.ptp(accuracies)),
    } | each
