import numpy as np

from keras_gen.metrics.representations.disentanglement.information_gap import (
    mutual_information,
    top_gap,
)


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


def test_a_constant_code_tells_nothing():
    table = mutual_information(np.ones([6, 1]), np.arange(6)[:, None], bins=3)
    np.testing.assert_allclose(table, 0.0, atol=1e-12)


def test_the_gap_is_between_the_two_largest_of_a_column():
    table = np.array([[0.1, 3.0], [0.7, 3.0], [0.4, 1.0]])
    np.testing.assert_allclose(top_gap(table), [0.3, 0.0])
