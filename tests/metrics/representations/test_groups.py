"""Accuracies of groups, counted by hand."""

import numpy as np
import pytest

from keras_gen.metrics import group_report

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


@pytest.mark.parametrize(
    ("groups", "shares", "sentence"),
    [
        (2 * GROUPS, None, r"groups are \[0, 2, 4\]: expected all numbers from 0 to the largest"),
        (GROUPS - 1, None, r"groups are \[-1, 0, 1\]"),
        (GROUPS[:5], None, r"groups of shape \[10\], found \[5\]"),
        (GROUPS, [1, 2], r"shares are \[1.0, 2.0\]: expected one for each of 3 groups"),
        (GROUPS, [1, 2, -1], "not negative and not all 0"),
        (GROUPS, [0, 0, 0], "not negative and not all 0"),
    ],
)
def test_what_cannot_be_is_refused(groups, shares, sentence):
    with pytest.raises(ValueError, match=sentence):
        group_report(PREDICTED, LABELS, groups, shares)


def test_classes_are_integers():
    with pytest.raises(TypeError, match="predicted to be integers, found float64"):
        group_report(PREDICTED * 1.0, LABELS, GROUPS)
