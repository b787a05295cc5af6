"""Metrics of tables against shares that were counted by hand."""

import numpy as np
import pandas as pd
import pytest

from keras_gen.data import table_columns
from keras_gen.metrics import closest_rows, detection_auc, table_fidelity, usefulness


def table(n, seed, p=0.5, shift=0.0):
    random = np.random.default_rng(seed)
    age = random.integers(20, 60, n)
    return pd.DataFrame(
        {
            "age": age,
            "rich": np.where(random.uniform(size=n) < (age - 20) / 40, "yes", "no"),
            "height": random.normal(shift, 1, n),
            "kind": np.where(random.uniform(size=n) < p, "a", "b"),
        }
    )


TRAIN, TEST = table(2000, 0), table(2000, 1)
COLUMNS = table_columns(TRAIN)


def test_fidelity_counts_shares_of_columns_and_pairs():
    real = pd.DataFrame({"x": ["a", "a", "b", "b"], "y": ["c", "d", "c", "d"]})
    samples = pd.DataFrame({"x": ["a", "a", "a", "b"], "y": ["c", "c", "c", "d"]})
    found = table_fidelity(table_columns(real), real, samples)
    assert found["column_tv"] == pytest.approx((0.25 + 0.25) / 2)
    assert found["worst_column_tv"] == 0.25
    assert found["pair_tv"] == pytest.approx((0.5 + 0.25 + 0.25 + 0.0) / 2)
    # Two columns of equal shares: s = sqrt(1/4 (1/4 + 1/4)) for each of two words.
    assert found["column_floor"] == pytest.approx(np.sqrt(0.125) * np.sqrt(2 / np.pi))


def test_the_floor_is_what_real_rows_reach():
    found = table_fidelity(COLUMNS, TEST, TRAIN)
    assert found["column_tv"] == pytest.approx(found["column_floor"], rel=0.25)
    assert found["pair_tv"] == pytest.approx(found["pair_floor"], rel=0.15)
    wrong = table_fidelity(COLUMNS, TEST, table(2000, 2, p=0.9))
    assert wrong["worst_column_tv"] == pytest.approx(0.4, abs=0.04)


def test_gaps_are_a_bin_and_bins_hold_equal_shares():
    frame = pd.DataFrame({"x": np.append(np.arange(99.0), np.nan), "y": ["a", "b"] * 50})
    columns = table_columns(frame)
    without = frame.assign(x=frame["x"].fillna(0.0))
    assert table_fidelity(columns, frame, without)["worst_column_tv"] == pytest.approx(0.01)
    halves = pd.DataFrame({"x": np.repeat([10.0, 90.0], 50), "y": ["a", "b"] * 50})
    found = table_fidelity(columns, frame.dropna(), halves, bins=2)
    assert found["worst_column_tv"] < 0.02  # half of the numbers are in each bin


def test_trees_tell_other_distributions_apart():
    assert detection_auc(COLUMNS, TEST, TRAIN) == pytest.approx(0.5, abs=0.05)
    assert detection_auc(COLUMNS, TEST, table(2000, 2, shift=4.0)) > 0.95


def test_labels_of_samples_are_useful_if_they_depend_on_the_row():
    found = usefulness(COLUMNS, TEST, TRAIN, "rich")
    # The best rule, age > 40, is right in 3/4.
    assert found["accuracy"] == pytest.approx(0.75, abs=0.04) and found["auc"] > 0.78
    shuffled = TRAIN.assign(rich=TRAIN["rich"].sample(frac=1, random_state=0).to_numpy())
    assert usefulness(COLUMNS, TEST, shuffled, "rich")["auc"] == pytest.approx(0.5, abs=0.1)
    same = TRAIN.assign(rich="no")
    assert usefulness(COLUMNS, TEST, same, "rich") == {
        "accuracy": (TEST["rich"] == "no").mean(), "auc": 0.5,
    }  # fmt: skip
    with pytest.raises(ValueError, match="target is 'age': expected the name of a column with two"):
        usefulness(COLUMNS, TEST, TRAIN, "age")
    for rich, found in (("no", 1), (None, 0)):
        with pytest.raises(ValueError, match=f"contain {found} of its two categories"):
            usefulness(COLUMNS, TEST.assign(rich=rich), TRAIN, "rich")
    with pytest.raises(ValueError, match="columns contains only 'rich'"):
        usefulness(COLUMNS[1:2], TEST[["rich"]], TRAIN[["rich"]], "rich")


def test_a_gap_is_as_far_from_all_values():
    frame = pd.DataFrame({"age": [*range(40), None], "w": ["x", "y", None] * 13 + ["x"] * 2})
    columns = table_columns(frame)

    def rows(age, word):
        return pd.DataFrame({"age": [age] * 2, "w": [word] * 2})

    gap = rows(np.nan, "x")
    pairs = [
        (rows(1.0, "x"), rows(39.0, "x")),
        (rows(39.0, "x"), rows(np.nan, "y")),
        (rows(np.nan, None), rows(np.nan, "y")),
    ]
    for near, far in pairs:
        assert closest_rows(columns, gap, near, far)["nearer_to_training"] == 0.5
    assert closest_rows(columns, gap, gap, rows(1.0, "x"))["nearer_to_training"] == 1.0


def test_copies_are_nearer_to_training_rows():
    found = closest_rows(COLUMNS, TRAIN[:300], TRAIN, TEST)
    assert found == {"nearer_to_training": 1.0, "copies": 1.0, "held_out_copies": 0.0}
    found = closest_rows(COLUMNS, table(400, 2), TRAIN, TEST)
    assert found["nearer_to_training"] == pytest.approx(0.5, abs=0.1) and found["copies"] == 0


def test_the_order_of_the_rows_does_not_matter():
    ordered = TRAIN.sort_values("age")
    found = closest_rows(COLUMNS, table(400, 2), ordered, TEST[:500])
    assert found["nearer_to_training"] == pytest.approx(0.5, abs=0.08)
    zeros = pd.DataFrame({"x": [0.0, 1.0], "y": ["a", "b"]})
    negative = zeros.assign(x=-zeros["x"])[:1]
    found = closest_rows(table_columns(zeros), pd.concat([negative] * 2), zeros, zeros)
    assert found["copies"] == 1


def test_distances_add_ranks_and_words():
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": ["a", "b", "a", "b"]})
    columns = table_columns(frame)
    sample = pd.DataFrame({"x": [0.0, 0.0], "y": ["a", "b"]})
    near = pd.DataFrame({"x": [1.0, 1.0], "y": ["b", "b"]})  # distances 1 + 1/4, and 1/4
    far = pd.DataFrame({"x": [3.0, 3.0], "y": ["a", "a"]})  # distances 3/4, and 1 + 3/4
    assert closest_rows(columns, sample, near, far)["nearer_to_training"] == 0.5
