"""Cheap models of tables recover known distributions."""

import itertools

import numpy as np
import pytest

from keras_gen.workshop.baselines import (
    ChowLiuTree,
    ColumnNetwork,
    IndependentColumns,
    ProductMixture,
)

SIZES = 2, 3, 2


def cells(n, seed):
    """A chain: the second value depends on the first, and the third on the second."""
    random = np.random.default_rng(seed)
    first = random.integers(0, 2, n)
    second = np.where(random.uniform(size=n) < 0.8, first, 2)
    third = np.where(random.uniform(size=n) < 0.9, second % 2, 1 - second % 2)
    return np.stack([first, second, third], axis=1)


def log_p(rows):
    first, second, third = rows.T
    p = 0.5 * np.where(second == first, 0.8, np.where(second == 2, 0.2, 0))
    return np.log(np.maximum(p * np.where(third == second % 2, 0.9, 0.1), 1e-12))


TRAIN = cells(20000, 0)
EVERY = np.array(list(itertools.product(*map(range, SIZES))))
MODELS = {
    "independent": lambda: IndependentColumns(TRAIN, SIZES),
    "tree": lambda: ChowLiuTree(TRAIN, SIZES),
    "network": lambda: ColumnNetwork(TRAIN, SIZES),
    "mixture": lambda: ProductMixture(TRAIN, SIZES, components=6, rounds=40),
}


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_sum_to_1_and_samples_follow_them(name):
    model = MODELS[name]()
    p = np.exp(model.log_prob(EVERY))
    assert p.sum() == pytest.approx(1, abs=1e-4)
    drawn = model.sample(20000, seed=1)
    shares = [(drawn == row).all(axis=1).mean() for row in EVERY]
    np.testing.assert_allclose(shares, p, atol=0.015)


def test_the_tree_and_the_mixture_recover_the_chain():
    test = cells(20000, 1)
    true = log_p(test).mean()
    assert MODELS["tree"]().log_prob(test).mean() == pytest.approx(true, abs=0.01)
    assert MODELS["network"]().log_prob(test).mean() == pytest.approx(true, abs=0.01)
    assert MODELS["mixture"]().log_prob(test).mean() == pytest.approx(true, abs=0.03)
    marginals = [np.bincount(column) / len(test) for column in test.T]
    entropy = sum((p * np.log(p)).sum() for p in marginals)
    assert MODELS["independent"]().log_prob(test).mean() == pytest.approx(entropy, abs=0.01)


def test_only_the_network_learns_a_value_that_depends_on_two():
    bits = np.random.default_rng(0).integers(0, 2, [4000, 2])
    rows = np.concatenate([bits, bits.sum(axis=1, keepdims=True)], axis=1)
    nats = [-kind(rows, (2, 2, 3)).log_prob(rows).mean() for kind in (ChowLiuTree, ColumnNetwork)]
    np.testing.assert_allclose(nats, [2.5 * np.log(2), 2 * np.log(2)], atol=0.02)


@pytest.mark.parametrize("kind", [ChowLiuTree, ColumnNetwork])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "uint64"])
def test_pairs_of_small_integers_are_counted_without_overflow(kind, dtype):
    first = np.random.default_rng(0).integers(0, 30, 500)
    rows = np.stack([first, first + 3], axis=1)
    model = kind(rows.astype(dtype), (30, 40))
    nats = model.log_prob(rows)
    np.testing.assert_array_equal(nats, kind(rows, (30, 40)).log_prob(rows))


def test_the_network_does_not_depend_on_later_changes_of_the_rows():
    rows = TRAIN.copy()
    model = ColumnNetwork(rows, SIZES)
    before = model.log_prob(EVERY)
    rows[:] = 0
    np.testing.assert_array_equal(model.log_prob(EVERY), before)


def test_the_tree_joins_neighbors_of_the_chain():
    assert MODELS["tree"]().parents == {1: 2, 0: 1}


def test_the_mixture_fills_gaps_from_the_conditional_distribution():
    model = MODELS["mixture"]()
    given = np.array([[1, -1, 0]])
    rows = np.array([[1, k, 0] for k in range(3)])
    p = np.exp(model.log_prob(rows))
    np.testing.assert_allclose(model.probabilities(given)[1][0], p / p.sum(), rtol=1e-4)
    assert model.log_prob(given) == pytest.approx(np.log(p.sum()), abs=1e-5)


@pytest.mark.parametrize("kind", [IndependentColumns, ChowLiuTree, ColumnNetwork, ProductMixture])
def test_gaps_and_unknown_cells_are_refused(kind):
    for rows, sentence in (
        (TRAIN[:0], "cells has no rows"),
        ([[0, 3, 0]], "cells contains 3 in row 0 of column 1: expected -?[01] to 2"),
        ([[0, 1]], r"cells has shape \(1, 2\) and dtype int64: expected integers \[n, 3\]"),
    ):
        with pytest.raises(ValueError, match=sentence):
            kind(np.array(rows), SIZES)
    if kind is not ProductMixture:  # which ignores gaps
        with pytest.raises(
            ValueError, match="cells contains -1 in row 0 of column 1: expected 0 to 2"
        ):
            kind(TRAIN, SIZES).log_prob(np.array([[0, -1, 0]]))
        with pytest.raises(ValueError, match="cells contains -1 in row 1 of column 0"):
            kind(np.array([[0, 1, 0], [-1, 1, 0]]), SIZES)
