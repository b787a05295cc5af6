"""Metrics of how much codes reveal about an attribute, and of how decisions differ by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_gen.arguments import shown
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_labeled_pair, as_labels


@checked_types
def attribute_leak(
    codes: np.ndarray,
    attributes: np.ndarray,
    test_codes: np.ndarray,
    test_attributes: np.ndarray,
    seed: int = 0,
) -> dict[str, float]:
    """Measures how well linear and tree-based probes predict a binary attribute from codes.

    The probes are logistic regression on standardized codes, and gradient-boosted trees. They are
    fitted to training codes and evaluated on test codes. Pass the codes that users of the model
    would receive, because codes with training noise may reveal less.

    Args:
        codes: Training codes, finite numbers `[n, d]`.
        attributes: Attributes of the training codes, integers `[n]`, 0 or 1. Both values must
            occur.
        test_codes: Test codes, finite numbers `[m, d]`.
        test_attributes: Attributes of the test codes, integers `[m]`, 0 or 1. Both values must
            occur.
        seed: Seed for the trees. With more than 10,000 examples, the seed also determines which 10%
            of the examples are held out for early stopping.

    Returns:
        A dict with "linear" and "trees", accuracies between 0 and 1; "linear_auc" and "trees_auc",
        the areas under the ROC curves, which are 0.5 for codes that reveal nothing; "auc", the
        larger of the two areas; and "majority", the accuracy of always predicting the more common
        value.

    Raises:
        ValueError: If there are attributes other than 0 and 1.

    Example:
        >>> attribute_leak(codes, sexes, test_codes, test_sexes)["auc"]
    """
    x, y, test_x, test_y = as_labeled_pair(
        codes, attributes, test_codes, test_attributes, ("train", "test")
    )
    for found in (y, test_y):
        _require_two(found)
    probes = {
        "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "trees": HistGradientBoostingClassifier(random_state=seed),
    }
    leaks: dict[str, float] = {}
    for name, probe in probes.items():
        probability = probe.fit(x, y).predict_proba(test_x)[:, 1]
        leaks[name] = float(np.mean((probability > 0.5) == test_y))
        leaks[f"{name}_auc"] = float(roc_auc_score(test_y, probability))
    leaks["auc"] = max(leaks["linear_auc"], leaks["trees_auc"])
    leaks["majority"] = float(max(test_y.mean(), 1 - test_y.mean()))
    return leaks


@checked_types
def decision_gaps(
    predicted: np.ndarray, labels: np.ndarray, attributes: np.ndarray
) -> dict[str, float]:
    """Measures how much binary decisions differ between the two values of an attribute.

    Hardt, Price, Srebro: "Equality of Opportunity in Supervised Learning", NeurIPS 2016. Codes that
    reveal nothing about the attribute lead to decisions without a parity gap, but a parity gap of 0
    does not imply that the codes reveal nothing.

    Args:
        predicted: Decisions, integers `[n]`, 0 or 1.
        labels: Correct decisions, integers `[n]`, 0 or 1.
        attributes: Attributes, integers `[n]`, 0 or 1. Both labels must occur for each value of the
            attribute.

    Returns:
        A dict with "accuracy"; "parity_gap", the difference between the two groups' rates of
        decision 1, which is 0 under demographic parity; and "odds_gap", which is 0 under equalized
        odds. To obtain "odds_gap", the difference between the two groups' rates is computed among
        the examples of each label, and the larger of the two differences is returned.

    Raises:
        ValueError: If there are numbers other than 0 and 1, or if a combination of label and
            attribute has no examples.

    Example:
        >>> decision_gaps([1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0])["parity_gap"]
        1.0
    """
    labels = as_labels(labels, "labels")
    predicted = as_labels(predicted, "predicted", len(labels))
    attributes = as_labels(attributes, "attributes", len(labels))
    _require_two(attributes)
    for name, values in (("labels", labels), ("predicted", predicted)):
        if not np.isin(values, (0, 1)).all():
            raise ValueError(f"{name} contains {_shown(values)}: expected only 0 and 1.")
    rates = np.zeros([2, 2])
    for label in range(2):
        for value in range(2):
            group = predicted[(labels == label) & (attributes == value)]
            if not len(group):
                raise ValueError(
                    f"No example has label {label} and attribute {value}: expected at least one "
                    "example of each combination."
                )
            rates[label, value] = group.mean()
    overall = [predicted[attributes == value].mean() for value in range(2)]
    return {
        "accuracy": float(np.mean(predicted == labels)),
        "parity_gap": float(abs(overall[1] - overall[0])),
        "odds_gap": float(np.abs(rates[:, 1] - rates[:, 0]).max()),
    }


def _require_two(attributes):
    if set(np.unique(attributes)) != {0, 1}:
        raise ValueError(f"attributes contains {_shown(attributes)}: expected both 0 and 1.")


def _shown(values) -> str:
    """Returns the first five distinct values."""
    different = np.unique(values).tolist()
    more = f" and {len(different) - 5} more" if len(different) > 5 else ""
    return ", ".join(map(str, different[:5])) + more


@checked_types
def group_report(
    predicted: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    shares: Sequence[float] | None = None,
) -> dict[str, float]:
    """Returns the overall accuracy, the worst group's accuracy, and the gap to the best group.

    Args:
        predicted: Classes that the classifier predicts, integers `[n]`.
        labels: Correct classes, integers `[n]`.
        groups: Group of each example, nonnegative integers `[n]`. No group may be empty.
        shares: Nonnegative weight of each group in the overall accuracy; the sum of the weights is
            arbitrary. If None, each weight is the number of examples in the group. With weights,
            the examples may include more members of rare groups than the population does.

    Returns:
        A dict of numbers between 0 and 1: "accuracy"; "worst_group"; "gap", the best group's
        accuracy minus the worst group's accuracy; and "group_0", "group_1", and so on, the accuracy
        in each group.

    Example:
        >>> report = group_report([1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 0, 1], shares=[0.9, 0.1])
        >>> report["accuracy"], report["worst_group"], report["gap"]
        (0.9, 0.0, 1.0)
    """
    labels = as_labels(labels, "labels")
    predicted = as_labels(predicted, "predicted", len(labels))
    groups = as_labels(groups, "groups", len(labels))
    found, counts = np.unique(groups, return_counts=True)
    if (found != np.arange(len(found))).any():
        raise ValueError(
            f"groups contains {shown(found.tolist())}: expected every integer from 0 to the "
            "largest group number."
        )
    accuracies = np.bincount(groups, weights=predicted == labels) / counts
    weights = np.asarray(counts if shares is None else shares, np.float64)
    if weights.shape != counts.shape or weights.min() < 0 or not weights.sum() > 0:
        raise ValueError(
            f"shares is {weights.tolist()}: expected one nonnegative share for each of "
            f"{len(counts)} groups, not all 0."
        )
    each = {f"group_{number}": float(value) for number, value in enumerate(accuracies)}
    return {
        "accuracy": float(np.average(accuracies, weights=weights)),
        "worst_group": float(accuracies.min()),
        "gap": float(np.ptp(accuracies)),
    } | each
