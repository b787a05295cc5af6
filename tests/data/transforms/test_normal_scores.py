"""Tables as normal numbers."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.data import Column, NormalScores, table_columns

SEED = tf.constant([0, 1], tf.int64)


@pytest.fixture
def table(rng):
    kinds = rng.choice(["cat", "dog", "owl"], 4000, p=[0.6, 0.3, 0.1])
    ages = np.floor(rng.exponential(30, 4000)).astype(int).astype(str)
    rows = np.stack([ages, kinds], axis=1)
    return rows, NormalScores(rows, table_columns(rows, ["age", "kind"], ["age"]), most=8)


def test_each_column_is_normal_and_keeps_its_order(table):
    rows, scores = table
    levels = scores.levels(rows)
    z = scores.drawn(levels, SEED).numpy()
    for column in z.T:
        assert stats.kstest(column, "norm").pvalue > 0.01
    assert levels[:, 0].max() == 7
    np.testing.assert_allclose(np.bincount(levels[:, 0]) / 4000, 1 / 8, atol=0.03)
    assert z[levels[:, 0] == 2, 0].max() <= z[levels[:, 0] == 3, 0].min()
    back = scores.rows(z)
    np.testing.assert_array_equal(back[:, 1], rows[:, 1])
    np.testing.assert_array_equal(scores.levels(back), levels)
    more = scores.levels(np.array([["-5", "cat"], ["9999", "owl"]]))
    np.testing.assert_array_equal(more, [[0, 0], [7, 2]])
    with pytest.raises(ValueError, match="column kind has the value cow: expected one of cat"):
        scores.levels(np.array([["3", "cow"]]))
    with pytest.raises(ValueError, match="column age lacks 1 of 1 values, the first in row 0"):
        scores.levels(np.array([["nan", "cat"]]))


def test_categories_keep_the_order_that_they_are_given_in():
    rows = np.array([["cat"], ["owl"], ["dog"]])
    scores = NormalScores(rows, [Column("kind", ("owl", "cat", "dog"))])
    np.testing.assert_array_equal(scores.levels(rows), [[1], [0], [2]])
    with pytest.raises(ValueError, match="value cow: expected one of owl, cat, dog"):
        scores.levels(np.array([["cow"]]))


def test_the_density_of_independent_columns_is_the_product_of_their_shares(table):
    """Of N(0, 1) in each column the bound is no bound but the probability itself."""
    rows, scores = table
    levels = scores.levels(rows[:5])
    z = scores.drawn(levels, SEED)
    log_density = stats.norm.logpdf(z.numpy()).sum(axis=1)
    shares = scores.shares.numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    expected = np.log(shares[0, levels[:, 0]]) + np.log(shares[1, levels[:, 1]])
    np.testing.assert_allclose(log_density + scores.log_widths(z, levels), expected, rtol=1e-4)
