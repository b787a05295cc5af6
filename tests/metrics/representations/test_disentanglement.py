"""Disentanglement scores of codes that hold factors apart, mixed, or not at all."""

import numpy as np
import pytest

from keras_gen.data import Factors
from keras_gen.metrics import (
    beta_vae_score,
    dci_scores,
    factor_vae_score,
    mutual_information_gap,
    sap_score,
)
from keras_gen.metrics.representations.disentanglement import (
    better_than_chance,
    completeness,
    disentanglement,
    mutual_information,
    refuse_noise,
    top_gap,
)


def test_factors_are_told_from_their_shuffles(rng):
    factors = rng.integers(5, size=[200, 3])
    predicted = factors.copy()
    predicted[:, 1] = rng.integers(5, size=200)
    predicted[40:, 2] = rng.integers(5, size=160)
    assert better_than_chance(predicted, factors).tolist() == [True, False, True]
    # Half of ten right guesses among five is no proof; of thirty it is.
    guess = np.where(np.arange(30) % 2, factors[:30, 0], (factors[:30, 0] + 1) % 5)[:, None]
    assert better_than_chance(guess, factors[:30, :1])
    with pytest.raises(ValueError, match="No factor"):
        better_than_chance(guess[:10], factors[:10, :1])


def test_what_is_rare_counts_as_much_as_its_shuffles(rng):
    # Nine in ten are 0. To say so of all is right for nine in ten, and so of the shuffled.
    factors = (rng.random([500, 2]) < 0.1).astype(int)
    predicted = np.zeros([500, 2], int)
    predicted[:100, 1] = factors[:100, 1]
    assert better_than_chance(predicted, factors).tolist() == [False, True]


@pytest.mark.thorough
def test_noise_passes_at_most_once_in_a_hundred_times():
    passed = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        try:
            better_than_chance(rng.integers(3, size=[60, 2]), rng.integers(3, size=[60, 2]))
            passed += 1
        except ValueError:
            pass
    assert passed <= 3


