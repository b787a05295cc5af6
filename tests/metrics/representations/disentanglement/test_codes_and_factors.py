import numpy as np
import pytest

from keras_gen.metrics import dci_scores, mutual_information_gap, sap_score
from keras_gen.metrics.representations.disentanglement.codes_and_factors import (
    better_than_chance,
    refuse_noise,
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
        match=r"the best, factor 0, scores 0.500 on 60 held-out examples, 0.500 on shuffled ones",
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


@pytest.mark.parametrize("score", [dci_scores, mutual_information_gap, sap_score])
@pytest.mark.parametrize(
    ("codes", "factors", "error", "message"),
    [
        (np.zeros([4, 2]), np.zeros([5, 2], int), ValueError, r"shape \[4, f\], found \[5, 2\]"),
        (np.zeros([4, 2]), np.zeros([4], int), ValueError, r"found \[4\]"),
        (np.zeros([4, 1]), np.zeros([4, 2], int), ValueError, "1 codes and 2 factors"),
        (np.zeros([4, 2]), np.zeros([4, 1], int), ValueError, "2 codes and 1 factors"),
        (np.full([4, 2], np.inf), np.zeros([4, 2], int), ValueError, "infinity"),
        (np.zeros([4, 2]), np.zeros([4, 2]), TypeError, "integers, found float64"),
        (np.eye(4), [[0, 1], [1, 1], [0, 1], [1, 1]], ValueError, "factor 1 has one value"),
    ],
)
def test_clear_errors(score, codes, factors, error, message):
    with pytest.raises(error, match=message):
        score(codes, factors)
