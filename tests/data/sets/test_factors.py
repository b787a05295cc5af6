"""The grid of all combinations of factors, and draws from it."""

import itertools

import numpy as np
import pytest

from keras_gen.data import Factors


def test_values_enumerate_the_grid():
    factors = Factors({"a": 2, "b": 3, "c": 4})
    assert len(factors) == 24
    everything = factors.values(np.arange(24))
    assert everything.tolist() == [
        list(row) for row in itertools.product(range(2), range(3), range(4))
    ]


def test_samples_are_uniform_and_independent(rng):
    factors = Factors({"a": 2, "b": 3})
    rows = factors.sample(60_000, rng)
    counts = np.bincount(np.ravel_multi_index(rows.T, factors.sizes), minlength=6)
    # Each of six combinations 10,000 times, standard deviation 91.
    assert np.abs(counts - 10_000).max() < 500
    assert factors.sample(3, np.random.default_rng(1)).tolist() == (
        factors.sample(3, np.random.default_rng(1)).tolist()
    )


def test_the_fixed_factor_is_fixed_and_the_others_are_not(rng):
    factors = Factors({"a": 4, "b": 5})
    rows = factors.sample_with_fixed(1, np.full(2000, 3), rng)
    assert (rows[:, 1] == 3).all()
    assert np.abs(np.bincount(rows[:, 0]) / 2000 - 0.25).max() < 0.05


def test_each_row_may_fix_a_factor_of_its_own(rng):
    factors = Factors({"a": 4, "b": 5})
    rows = factors.sample_with_fixed(np.array([0, 1, 0]), np.array([3, 4, 0]), rng)
    assert (rows[0, 0], rows[1, 1], rows[2, 0]) == (3, 4, 0)


def test_clear_errors(rng):
    with pytest.raises(ValueError, match="no factor"):
        Factors({})
    with pytest.raises(ValueError, match="values of factor 'b' must be at least 2, found 1"):
        Factors({"a": 2, "b": 1})
    factors = Factors({"a": 2, "b": 3})
    with pytest.raises(ValueError, match="'b' has values 0 to 2, found 3 in row 1"):
        factors.sample_with_fixed(1, np.array([0, 3]), rng)
