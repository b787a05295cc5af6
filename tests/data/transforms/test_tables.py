"""Rows of tables and their vectors, counted by hand."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import Column, RowVectors, table_columns, table_rows

ROWS = np.array([["3", "cat", "1.5"], ["5", "dog", "1.5"], ["7", "cat", "1.5"]])
NAMES = ["age", "kind", "height"]


@pytest.fixture
def columns():
    return table_columns(ROWS, NAMES, numbers=["age", "height"])


def test_columns_are_found_in_the_training_rows(columns):
    assert columns == [
        Column("age", mean=5.0, scale=pytest.approx(np.sqrt(8 / 3))),
        Column("kind", ("cat", "dog")),
        Column("height", mean=1.5, scale=1.0),  # of one value
    ]
    assert [column.width for column in columns] == [1, 2, 1]


def test_numbers_are_standardized_and_categories_one_hot(columns):
    vectors = RowVectors(columns)
    step = 2 / np.sqrt(8 / 3)
    expected = [[-step, 1, 0, 0], [0, 0, 1, 0], [step, 1, 0, 0]]
    assert vectors.size == 4
    np.testing.assert_allclose(vectors(tf.constant(ROWS)), expected, atol=1e-6)
    assert vectors(tf.zeros([0, 3], tf.string)).shape == (0, 4)


@pytest.mark.parametrize("text", ["3", " 3", "+3.0", "3.", "30e-1", ".3E1"])
def test_numbers_as_csv_files_have_them(text):
    assert RowVectors([Column("age")])(tf.constant([[text]])).numpy() == [[3.0]]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (["4", "cow", "1"], "column kind has the value cow: expected one of cat, dog"),
        (["four", "cat", "1"], "column age has the value four: expected a number"),
        (["4", "cat", ""], "column height has the value : expected a number"),
        (["4", "cat", "nan"], "column height has the value nan: expected a number"),
        (["4", "cat", "1e999"], "column height has the value 1e999: expected a number"),
        (["4", "cat", "1e99"], "column height has the value 1e99: expected a number"),
        (["4", "cat", "1,5"], "column height has the value 1,5: expected a number"),
    ],
)
def test_what_is_no_row_is_refused(columns, row, sentence):
    with pytest.raises(ValueError, match=sentence):
        RowVectors(columns)(tf.constant([*ROWS.tolist(), row]))


def test_large_numbers_that_differ_little_stay_different():
    """Times of one hour, in seconds since 1970, of which float32 keeps every 128th."""
    times = (1_700_000_000 + np.arange(3600)).astype(str)[:, None]
    (column,) = table_columns(times, ["time"], ["time"])
    found = RowVectors([column])(tf.constant(times)).numpy()[:, 0]
    expected = (np.arange(3600) - 1799.5) / np.arange(3600).std()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_column_of_one_value_keeps_its_scale():
    (column,) = table_columns(np.full([7, 1], "0.1"), ["x"], ["x"])
    assert column.scale == 1.0


@pytest.mark.parametrize("missing", ["nan", "", "NaN", "inf", "1,5", "1_000", "1e999"])
def test_a_number_that_is_missing_is_named(missing):
    rows = np.array([["3"], [missing]])
    sentence = f"column x has the value {missing} in row 1: expected a number; leave out"
    with pytest.raises(ValueError, match=sentence):
        table_columns(rows, ["x"], ["x"])


def test_columns_too_many_are_refused(columns):
    rows = np.array([["3", "cat", "1.5", "more"]])
    with pytest.raises(ValueError, match="rows have 4 columns: expected 3"):
        RowVectors(columns)(tf.constant(rows))
    with pytest.raises(ValueError, match="There is no column hight"):
        table_columns(ROWS, NAMES, ["age", "hight"])
    with pytest.raises(ValueError, match="expected each name once"):
        table_columns(ROWS, ["age", "kind", "age"], ["age"])
    with pytest.raises(ValueError, match=r"different lengths \(age 1, kind 2\)"):
        table_rows({"age": [1], "kind": ["cat", "dog"]}, ["age", "kind"])


def test_rows_of_named_columns():
    values = {"kind": ["cat", "dog"], "age": [3, 5], "height": [1.5, 2.0]}
    np.testing.assert_array_equal(
        table_rows(values, NAMES), [["3", "cat", "1.5"], ["5", "dog", "2.0"]]
    )
    with pytest.raises(ValueError, match=r"lacks the columns kind and has others, \(none\): exp"):
        table_rows({"age": [3], "height": [1.0]}, NAMES)
    with pytest.raises(ValueError, match=r"lacks the columns \(none\) and has others, legs"):
        table_rows(values | {"legs": [4, 4]}, NAMES)


def test_tables_that_cannot_be():
    with pytest.raises(ValueError, match=r"shape \(3, 3\): expected \[n, 2\], with the columns a"):
        table_columns(ROWS, ["a", "b"], [])
    with pytest.raises(ValueError, match="one column at least"):
        RowVectors([])
