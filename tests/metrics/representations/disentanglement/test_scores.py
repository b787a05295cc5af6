"""The scores of codes and factors on codes whose scores are known."""

import numpy as np
import pytest

from keras_gen.data import Factors
from keras_gen.metrics import dci_scores, mutual_information_gap, sap_score
from keras_gen.metrics.representations.disentanglement.dci import completeness, disentanglement

GRID = Factors({"a": 2, "b": 3, "c": 5})
ALL = GRID.values(np.arange(10 * len(GRID)) % len(GRID))  # ten times, so that some are held out

# Four factors of five values, mixed evenly: every code tells as much of every factor.
FOUR = Factors(dict.fromkeys("abcd", 5))
MIXED = FOUR.values(np.arange(len(FOUR)))
HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])


def perfect(factors):
    """One code a factor, in another order, scale and direction, and a dead one."""
    codes = factors[:, ::-1] * np.array([-3.0, 0.01, 100.0]) + 5
    return np.concatenate([codes, np.ones([len(codes), 1])], axis=1)


def rotated(angle, rng):
    factors = Factors({"a": 5, "b": 5}).sample(2000, rng)
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    return (factors + 0.1 * rng.normal(size=factors.shape)) @ np.array([[c, -s], [s, c]]), factors


def test_perfect_codes_have_the_best_scores():
    codes = perfect(ALL)
    assert mutual_information_gap(codes, ALL) == pytest.approx(1)
    assert sap_score(codes, ALL) == pytest.approx(np.mean([1 - 1 / 2, 1 - 1 / 3, 1 - 1 / 5]))
    assert dci_scores(codes, ALL) == pytest.approx(
        {"disentanglement": 1, "completeness": 1, "informativeness": 1}
    )


def test_evenly_mixed_codes_have_the_worst_scores():
    codes = MIXED @ HADAMARD
    assert mutual_information_gap(codes, MIXED) == pytest.approx(0, abs=1e-9)
    assert sap_score(codes, MIXED) == pytest.approx(0, abs=1e-9)


@pytest.mark.thorough
def test_turning_the_codes_lowers_the_scores_step_by_step():
    scores = []
    for angle in (0, 10, 25, 45):
        codes, factors = rotated(angle, np.random.default_rng(1))
        dci = dci_scores(codes, factors)
        scores.append(
            [
                mutual_information_gap(codes, factors),
                sap_score(codes, factors),
                dci["disentanglement"],
                dci["completeness"],
            ]
        )
    scores = np.array(scores)
    assert (np.diff(scores, axis=0) < -0.005).all()
    assert (scores[0] > 0.75).all() and (scores[-1] < 0.1).all()


@pytest.mark.thorough
@pytest.mark.parametrize("score", [mutual_information_gap, sap_score, dci_scores])
def test_codes_that_know_nothing_have_no_score(score, rng):
    factors = GRID.sample(300, rng)
    for codes in (rng.normal(size=[300, 4]), np.ones([300, 2])):
        with pytest.raises(ValueError, match="No factor is predicted from the codes better than"):
            score(codes, factors)


@pytest.mark.thorough
def test_one_factor_that_is_known_is_enough(rng):
    factors = Factors(dict.fromkeys("abcd", 5)).sample(2000, rng)
    codes = rng.normal(size=[2000, 4])
    codes[:, 2] = factors[:, 1]
    assert mutual_information_gap(codes, factors) == pytest.approx(1 / 4, abs=0.02)
    # The noise that the predictors of the other three factors take up is not counted.
    scores = dci_scores(codes, factors)
    assert scores["disentanglement"] > 0.99
    assert scores["completeness"] == pytest.approx(1 / 4, abs=0.01)


def test_copies_of_a_code_close_the_gaps():
    codes = ALL[:, [0, 1, 2, 2]].astype(float)
    assert mutual_information_gap(codes, ALL) == pytest.approx(2 / 3)
    assert sap_score(codes, ALL) == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_copies_are_disentangled_but_incomplete(rng):
    factors = GRID.sample(300, rng)
    scores = dci_scores(factors[:, [0, 1, 2, 2]], factors)
    assert scores["disentanglement"] == pytest.approx(1, abs=1e-6)
    # Two of four codes share the third factor, more or less evenly: 1 - log 2 / log 4 = 1/2.
    assert scores["completeness"] == pytest.approx((1 + 1 + 0.5) / 3, abs=0.05)


