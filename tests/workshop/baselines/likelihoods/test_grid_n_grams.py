"""Counts of neighboring codes: nearly a distribution, and what follows a class or a neighbor."""

import itertools

import numpy as np
import pytest

from keras_gen.workshop.baselines import GridNGrams, best_grid_n_grams


@pytest.mark.parametrize("order", [2, 3, 4])
def test_probabilities_of_all_grids_sum_to_less_than_1(order, rng):
    codes = rng.integers(0, 3, (400, 2, 2))
    labels = rng.integers(0, 2, 400)
    model = GridNGrams(order, levels=3, classes=2).fit(codes, labels)
    every = np.array(list(itertools.product(range(3), repeat=4))).reshape(-1, 2, 2)
    total = np.exp(model.log_prob(every, np.zeros(len(every), int))).sum()
    assert 0.9 < total <= 1


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


@pytest.mark.parametrize(
    ("codes", "labels", "sentence"),
    [
        ([[[4]]], [0], "Found 4 to 4: expected codes .* in 0 to 3"),
        ([[[-1]]], [0], "Found -1 to -1: expected codes"),
        ([[[1]]], [-1], "Found -1 to -1: expected labels .* in 0 to 1"),
        ([[1]], [0], r"shape \[1, 1\]: expected integer codes \[n, height, width\]"),
        ([[[1]], [[1]]], [0], "1 labels for 2 grids: expected one for each"),
    ],
)
def test_what_is_refused(codes, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        GridNGrams(2, levels=4, classes=2).fit(np.array(codes), np.array(labels))
