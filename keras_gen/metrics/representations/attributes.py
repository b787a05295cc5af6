"""What codes tell of an attribute, and how decisions differ between groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_gen.arguments import checked_seed, shown
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
    """How well an attribute of two values is predicted from codes, by lines and by trees.

    The probes are logistic regression of standardized codes, and gradient-boosted trees. They learn
    on training codes and are measured on test codes. Give the codes that a client gets: those of
    training may hide by noise what these tell.

    Args:
        codes: Finite numbers `[n, d]`.
        attributes: Integers `[n]`, 0 or 1; both occur.
        test_codes: Finite numbers `[m, d]`.
        test_attributes: Integers `[m]`, likewise.
        seed: Seed of the trees, which of more than 10,000 examples leave out a tenth to know when
            to stop.

    Returns:
        "linear" and "trees", accuracies between 0 and 1; "linear_auc" and "trees_auc", the areas
        under the ROC curves, 0.5 for codes that tell nothing; the larger one, "auc"; and
        "majority", the accuracy of naming the commoner value.

    Raises:
        ValueError: If there are other attributes than 0 and 1.

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
        "trees": HistGradientBoostingClassifier(random_state=checked_seed(seed)),
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
    """How much decisions of two kinds differ between both values of an attribute.

    Hardt, Price, Srebro: "Equality of Opportunity in Supervised Learning", NeurIPS 2016. Codes that
    tell nothing of the attribute give decisions without a gap in parity; the reverse is not so.

    Args:
        predicted: Decisions, integers `[n]`, 0 or 1.
        labels: The right ones, integers `[n]`, 0 or 1.
        attributes: Integers `[n]`, 0 or 1; of each value there are examples of both labels.

    Returns:
        "accuracy"; "parity_gap", the difference of the rates of decision 1, which demographic
        parity wants to be 0; and "odds_gap", the larger one of these differences among the examples
        of each label, which equalized odds want to be 0.

    Raises:
        ValueError: If there are other numbers than 0 and 1, or no examples of a label and value.

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
            raise ValueError(f"The {name} are {_shown(values)}: expected 0 and 1 alone.")
    rates = np.zeros([2, 2])
    for label in range(2):
        for value in range(2):
            group = predicted[(labels == label) & (attributes == value)]
            if not len(group):
                raise ValueError(
                    f"No example has label {label} and attribute {value}: expected some of each."
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
        raise ValueError(f"The attributes are {_shown(attributes)}: expected 0 and 1, and both.")


def _shown(values) -> str:
    """The different values, the first five."""
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
    found, counts = np.unique(groups, return_counts=True)
    if (found != np.arange(len(found))).any():
        raise ValueError(
            f"groups are {shown(found.tolist())}: expected all numbers from 0 to the largest."
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