def test_the_refusal_names_the_best_factor():
    factors = np.stack([np.arange(60) % 2, np.arange(60) // 30], axis=1)
    predicted = np.zeros([60, 2], int)
    predicted[:31, 1] = 1
    predicted[31:, 1] = np.arange(29) % 2
    with pytest.raises(
        ValueError,
        match=r"best factor, 0, scores 0.500 on 60 held-out examples and 0.500 on shuffled ex",
    ):
        better_than_chance(predicted, factors)


def test_codes_are_judged_on_rows_that_the_trees_have_not_seen(rng):
    # Every row has codes of its own, by which trees could learn it by heart.
    factors = rng.integers(4, size=[400, 2])
    codes = rng.normal(size=[400, 3])
    with pytest.raises(ValueError, match="on 120 held-out examples"):
        refuse_noise(codes, factors)
    refuse_noise(np.c_[codes, factors[:, 1] + rng.normal(size=400)], factors)
    # Together alone: an exclusive or.
    bits = rng.integers(2, size=[400, 3])
    refuse_noise(np.c_[bits[:, 0] ^ bits[:, 1], bits[:, 1]], bits[:, [0, 2]])


def brute_information(x, y):
    """The definition, one pair of values at a time."""
    total = 0.0
    for a in set(x):
        for b in set(y):
            p = np.mean((x == a) & (y == b))
            if p:
                total += p * np.log(p / (np.mean(x == a) * np.mean(y == b)))
    return total


def test_mutual_information_against_the_definition(rng):
    factors = rng.integers(4, size=[200, 2])
    codes = np.stack([rng.integers(8, size=200), factors[:, 0] + rng.integers(2, size=200)], axis=1)
    table = mutual_information(codes.astype(float), factors, bins=8)
    expected = [[brute_information(z, v) for v in factors.T] for z in codes.T]
    np.testing.assert_allclose(table, expected, atol=1e-12)


def test_codes_are_cut_evenly_between_their_ends(rng):
    # Two bins: the halves of the range, not of the examples.
    codes = np.array([[0.0], [1.0], [4.9], [5.1], [10.0]])
    halves = np.array([[0], [0], [0], [1], [1]])
    table = mutual_information(codes, halves, bins=2)
    np.testing.assert_allclose(table, brute_information(halves[:, 0], halves[:, 0]))
    # As many values as bins fall into bins of their own, wherever rounding puts them.
    for count in range(2, 40):
        values = np.arange(count)[:, None]
        table = mutual_information(values * 0.1 - 3.0, values, bins=count)
        np.testing.assert_allclose(table, np.log(count))


def test_the_gap_is_between_the_two_largest_of_a_column():
    table = np.array([[0.1, 3.0], [0.7, 3.0], [0.4, 1.0]])
    np.testing.assert_allclose(top_gap(table), [0.3, 0.0])


GRID = Factors({"a": 4, "b": 5, "c": 6})
FEW = {"train": 300, "test": 300}

HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
SCORES = pytest.mark.parametrize("score", [beta_vae_score, factor_vae_score])


@pytest.mark.thorough
@SCORES
def test_one_code_a_factor_scores_one(score):
    def represent(values):
        return np.c_[values[:, ::-1] * [-1.0, 10.0, 0.3], np.ones(len(values))]

    assert score(GRID, represent, **FEW) == 1


@pytest.mark.thorough
@SCORES
def test_random_codes_have_no_score(score, rng):
    with pytest.raises(ValueError, match="No factor is predicted from the codes better than"):
        score(GRID, lambda values: rng.normal(size=[len(values), 5]), **FEW)


@pytest.mark.thorough
@SCORES
def test_one_factor_that_is_known_is_enough(score, rng):
    def represent(values):
        return np.c_[values[:, 1], rng.normal(size=[len(values), 3])]

    # The factor itself is told from the others, which are told apart by chance.
    assert score(GRID, represent, **FEW) == pytest.approx(1 / 3 + 2 / 3 / 2, abs=0.1)


@pytest.mark.thorough
def test_a_lost_factor_costs_its_fraction_in_one_score_and_nothing_in_the_other():
    def represent(values):
        return values[:, :2].astype(float)

    assert beta_vae_score(GRID, represent, **FEW) > 0.99
    assert factor_vae_score(GRID, represent, **FEW) == pytest.approx(2 / 3, abs=0.1)


def test_two_factors_on_one_code_are_one_too_few():
    def represent(values):
        return np.stack([values[:, 0] + 4 * values[:, 1], values[:, 2]], axis=1)

    # The code gets the votes of both factors and can stand for one only.
    assert factor_vae_score(GRID, represent, **FEW) == pytest.approx(2 / 3, abs=0.1)


def test_units_that_float32_cannot_tell_apart_do_not_matter(rng):
    factors = rng.integers(0, 4, (300, 2))
    codes = rng.normal(0, 0.01, (300, 3)) + np.pad(factors, ((0, 0), (0, 1)))
    for score in (sap_score, lambda *parts: dci_scores(*parts)["disentanglement"]):
        expected = score(codes, factors)
        for other in (1e-9 * codes, codes + 1e8):
            assert score(other, factors) == pytest.approx(expected, abs=0.02)


@pytest.mark.thorough
def test_the_scale_of_the_codes_does_not_matter(rng):
    mixing = rng.normal(size=[3, 3])
    first = beta_vae_score(GRID, lambda values: values @ mixing, pairs=4, **FEW)
    second = beta_vae_score(GRID, lambda values: values @ mixing * [1e-4, 1, 1e4], pairs=4, **FEW)
    assert first == pytest.approx(second, abs=0.01)
    assert first < 1
    first = factor_vae_score(GRID, lambda values: values @ mixing, samples=4, **FEW)
    second = factor_vae_score(
        GRID, lambda values: values @ mixing * [1e-4, 1, 1e4], samples=4, least_std=0, **FEW
    )
    assert first == second < 1


@pytest.mark.thorough
def test_collapsed_codes_have_no_vote(rng):
    def represent(values):
        codes = values + 0.3 * rng.normal(size=values.shape)
        return np.c_[codes, 0.01 * rng.normal(size=[len(values), 200])]

    # Among two hundred codes of noise, one often varies less by chance than the one held fixed.
    pruned = factor_vae_score(GRID, represent, samples=5, **FEW)
    kept = factor_vae_score(GRID, represent, samples=5, least_std=0, **FEW)
    assert kept + 0.1 < pruned > 0.9
    assert factor_vae_score(GRID, lambda values: np.ones([len(values), 2]), **FEW) == 0
    # What codes without a vote know does not count.
    with pytest.raises(ValueError, match="No factor is predicted from the codes better than"):
        factor_vae_score(
            GRID, lambda values: np.c_[1e-3 * values, rng.normal(size=[len(values), 1])], **FEW
        )


@pytest.mark.thorough
@SCORES
def test_codes_are_asked_for_in_parts_and_on_the_grid(score):
    sizes = []

    def represent(values):
        sizes.append(len(GRID.check(values)))
        return values

    first = score(GRID, represent, seed=1, **FEW)
    assert max(sizes) == 4096 and len(sizes) > 2
    assert score(GRID, represent, seed=1, **FEW) == first


@pytest.mark.thorough
@SCORES
def test_the_seed_decides(score, rng):
    mixing = rng.normal(size=[3, 3])
    few = {"train": 60, "test": 60, "pairs" if score is beta_vae_score else "samples": 3}
    first, again, other = (
        score(GRID, lambda values: values @ mixing, seed=seed, **few) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_encoders_whose_codes_cannot_be_used_are_refused():
    with pytest.raises(ValueError, match=r"of shape \[4096\]: expected finite codes \[4096, d\]"):
        beta_vae_score(GRID, lambda values: values[:, 0])
    with pytest.raises(ValueError, match="NaN or infinity in codes"):
        factor_vae_score(GRID, lambda values: values * np.nan)


COARSE = Factors({"a": 2, "b": 3, "c": 5})
ALL = COARSE.values(
    np.arange(10 * len(COARSE)) % len(COARSE)
)  # ten times, so that some are held out

# Four factors of five values, mixed evenly: every code tells as much of every factor.
FOUR = Factors(dict.fromkeys("abcd", 5))
MIXED = FOUR.values(np.arange(len(FOUR)))


def perfect(factors):
    """One code a factor, in another order, scale and direction, and a dead one."""
    codes = factors[:, ::-1] * np.array([-3.0, 0.01, 100.0]) + 5
    return np.concatenate([codes, np.ones([len(codes), 1])], axis=1)


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
@pytest.mark.parametrize("score", [mutual_information_gap, sap_score, dci_scores])
def test_codes_that_know_nothing_have_no_score(score, rng):
    factors = COARSE.sample(300, rng)
    for codes in (rng.normal(size=[300, 4]), np.ones([300, 2])):
        with pytest.raises(ValueError, match="No factor is predicted from the codes better than"):
            score(codes, factors)


@pytest.mark.thorough
def test_one_known_factor_is_enough_for_the_gap_and_dci(rng):
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
    factors = COARSE.sample(300, rng)
    scores = dci_scores(factors[:, [0, 1, 2, 2]], factors)
    assert scores["disentanglement"] == pytest.approx(1, abs=1e-6)
    # Two of four codes share the third factor, more or less evenly: 1 - log 2 / log 4 = 1/2.
    assert scores["completeness"] == pytest.approx((1 + 1 + 0.5) / 3, abs=0.05)


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
    factors = COARSE.sample(100, rng)
    codes = factors + rng.normal(size=factors.shape)
    first = dci_scores(codes, factors, seed=1)
    assert first == dci_scores(codes, factors, seed=1)
    assert first != dci_scores(codes, factors, seed=2)