def test_one_code_for_all_is_complete_but_entangled(rng):
    factors = GRID.sample(500, rng)
    together = np.ravel_multi_index(factors.T, GRID.sizes)
    codes = np.stack([together, np.zeros(500)], axis=1)
    scores = dci_scores(codes, factors)
    assert scores["disentanglement"] == pytest.approx(0, abs=1e-9)
    assert scores["completeness"] == pytest.approx(1)
    assert scores["informativeness"] > 0.95  # leaves of 1 % are too coarse for thirty steps


def test_a_sum_of_two_bits_by_hand():
    # z = a + b tells half a bit of each of two bits; the other code tells all of b.
    factors = Factors({"a": 2, "b": 2}).values(np.arange(200) % 4)
    codes = np.stack([factors.sum(axis=1), factors[:, 1]], axis=1)
    assert mutual_information_gap(codes, factors) == pytest.approx((0.5 + 0.5) / 2)


def test_fewer_bins_than_values_cap_the_gap():
    factors = Factors({"a": 4, "b": 4}).values(np.arange(320) % 16)
    assert mutual_information_gap(factors, factors, bins=2) == pytest.approx(1 / 2)


def test_sap_of_overlapping_classes_by_hand():
    # Uniform on [0, 2] or on [1, 3]: no threshold is right for more than 3/4 of either on average.
    grid = Factors({"place": 200, "a": 2, "b": 2})
    place, a, b = grid.values(np.arange(len(grid))).T
    codes = np.stack([(place + 0.5) / 100 + a, b], axis=1)
    expected = np.mean([3 / 4 - 1 / 2, 1 - 1 / 2])
    assert sap_score(codes, np.stack([a, b], axis=1)) == pytest.approx(expected)


def test_sap_balances_the_classes():
    # Nine in ten lie evenly on [0, 2], the rest on [1, 2], where they still are the fewer. To call
    # that half rare is right for half of the many and all of the few.
    place = np.concatenate([(np.arange(1800) + 0.5) / 900, 1 + (np.arange(200) + 0.5) / 200])
    rare, other = (np.arange(2000) >= 1800).astype(int), np.arange(2000) % 2
    score = sap_score(np.stack([place, other], axis=1), np.stack([rare, other], axis=1))
    expected = np.mean([(1 / 2 + 1) / 2 - 1 / 2, 1 - 1 / 2])
    assert score == pytest.approx(expected, abs=0.002)  # "other" has one place more at an end


def test_disentanglement_and_completeness_by_hand():
    importance = np.array([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
    # Rows: entropy 1 bit of 1, 0 bits of 1, each half of the weight; the dead code has none.
    assert disentanglement(importance) == pytest.approx(1 / 2)
    shared = -(1 / 3 * np.log(1 / 3) + 2 / 3 * np.log(2 / 3)) / np.log(3)
    assert completeness(importance) == pytest.approx((1 + 1 - shared) / 2)
    # A factor that no code is important to is not caught at all.
    assert completeness(np.array([[1.0, 0.0], [0.0, 0.0]])) == pytest.approx(1 / 2)
    assert disentanglement(np.zeros([3, 2])) == 0


def test_noise_in_the_codes_does_not_pass_for_entanglement(rng):
    factors = Factors({"a": 8, "b": 8}).sample(2000, rng)
    codes = np.c_[factors + 0.5 * rng.normal(size=factors.shape), rng.normal(size=[2000, 3])]
    scores = dci_scores(codes, factors)
    # Trees grown to single rows would fit the noise with the other codes, and find about 0.4.
    assert scores["disentanglement"] > 0.7 and scores["completeness"] > 0.7
    assert 0.5 < scores["informativeness"] < 0.9


def test_dci_follows_the_seed(rng):
    factors = GRID.sample(100, rng)
    codes = factors + rng.normal(size=factors.shape)
    first = dci_scores(codes, factors, seed=1)
    assert first == dci_scores(codes, factors, seed=1)
    assert first != dci_scores(codes, factors, seed=2)
