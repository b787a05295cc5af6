"""Distributions of sequences by counts against closed forms, enumerations and dictionaries."""

import itertools
from collections import Counter

import numpy as np
import pytest

from keras_gen.core.kinds_of_data import Characters
from keras_gen.workshop.baselines import NGrams, best_n_grams

EVERY = np.array(list(itertools.product(range(3), repeat=4)))


@pytest.mark.parametrize("order", range(1, 7))
def test_is_a_distribution_of_sequences_of_one_length(rng, order):
    train = rng.integers(-1, 2, (5, 6))  # the level 2 never occurs
    p = np.exp(NGrams(order, 3).fit(train).log_prob(EVERY))
    assert (p > 0).all() and p.sum() == pytest.approx(1)


@pytest.mark.parametrize("order", [1, 3, 5])
def test_is_a_distribution_of_texts_up_to_a_length(order):
    edge = Characters("abc", 4)
    model = NGrams(order, edge.levels).fit(edge.prepare(["abca", "cab", "a", "bbcab"]).numpy())
    texts = ["".join(t) for size in range(5) for t in itertools.product("abc", repeat=size)]
    p = np.exp(model.log_prob(edge.prepare(texts).numpy()))
    assert len(p) == 121 and p.sum() == pytest.approx(1)


def test_counts_of_single_levels():
    """With few counts, 0.5, 1 and 1.5 are taken from 1, 2 and more, and spread evenly."""
    model = NGrams(1, 4).fit(np.array([[0, 0, 1, -1], [0, 1, 0, 2]]))
    spread = (1.5 + 1 + 0.5) / 7 / 4
    expected = np.array([2.5, 1, 0.5, 0]) / 7 + spread
    np.testing.assert_allclose(np.exp(model.log_prob(np.arange(4)[:, None])), expected)


def test_discounts_of_levels_that_occur_once_twice_and_more_often():
    """Chen and Goodman's closed form, with 3, 2, 1 and 1 levels of 1, 2, 3 and 4 occurrences."""
    counts = np.array([1, 1, 1, 2, 2, 3, 4])
    model = NGrams(1, 7).fit(np.repeat(np.arange(7), counts)[None])
    y = 3 / (3 + 2 * 2)
    discounts = np.array([1 - 2 * y * 2 / 3, 2 - 3 * y * 1 / 2, 3 - 4 * y * 1 / 1])
    discounts = discounts[np.minimum(counts, 3) - 1]
    expected = (counts - discounts + discounts.sum() / 7) / counts.sum()
    np.testing.assert_allclose(np.exp(model.log_prob(np.arange(7)[:, None])), expected)


def by_dictionaries(train, order, levels, sequence):
    """Log-probability of a sequence, as the formula reads."""
    raw = Counter()
    for known in train:
        known = (None,) * (order - 1) + tuple(known)
        for end in range(order, len(known) + 1):
            raw.update(known[end - size : end] for size in range(1, order + 1))

    def count(n_gram):
        if len(n_gram) == order or n_gram[0] is None:
            return raw[n_gram]
        return sum(longer[1:] == n_gram for longer in raw if len(longer) == len(n_gram) + 1)

    counts = {n_gram: count(n_gram) for n_gram in raw}

    def discount(value):
        return (0, 0.5, 1, 1.5)[min(value, 3)]

    def p(context, level):
        shorter = p(context[1:], level) if context else 1 / levels
        after = [counts.get((*context, other), 0) for other in range(levels)]
        if not sum(after):
            return shorter
        spread = sum(map(discount, after)) * shorter
        return (after[level] - discount(after[level]) + spread) / sum(after)

    ahead = (None,) * (order - 1)
    whole = (*ahead, *sequence)
    return sum(
        np.log(p(whole[place : place + order - 1], whole[place + order - 1]))
        for place in range(len(sequence))
    )


@pytest.mark.parametrize("order", [2, 3, 4])
def test_is_what_the_formula_says(order):
    train = [(0, 1, 0, 2, 1), (0, 1, 1, 0, 1), (2, 1, 0, 1, 0)]
    model = NGrams(order, 3).fit(np.array(train))
    found = model.log_prob(EVERY)
    expected = [by_dictionaries(train, order, 3, each) for each in EVERY.tolist()]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("order", [1, 3])
def test_padding_counts_nothing(rng, order):
    train = rng.integers(0, 3, (4, 5))
    around = np.pad(train, ((0, 1), (3, 2)), constant_values=-1)  # the last is all padding
    for dtype in ("int8", "int64"):
        padded = around.astype(dtype)[..., None]
        model = NGrams(order, 3).fit(padded)
        expected = NGrams(order, 3).fit(train).log_prob(train)
        found = model.log_prob(padded)
        np.testing.assert_array_equal(found, [*expected, 0])
    unsigned = NGrams(order, 3).fit(train.astype("uint8"))
    np.testing.assert_array_equal(unsigned.log_prob(train.astype("uint8")), expected)


def test_the_order_is_chosen_on_held_out_sequences(rng):
    """Each level is the sum of the two before it modulo 3, or with 1 of 10 any."""
    sequences = rng.integers(0, 3, (300, 40))
    noise = rng.random(sequences.shape) < 0.1
    for time in range(2, 40):
        rule = (sequences[:, time - 1] + sequences[:, time - 2]) % 3
        sequences[:, time] = np.where(noise[:, time], sequences[:, time], rule)
    train, held_out, test = np.split(sequences, [100, 200])
    best = best_n_grams(train, held_out, range(1, 6), levels=3)
    assert best.order == 3
    right = 0.9 + 0.1 / 3
    entropy = -right * np.log(right) - 2 * (0.1 / 3) * np.log(0.1 / 3)
    nats = -best.log_prob(test).mean()
    assert nats == pytest.approx(2 * np.log(3) + 38 * entropy, rel=0.05)


@pytest.mark.parametrize(
    "sequences,message",
    [
        (np.zeros((2, 3)), r"dtype float64 and shape \[2, 3\]: expected integers"),
        (np.zeros(3, int), r"shape \[3\]"),
        (np.zeros((2, 3, 2), int), r"shape \[2, 3, 2\]"),
        (np.zeros((0, 3), int), r"shape \[0, 3\]"),
        (np.array([[0, 4]]), r"from 0 to 4: expected 0 to 3, and -1 for padding"),
        (np.array([[-2, 1]]), "from -2 to 1"),
        (np.array([[-1, -1]]), "all padding: expected one level at least"),
    ],
)
def test_bad_sequences(sequences, message):
    with pytest.raises(ValueError, match=message):
        NGrams(2, 4).fit(sequences)


def test_errors():
    with pytest.raises(ValueError, match="8-grams of 256 levels do not fit 63 bits"):
        NGrams(8, 256)
    with pytest.raises(ValueError, match="order must be at least 1, found 0"):
        NGrams(0, 256)
    with pytest.raises(ValueError, match="not fitted: call fit first"):
        NGrams(1, 2).log_prob(np.array([[0]]))
