"""What codes tell of an attribute, and gaps of decisions, on examples made for it."""

import numpy as np
import pytest

from keras_gen.metrics import attribute_leak, decision_gaps


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


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"attributes are 0, 2: expected 0 and 1"):
        decision_gaps([0, 1], [0, 1], [0, 2])
    for name, wrong in (("labels", ([0, 1], [0, 2])), ("predicted", ([2, 1], [0, 1]))):
        with pytest.raises(ValueError, match=f"The {name} are .*2: expected 0 and 1 alone"):
            decision_gaps(*wrong, [0, 1])
    with pytest.raises(ValueError, match="No example has label 0 and attribute 1"):
        decision_gaps([0, 1], [0, 1], [0, 1])
    with pytest.raises(ValueError, match=r"attributes are 0: expected"):
        attribute_leak(np.zeros((4, 1)), np.zeros(4, int), np.zeros((4, 1)), np.zeros(4, int))
