"""N-grams against counts by hand and known entropies."""

import itertools
from collections import Counter

import numpy as np
import pytest

from keras_gen.workshop.baselines import (
    GridNGrams,
    NGrams,
    WordNGrams,
    best_grid_n_grams,
    best_n_grams,
)

EVERY = np.array(list(itertools.product(range(3), repeat=4)))


def test_discounts_of_levels_that_occur_once_twice_and_more_often():
    """Chen and Goodman's closed form, with 3, 2, 1 and 1 levels of 1, 2, 3 and 4 occurrences."""
    counts = np.array([1, 1, 1, 2, 2, 3, 4])
    model = NGrams(1, 7).fit(np.repeat(np.arange(7), counts)[None])
    y = 3 / (3 + 2 * 2)
    discounts = np.array([1 - 2 * y * 2 / 3, 2 - 3 * y * 1 / 2, 3 - 4 * y * 1 / 1])
    discounts = discounts[np.minimum(counts, 3) - 1]
    expected = (counts - discounts + discounts.sum() / 7) / counts.sum()
    np.testing.assert_allclose(np.exp(model.log_prob(np.arange(7)[:, None])), expected)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_conditionals_are_the_factors_of_the_probability(order):
    random = np.random.default_rng(0)
    model = NGrams(order, 3).fit(random.integers(0, 3, (50, 6)))
    total = 0
    for place in range(4):
        p = model.conditional(np.pad(EVERY[:, :place], ((0, 0), (1, 0)), constant_values=-1))
        np.testing.assert_allclose(p.sum(axis=1), 1)
        total += np.log(p[np.arange(len(EVERY)), EVERY[:, place]])
    np.testing.assert_allclose(total, model.log_prob(EVERY))


def test_n_grams_with_words_have_no_conditional():
    model = WordNGrams(2, 3, np.array([True, True, False])).fit(EVERY)
    with pytest.raises(NotImplementedError, match="use NGrams"):
        model.conditional(EVERY)


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


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_is_what_the_formula_says(order):
    train = [(0, 1, 0, 2, 1), (0, 1, 1, 0, 1), (2, 1, 0, 1, 0)]
    model = NGrams(order, 3).fit(np.array(train))
    found = model.log_prob(EVERY)
    expected = [by_dictionaries(train, order, 3, each) for each in EVERY.tolist()]
    np.testing.assert_allclose(found, expected)


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


def test_classes_and_neighbors_count_where_codes_follow_them(rng):
    """A code is that above plus the class, in a third of the grids anything."""
    labels = rng.integers(0, 2, 900)
    codes = rng.integers(0, 4, (900, 3, 1))
    for row in (1, 2):
        follows = rng.uniform(size=900) < 2 / 3
        codes[follows, row, 0] = (codes[follows, row - 1, 0] + labels[follows]) % 4
    parts = (codes[:600], labels[:600]), (codes[600:], labels[600:])
    best = best_grid_n_grams(*parts, (2, 3, 4), levels=4, classes=2)
    assert best.order == 4
    nats = -best.log_prob(*parts[1]).mean()
    own = 2 / 3 + 1 / 12
    entropy = np.log(4) + 2 * -(own * np.log(own) + 3 / 12 * np.log(1 / 12))
    assert nats == pytest.approx(entropy, abs=0.12)


def test_shorter_contexts_count_the_code_to_the_left_alone():
    """A 1 stands below a 2 and never to the right of it."""
    codes = np.tile([[2, 2], [1, 0]], (300, 1, 1))
    model = GridNGrams(3, levels=4, classes=1).fit(codes, np.zeros(300, int))
    # The last code has a 2 to its left, and a 1 above, which never stood together.
    two, one = model.log_prob(np.array([[[1, 1], [2, 2]], [[1, 1], [2, 1]]]), np.zeros(2, int))
    assert np.exp(two - one) > 4


def test_words_predict_what_short_n_grams_do_not_see(rng):
    """The letter of a word is that of the word before it, three characters earlier."""
    letters = 6
    first = rng.integers(0, letters, (3000, 1))
    spaces = np.full([3000, 3], letters)
    texts = np.concatenate([first, spaces, first], axis=1)
    train, held_out, test = np.split(texts, [2000, 2500])
    alphabet = np.arange(letters + 1) < letters
    words = WordNGrams(2, letters + 1, alphabet).fit(train).tuned(held_out)
    plain = NGrams(2, letters + 1).fit(train)
    gain = words.log_prob(test).mean() - plain.log_prob(test).mean()
    assert gain > 0.7 * np.log(letters)
