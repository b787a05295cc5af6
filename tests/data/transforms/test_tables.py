"""Rows of tables and their vectors, counted by hand."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_gen.core.kinds_of_data.kind_of_data import numbers_of_table
from keras_gen.core.kinds_of_data.table_data import Table
from keras_gen.data import Column, RowVectors, table_columns, table_rows
from keras_gen.data.transforms.cells import RowCells

ROWS = np.array([["3", "cat", "1.5"], ["5", "dog", "1.5"], ["7", "cat", "1.5"]])
NAMES = ["age", "kind", "height"]
CELLS = dict(starts=(1, 3), ends=(1, 3), means=(1, 3), shares=(0.5, 0.5))


@pytest.fixture
def columns():
    return table_columns(ROWS, NAMES, numbers=["age", "height"])


def test_columns_are_found_in_the_training_rows(columns):
    third = 1 / 3
    assert columns == [
        Column(
            "age", mean=5.0, scale=float(np.std([3, 5, 7])), starts=(3, 5, 7), ends=(3, 5, 7),
            means=(3, 5, 7), shares=(third,) * 3, decimals=0,
        ),
        Column("kind", ("cat", "dog"), shares=(2 / 3, third)),
        Column(  # one value
            "height", mean=1.5, scale=1.0, starts=(1.5,), ends=(1.5,), means=(1.5,), shares=(1.0,),
            decimals=1,
        ),
    ]  # fmt: skip
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


def test_large_numbers_that_differ_little_stay_different():
    """Times of one hour, in seconds since 1970, of which float32 keeps every 128th."""
    times = (1_700_000_000 + np.arange(3600)).astype(str)[:, None]
    (column,) = table_columns(times, ["time"], ["time"])
    found = RowVectors([column])(tf.constant(times)).numpy()[:, 0]
    expected = (np.arange(3600) - 1799.5) / np.arange(3600).std()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_columns_of_one_value_keep_their_scale_and_no_others():
    for values, scale in ((np.full(7, 0.1), 1.0), ([1e15, 1e15 + 100], 50.0)):
        (column,) = table_columns(pd.DataFrame({"x": values}))
        assert column.scale == scale


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: table_columns(pd.DataFrame({"x": [1e300, -1e300]})),
            r"deviation of column x is inf: expected 1e-30 to 1e\+30, .* Choose another unit",
        ),
        (lambda: table_columns({"a": 5}), "The column a is 5: expected a list or an array"),
        (lambda: table_columns({"a": "bc"}), "The column a is 'bc': expected a list or an array"),
        (lambda: Column("x", scale=0.0), "scale is 0: expected a positive number"),
        (lambda: Column("x", mean=np.nan), "mean is nan: expected a finite number"),
        (lambda: Column(3), "name is 3: expected a string"),
        (lambda: Column("x", "ab"), "categories is 'ab': expected a list"),
        (lambda: Column("x", (1, 2)), r"categories is \[1, 2\]: expected distinct strings"),
        (lambda: Column("x", ("a", "a")), "expected distinct strings"),
        (
            lambda: Column("x", ("a", "b"), shares=(1.0,)),
            "2 categories, 1 shares: expected lists of equal",
        ),
        (
            lambda: Column("x", ("a", "b"), shares=(1.0, 0.0)),
            "shares with the minimum 0 and the sum 1",
        ),
        (
            lambda: Column("x", ("a", "b"), shares=(1.5, -0.5)),
            "shares with the minimum -0.5 and the sum 1",
        ),
        (
            lambda: Column("x", ("a", "b"), shares=(0.5, 0.2)),
            "shares with the minimum 0.2 and the sum 0.7",
        ),
        (
            lambda: Column("x", **CELLS | {"means": (np.nan, 1)}),
            "value of means is nan: expected a finite number",
        ),
        (lambda: Column("x", **CELLS | {"starts": (3, 1)}), "cells that are not ascending"),
        (lambda: Column("x", **CELLS | {"ends": (1,)}), "2 starts, 1 ends"),
        (lambda: Column("x", missing=2), "missing is 2: expected a number from 0 to 1"),
        (lambda: Column("x", unknown="foo"), "unknown is 'foo': expected one of error, gap"),
        (lambda: Column("x", decimals=-1), "decimals is -1: expected an integer from 0 to 6"),
        (lambda: Column("x", decimals="x"), "decimals is .x.: expected an integer"),
        (lambda: RowCells([Column("x", **CELLS)] * 2), "columns contains 'x' twice"),
    ],
)
def test_wrong_columns_are_refused(make, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        make()


@pytest.mark.parametrize(
    "values",
    [
        ["cat", None],
        ["cat", float("nan")],
        ["cat", pd.NA],
        ["cat", pd.NaT],
        ["cat", ""],
        ["cat", " "],
        np.array(["cat", "nan"]),
        np.ma.array(["cat", "dog"], mask=[False, True]),
        pd.Categorical(["cat", None]),
        pd.array(["cat", None], dtype="string"),
        [3, None],
        np.array([3.0, np.nan]),
        np.ma.array([3, 4], mask=[False, True]),
        pd.array([3, None], dtype="Int64"),
        pd.array([True, None], dtype="boolean"),
    ],
    ids=str,
)
def test_missing_values_are_counted_or_refused(values):
    sentence = (
        "column kind lacks 1 of 2 values, the first in row 1, .* Drop such rows .* fill in the"
    )
    with pytest.raises(ValueError, match=sentence):
        table_rows({"kind": values}, ["kind"])
    if not np.ma.isMaskedArray(values):  # a DataFrame has values of its own for these
        with pytest.raises(ValueError, match=sentence):
            table_rows(pd.DataFrame({"kind": values}), ["kind"])
    for table in ({"kind": values}, pd.DataFrame({"kind": values})):
        masked = np.ma.isMaskedArray(values) and not isinstance(table, dict)
        if not masked:
            (column,) = table_columns(table)
            assert column.missing == 0.5 and column.shares == (1.0,)
            assert table_rows(table, ["kind"], gaps=True)[1] == ""


def test_columns_without_values_are_refused():
    for values in ([None, None], ["", ""], [np.nan, np.nan]):
        with pytest.raises(
            ValueError, match=r"column x has no values \(all 2 are missing\): leave out the"
        ):
            table_columns(pd.DataFrame({"x": values}))
    with pytest.raises(ValueError, match="table has no rows: expected at least one"):
        table_columns(pd.DataFrame({"x": ["cat"]})[:0])
    with pytest.raises(ValueError, match="table has no columns"):
        table_columns(pd.DataFrame())


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.array(["2020-01-01", "NaT"], "datetime64[ns]"), "dates or durations, such as 2020-01"),
        ([datetime.date(2020, 1, 1), None], "dates or durations, such as 2020-01"),
        ([datetime.date(2020, 1, 1)], "dates .*such as 2020-01-01: .*days since a date or .astyp"),
        (pd.to_datetime(["2020-01-01"], utc=True), "dates or durations, such as 2020-01"),
        (pd.to_timedelta([1], unit="s"), "dates or durations"),
        (pd.period_range("2020", periods=2, freq="M"), "values of type Period, such as 2020"),
        ([1, "cat"], "numbers and words, such as 1, cat: expected .* all of one type"),
        ([True, 1], "booleans and numbers, such as True, 1"),
        ([(1, 2)], "values of type tuple"),
        ([1j], "values of type complex"),
    ],
    ids=str,
)
def test_columns_of_other_types_are_refused(values, found):
    with pytest.raises((TypeError, ValueError), match=f"column when .*{found}"):
        table_columns(pd.DataFrame({"when": values}))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False], ("False", "True")),
        (["?", "None", "NA"], ("?", "NA", "None")),
        (["10", "9"], ("9", "10")),
        (pd.Categorical([10, 9, 10]), ("9", "10")),
        (pd.Categorical(["b", "a"]), ("a", "b")),
        ([b"caf\xc3\xa9", b"bar"], ("bar", "café")),
        (np.array([1, 4], object), 2.5),
        ([decimal.Decimal("1.5"), 2], 1.75),
        (pd.array([1, 4], dtype="Int64"), 2.5),
    ],
    ids=str,
)
def test_the_type_of_a_column_is_that_of_its_values(values, expected):
    (column,) = table_columns(pd.DataFrame({"x": values}))
    assert (column.categories or column.mean) == expected


def test_columns_are_known_by_their_names():
    edge = Table(table_columns(pd.DataFrame({"age": [3, 5], "kind": ["cat", "dog"]})))
    turned = pd.DataFrame({"kind": ["dog"], "age": [4]})
    np.testing.assert_array_equal(edge.as_array(turned), [["4", "dog"]])
    with pytest.raises(ValueError, match="column kind lacks 1 of 1 values"):
        edge.as_array(pd.DataFrame({"kind": [None], "age": [4]}))
    assert [column.name for column in table_columns(pd.DataFrame([[1, 2]]))] == ["0", "1"]
    twice = pd.DataFrame([[1, 2]], columns=["age", "age"])
    for call in (table_columns, lambda table: table_rows(table, ["age"]), numbers_of_table):
        with pytest.raises(ValueError, match=r"columns are age, age: expected .* unique names"):
            call(twice)


@pytest.mark.parametrize(
    "rows",
    [
        [[4, None]],
        [("4", "nan")],
        np.array([[4, None]], object),
        np.ma.array([["4", "cat"]], mask=[[False, True]]),
    ],
    ids=str,
)
def test_rows_with_gaps_are_refused_by_a_model(columns, rows):
    edge = Table([columns[0], columns[1]])
    with pytest.raises(ValueError, match=r"column kind lacks 1 of 1 values|hides 1 of its values"):
        edge.as_array(rows)
    np.testing.assert_array_equal(edge.as_array([[4, "cat"]]), [["4", "cat"]])
    vectors = [[0.5, 0.0, 1.0]]
    assert edge.as_array(vectors) is vectors


def test_lists_of_rows_keep_their_gaps():
    columns = table_columns([[3, "cat"], [None, "dog"]], ["age", "kind"], ["age"])
    assert [column.missing for column in columns] == [0.5, 0.0]
    masked = np.ma.array([["3", "cat"], ["5", "dog"]], mask=[[False, True], [False, False]])
    columns = table_columns(masked, ["age", "kind"], ["age"])
    assert [column.missing for column in columns] == [0.0, 0.5]


def test_numbers_have_cells_of_values_or_of_quantiles(rng):
    (few,) = table_columns({"few": np.arange(128) / 4})
    assert few.starts == few.ends == tuple(np.arange(128) / 4) and few.decimals == 2
    values = rng.normal(size=6401).astype("float32").astype("float64")
    (column,) = table_columns({"x": values})
    assert len(column.starts) == 64 and column.decimals is None
    np.testing.assert_allclose(column.shares, 1 / 64, atol=0.0002)
    for k in (0, 7, 62):
        inside = np.sort(values)[100 * k : 100 * (k + 1)]
        assert (column.starts[k], column.ends[k]) == (inside[0], inside[-1])
        np.testing.assert_allclose(column.means[k], inside.mean())
    cells = RowCells([column])
    texts = values[:50].astype(str)[:, None]
    restored = cells.texts(cells(tf.constant(texts))).numpy().astype(float)
    np.testing.assert_allclose(restored, texts.astype(float), atol=2e-5)
    assert Column.from_config(column.get_config()) == column


@pytest.mark.parametrize("spike", [-9.0, 0.0, 9.0])
def test_frequent_numbers_among_many_have_their_own_cells(rng, spike):
    values = np.concatenate([np.full(600, spike), rng.normal(size=400), np.full(20, 0.5)])
    (column,) = table_columns({"x": values})
    for value, count in ((spike, 600), (0.5, 20)):
        cell = column.starts.index(value)
        assert column.ends[cell] == column.means[cell] == value
        np.testing.assert_allclose(column.shares[cell], count / 1020)
    np.testing.assert_allclose(sum(column.shares), 1)
    assert len(column.starts) <= 64 + 4
    cell = column.starts.index(spike)
    anywhere = RowCells([column]).texts(tf.constant([[cell + 0.0], [cell + 0.9]]))
    np.testing.assert_array_equal(anywhere.numpy().astype(float), spike)


def test_many_zeros_leave_as_many_cells_for_other_numbers():
    """With 95% zeros and 1.5% at one price, the other amounts are divided into 64 equal parts."""
    prices = np.linspace(100, 739, 640)
    values = np.r_[np.zeros(17_366), np.full(274, 50.5), prices]
    (column,) = table_columns({"claim": values})
    assert column.starts[:2] == column.ends[:2] == (0, 50.5) and len(column.starts) == 66
    np.testing.assert_allclose(column.shares[:2], [17_366 / 18_280, 274 / 18_280])
    np.testing.assert_allclose(column.shares[2:], 10 / 18_280, rtol=0.11)
    np.testing.assert_allclose(column.starts[2:], prices[::10], atol=1)


def test_numbers_beyond_float64_are_refused_and_any_blank_is_a_gap():
    cells = RowCells(table_columns({"v": [1.0, 2.0]}))
    for text in ("1e400", "-1e400", "9" * 400):
        with pytest.raises(ValueError, match=r"column v has the value .*: expected a number"):
            cells(tf.constant([[text]]))
    np.testing.assert_array_equal(cells(tf.constant([["\u00a0"], [" \u2003nan"]])), [[-1], [-1]])


def test_columns_that_look_like_identifiers_are_refused():
    names = [f"p{n}" for n in range(101)]
    with pytest.raises(
        ValueError, match=r"column id has 101 different strings in 101 rows, .* ident"
    ):
        table_columns({"id": names})
    assert len(table_columns({"id": [*names, "p1"]})[0].categories) == 101


@pytest.mark.parametrize("form", ["dict", "frame", "gaps", "objects", "csv"])
def test_integers_that_float64_would_round_are_refused(tmp_path, form):
    exact, rounded = 2**60, 2**60 + 1
    tables = {
        "dict": {"id": np.array([exact, rounded])},
        "frame": pd.DataFrame({"id": np.array([exact, rounded], "uint64")}),
        "gaps": pd.DataFrame({"id": pd.array([exact, None, rounded], "Int64")}),
        "objects": {"id": [exact, rounded]},
        "csv": tmp_path / "a.csv",
    }
    tables["csv"].write_text(f"id\n{exact}\n{rounded}\n")
    with pytest.raises(
        ValueError, match=rf"column id has the integer {rounded} in row 1, which fl"
    ):
        table_columns(tables[form])
    assert table_columns({"id": [exact, 3]})[0].ends == (3, exact)
    assert len(table_columns({"id": [str(exact), str(rounded)]})[0].categories) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("age,kind\n3,cat\n4\n", "has 1 values in row 2, but 2 column names"),
        (",age\n0,3\n1,4\n", "has a column without a name, .* save the table with index=False"),
        ('age,kind\n1,"x\n2,y\n3,z\n', r"cannot be read \(unexpected end of data on line 4"),
        (f"age,kind\n1,{'x' * 200_000}\n", r"cannot be read \(field larger than field limit"),
        ("age;kind\n1,5;x\n", r", 'age;kind', has the separator ';': expected commas"),
        ("age\tkind\n1\tx\n", r"has the separator '\\t': expected commas"),
    ],
    ids=["uneven", "index", "quotation mark", "long", "semicolons", "tabs"],
)
def test_files_that_are_not_right_are_refused(tmp_path, text, sentence):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"^(?:The first line of )?\S+a\.csv.*{sentence}"):
        table_columns(path)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends_of_all_systems_are_read(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(["age,kind", "1,x", '2,"y, z"', ""]).encode())
    assert table_columns(path)[1].categories == ("x", "y, z")


def test_categories_that_are_integers_have_one_text_with_gaps_and_without():
    for values in ([1, None, 2], [1, 1, 2]):
        (column,) = table_columns(pd.DataFrame({"x": pd.Categorical(values)}))
        assert column.categories == column.levels == ("1", "2")


@pytest.mark.parametrize(
    "values", [[1.0, np.nan], pd.array([1, None], dtype="Int64"), pd.array([1, None], "Float64")]
)
def test_numbers_of_a_table_name_what_is_missing(values):
    with pytest.raises(ValueError, match="column age lacks 1 of 2 values, the first in row 1"):
        numbers_of_table(pd.DataFrame({"age": values}))


def test_rows_of_named_columns():
    values = {"kind": ["cat", "dog"], "age": [3, 5], "height": [1.5, 2.0]}
    np.testing.assert_array_equal(
        table_rows(values, NAMES), [["3", "cat", "1.5"], ["5", "dog", "2.0"]]
    )
