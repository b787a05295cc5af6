"""What codes tell of an attribute, where that is known."""

import numpy as np
import pytest

from keras_gen.metrics import attribute_leak, decision_gaps, group_report


def leak(codes, attributes):
    half = len(codes) // 2
    return attribute_leak(codes[:half], attributes[:half], codes[half:], attributes[half:])


@pytest.mark.thorough
def test_codes_that_tell_nothing_all_and_what_only_trees_see(rng):
    attributes = (rng.random(4000) < 0.7).astype(int)
    noise = rng.normal(size=(4000, 2))
    blind = leak(noise, attributes)
    assert 0.45 < blind["linear_auc"] < 0.55 and 0.45 < blind["trees_auc"] < 0.55
    assert blind["auc"] == max(blind["linear_auc"], blind["trees_auc"])
    assert blind["majority"] == pytest.approx(attributes[2000:].mean())
    seen = leak(noise + 9 * attributes[:, None], attributes)
    assert seen["linear"] == seen["trees"] == 1.0
    # The same sign of both numbers: no line tells it.
    signs = np.where(attributes, 1, -1)[:, None] * [1, 1] * np.sign(rng.normal(size=(4000, 1)))
    signs[:, 1] *= np.where(attributes, 1, -1)
    hidden = leak(signs + 0.1 * noise, attributes)
    assert hidden["linear_auc"] < 0.6 and hidden["trees_auc"] > 0.99 and hidden["auc"] > 0.99


def test_gaps_counted_by_hand():
    labels = np.array([1, 1, 0, 0, 1, 1, 0, 0])
    attributes = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    predicted = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    found = decision_gaps(predicted, labels, attributes)
    assert found == {"accuracy": 0.75, "parity_gap": 0.5, "odds_gap": 0.5}
    same = decision_gaps(labels, labels, attributes)
    assert same == {"accuracy": 1.0, "parity_gap": 0.0, "odds_gap": 0.0}


LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
GROUPS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 0, 0, 1, 1, 1, 0, 0, 1])  # right 4 of 4, 3 of 4, 1 of 2


def test_of_the_examples_as_they_are():
    assert group_report(PREDICTED, LABELS, GROUPS) == pytest.approx(
        {"accuracy": 0.8, "worst_group": 0.5, "gap": 0.5, "group_0": 1, "group_1": 0.75,
         "group_2": 0.5}
    )  # fmt: skip


def test_of_groups_as_frequent_as_elsewhere():
    report = group_report(PREDICTED, LABELS, GROUPS, shares=[6, 3, 1])
    assert report["accuracy"] == pytest.approx(0.6 + 0.3 * 0.75 + 0.1 * 0.5)
    assert report["worst_group"] == 0.5


def test_one_group_has_no_gap():
    report = group_report(PREDICTED, LABELS, np.zeros(10, int))
    assert report["gap"] == 0 and report["worst_group"] == pytest.approx(0.8)
