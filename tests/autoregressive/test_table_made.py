"""MADE of tables against probabilities counted by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_gen import MADE, VAE
from keras_gen.data import table_columns
from keras_gen.losses.likelihoods.cells import CellLikelihood
from shared import eagerly

FRAME = pd.DataFrame(
    {
        "age": pd.Series([39, 50, 28, 41] * 5, dtype="int16"),
        "work": ["farm", "city", None, "city"] * 5,
        "old": [False, True, False, True] * 5,
        "pay": [1.5, 2.25, np.nan, 1.5] * 5,
    }
)
COLUMNS = table_columns(FRAME)
ORDERS = pytest.mark.parametrize("any_order", [False, True])


@pytest.fixture
def eager():
    with eagerly():
        yield


def moved(model, rng, size=0.5):
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, size, weight.shape))
    return model


def every_row():
    """All rows of cells, and their texts."""
    cells = itertools.product(*(range(len(column.shares)) for column in COLUMNS))
    return np.array(list(cells), "float32")


@ORDERS
def test_the_first_loss_is_the_entropy_of_the_columns(any_order):
    words = FRAME[["old", "work"]]
    model = MADE.for_table(table_columns(words), hidden=(4,), any_order=any_order)
    model.compile()
    shares, known = [[0.5] * 2, [2 / 3, 1 / 3]], [1, 0.75]
    entropy = [-np.sum(np.multiply(p, np.log(p))) for p in shares]
    nats = -model.log_prob(words)
    np.testing.assert_allclose(nats.mean(), np.dot(known, entropy), rtol=1e-5)
    np.testing.assert_array_equal(model.prepare(words[["work", "old"]]), model.prepare(words))
    if not any_order:  # otherwise the loss has the noise of the orders
        logs = model.evaluate(words, verbose=0, return_dict=True)
        np.testing.assert_allclose(logs["nll_loss"], np.dot(known, entropy), rtol=1e-5)
        gaps = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
        np.testing.assert_allclose(logs["gap_loss"], gaps, rtol=1e-5)


@ORDERS
def test_probabilities_of_all_rows_sum_to_1(any_order, rng):
    model = moved(MADE.for_table(COLUMNS, hidden=(6,), any_order=any_order), rng)
    total = np.exp(model.log_prob(tf.constant(every_row())).astype("float64")).sum()
    np.testing.assert_allclose(total, 1, rtol=1e-4)


def test_the_loss_over_all_subsets_is_the_mean_over_orders(rng):
    """Uria et al. (2014), eq. (9): the expectation over orders of the chain rule."""
    model = moved(MADE.for_table(COLUMNS, hidden=(6,), any_order=True), rng)
    x = tf.constant([[1.0, 0.0, 1.0, -1.0]])
    model.step = None

    def chain(order):
        given, nats = np.full(4, -1.0, "float32"), 0.0
        for place in order:
            parameters, _ = model.likelihood.split(model.network(given[None]))
            nats -= model.likelihood.log_probs(parameters, x)[0, place].numpy()
            given[place] = x[0, place]
        return nats

    expected = np.mean([chain(order) for order in itertools.permutations(range(4))])
    n = 20000
    uniforms = {"order": tf.random.stateless_uniform([n, 4], [1, 2])}
    uniforms["given"] = tf.random.stateless_uniform([n, 1], [3, 4])
    model.uniform = lambda use, shape: uniforms[use]
    found = type(model).terms(model, {"x": tf.repeat(x, n, axis=0)})["nll"].numpy()
    assert abs(found.mean() - expected) < 4 * found.std() / np.sqrt(n)


def conditional(model, row):
    """p of each full row given the known cells of one, in closed form."""
    rows = every_row()
    fits = np.all((row < 0) | (rows == row), axis=1)
    p = np.exp(model.log_prob(tf.constant(rows[fits])).astype("float64"))
    return rows[fits], p / p.sum()


def test_gaps_are_filled_from_the_conditional_distribution(rng):
    """Likelihood weighting by 64 draws is near the exact p(gaps | known), unlike the prior."""
    model = moved(MADE.for_table(COLUMNS, hidden=(6,)), rng)
    row = np.array([-1, 1, 0, 1], "float32")
    rows, p = conditional(model, row)
    n = 1500
    drawn = model.fill(tf.repeat(row[None], n, axis=0), np.arange(n, dtype="int32"))
    cells = np.floor(model.prepare(drawn).numpy())
    found = np.array([(cells == each).all(axis=1).mean() for each in rows])
    np.testing.assert_allclose(found, p, atol=0.06)
    mean = float(model.expected(tf.constant(row[None]))[0, 0])
    exact = p @ np.array(COLUMNS[0].means)[rows[:, 0].astype(int)]
    assert abs(mean - exact) < 3  # of values from 28 to 50


def test_any_order_fills_gaps_column_by_column(rng):
    model = moved(MADE.for_table(COLUMNS, hidden=(6,), any_order=True), rng)
    row = tf.constant([[-1.0, 1, 0, 1]])
    parameters, _ = model.likelihood.split(model.network(row))
    p = model.likelihood.probabilities(0, parameters[:, 0]).numpy()[0]
    assert float(model.expected(row)[0, 0]) == round(float(p @ np.array(COLUMNS[0].means)))
    n = 3000
    drawn = model.fill(tf.repeat(row, n, axis=0), np.arange(n, dtype="int32"))
    shares = [(drawn[:, 0] == f"{value:g}").mean() for value in COLUMNS[0].starts]
    np.testing.assert_allclose(shares, p, atol=0.04)


@ORDERS
def test_a_gap_counts_nothing_and_values_before_it_alone_matter(any_order, rng):
    model = moved(MADE.for_table(COLUMNS, hidden=(6,), any_order=any_order), rng)
    assert model.log_prob(tf.fill([1, 4], -1.0)) == 0
    rows = np.array([[0, 0, 0, 0], [0, 0, 1, 1]], "float32")
    parameters, gaps = model.likelihood.split(model.network(rows))
    same = np.isclose(parameters[0], parameters[1]).all(axis=1)
    assert same.tolist() == ([False] * 4 if any_order else [True, True, True, False])
    assert np.isclose(gaps[0], gaps[1]).tolist() == same.tolist()


def test_samples_are_tables_like_the_training_rows():
    model = MADE.for_table(COLUMNS, hidden=(4,))
    found = model.sample(2000, seed=1)
    assert list(found.columns) == list(FRAME.columns)
    assert found.dtypes.tolist() == FRAME.dtypes.tolist()
    assert set(found["age"]) == {28, 39, 41, 50} and set(found["work"].dropna()) == {"city", "farm"}
    np.testing.assert_allclose(found.isna().mean(), FRAME.isna().mean(), atol=0.04)
    np.testing.assert_allclose((found["work"] == "city").mean(), 0.5, atol=0.04)
    pd.testing.assert_frame_equal(found, model.sample(2000, seed=1, batch_size=300))


@ORDERS
@pytest.mark.usefixtures("eager")
def test_tables_are_filled_and_what_is_known_stays(any_order):
    model = MADE.for_table(COLUMNS, hidden=(4,), any_order=any_order)
    part = FRAME[2:7]
    for full in (model.impute(part), model.complete(part, seed=1)):
        assert full.index.tolist() == part.index.tolist()
        assert full.dtypes.tolist() == part.dtypes.tolist() and not full.isna().any(axis=None)
        known = part.notna()
        assert (full.where(known, 0).astype(str) == part.where(known, 0).astype(str)).all(axis=None)
    assert model.impute(part)["work"].iloc[0] == "city"
    assert abs(model.impute(part)["pay"].iloc[0] - 1.75) < 0.15


@pytest.mark.parametrize("family", [MADE, VAE])
def test_served_values_that_are_known_stay(family):
    model = family.for_table(COLUMNS, hidden=(4,))
    rows = tf.constant([["99", "", "True", "1.123456"], ["-7", "city", "", "1e9"]])
    known = rows.numpy() != b""
    signatures = model.signatures()
    for name, more in {"expected": (), "fill": (tf.constant([1, 2]),)}.items():
        (found,) = signatures[name][0](rows, *more).values()
        np.testing.assert_array_equal(found.numpy()[known], rows.numpy()[known])
        assert found.numpy()[0, 1] in (b"city", b"farm") and found.numpy()[1, 2] != b""


BIG = 2**53 + 2  # float64 represents only even integers of this size
ODD_DTYPES = {
    "uint64": np.array([1, 3, 5], "uint64") * 2**61 + 2**63,
    "integers": [BIG, 5, -6],
    "integers of pandas": pd.array([BIG, None, 6], dtype="Int64"),
    "floats above 2**63": [1e25, 2e25, 0.0],
    "float32": np.array([0.1, 2.0, np.nan], "float32"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "objects": pd.Series([True, None, False], dtype=object),
    "categories that are numbers": pd.Categorical([10, 9, None], [10, 8, 9]),
    "categories that are booleans": pd.Categorical([True, False, True]),
    "ordered categories": pd.Categorical(["lo", "hi", "lo"], ["lo", "mid", "hi"], ordered=True),
}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("dtype", ODD_DTYPES)
def test_dtypes_and_known_values_are_those_of_the_training_rows(dtype):
    frame = pd.DataFrame({"x": ODD_DTYPES[dtype], "y": ["a", "b", "b"]})
    model = MADE.for_table(table_columns(frame), hidden=(2,))
    for found in (model.sample(20, seed=1), model.impute(frame), model.complete(frame, seed=1)):
        assert found.dtypes.tolist() == frame.dtypes.tolist()
        assert set(found["x"].dropna()) & set(frame["x"].dropna())
    known = frame["x"].notna()
    found = model.impute(frame)
    assert found["x"].notna().all() and (found["x"][known] == frame["x"][known]).all()


def test_dicts_keep_the_dtypes_of_their_arrays():
    table = {
        "truth": np.array([True, False, True]),
        "gaps": [True, None, False],
        "float": np.array([1.0, 2.0, 3.0], "float32"),
        "category": pd.Categorical([3, 1, 2]),
        "masked": np.ma.array([1, 2, 3], mask=[True, False, False]),
    }
    found = MADE.for_table(table_columns(table), hidden=(4,)).sample(40, seed=1)
    expected = ["bool", "object", "float32", "int64", "float64"]
    assert [values.dtype.name for values in found.values()] == expected
    assert set(found["gaps"]) == {True, None, False} and set(found["category"]) == {1, 2, 3}


@pytest.mark.usefixtures("eager")
def test_rows_of_texts_and_of_float32_are_values():
    table = {"age": [1.0, 2.0, 3.0], "pay": [20.0, 10.0, 20.0]}
    model = MADE.for_table(table_columns(table), hidden=(4,))
    rows = np.array([[2.0, 10.0]])
    texts = [["2", "10"]]
    expected = model.log_prob(rows)
    for same in (rows.astype("float32"), texts, tf.constant(texts)):
        np.testing.assert_array_equal(model.log_prob(same), expected)
        assert model.impute(same)["pay"].tolist() == [10]
    assert model.impute([["", "10"]])["age"].tolist() == [2]
    with pytest.raises(ValueError, match=r"cells contain 20: expected -1, or a cell index below"):
        model.log_prob(tf.constant([[1.0, 20.0]]))
    with pytest.raises(ValueError, match=r"rows have shape \(2,\): expected \[n, 2\]"):
        model.impute(pd.Series([2.0, 10.0]))


def test_dicts_and_csv_files_do_as_well_as_data_frames(tmp_path):
    path = tmp_path / "people.csv"
    FRAME.to_csv(path, index=False)
    columns = table_columns(path)
    assert [c.shares for c in columns] == [c.shares for c in COLUMNS]
    model = MADE.for_table(columns, hidden=(4,))
    model.compile()
    model.fit(str(path), batch_size=10, verbose=0)
    nats = model.log_prob(path)
    np.testing.assert_array_equal(nats, model.log_prob({n: FRAME[n].to_numpy() for n in FRAME}))
    found = model.sample(3, seed=1)
    assert isinstance(found, dict) and found["age"].dtype == np.int64
    with pytest.raises(TypeError, match=r"no condition 'age': expected none\. .* call complete\.$"):
        model.sample(3, age=39)


def test_a_number_has_the_mass_of_logistic_densities_in_its_cell():
    columns = table_columns({"x": [1, 2, 2, 3], "y": [0.5, 0.5, 1.5, 1.5]})
    likelihood = CellLikelihood(columns, mixtures=1)
    parameters = tf.constant([[[9.0, 0.4, -0.3], [9.0, -1.0, 0.2]]])
    edges = np.log([1 / 3, 3])  # logits of 1/4 and 3/4
    below = 1 / (1 + np.exp(-(edges - 0.4) / np.exp(-0.3)))
    expected = [below[0], below[1] - below[0], 1 - below[1]]
    np.testing.assert_allclose(
        likelihood.probabilities(0, parameters[:, 0])[0], expected, rtol=1e-5
    )
    log_probs = [likelihood.log_probs(parameters, tf.constant([[k, 0.0]]))[0, 0] for k in range(3)]
    np.testing.assert_allclose(np.exp(log_probs), expected, rtol=1e-5)
    shares = likelihood.probabilities(0, tf.zeros([1, 3]))[0]
    np.testing.assert_allclose(shares, columns[0].shares, rtol=1e-5)


@pytest.mark.parametrize("scale", [-50.0, 0.0, 50.0])
@pytest.mark.parametrize("count", [1, 2, 128, 1000])
def test_masses_sum_to_1_and_have_finite_gradients(count, scale, rng):
    columns = table_columns({"x": np.arange(count), "y": np.arange(count)})
    likelihood = CellLikelihood(columns, mixtures=3)
    parameters = tf.Variable(rng.normal(0, 3, (5, 2, 9)).astype("float32"))
    parameters[..., 6:].assign(tf.fill([5, 2, 3], scale))
    cells = tf.zeros([5, 2])
    with tf.GradientTape() as tape:
        log_probs = likelihood.log_probs(parameters, cells)
    p = likelihood.probabilities(0, parameters[:, 0])
    np.testing.assert_allclose(tf.reduce_sum(p, axis=-1), np.ones(5), atol=2e-5)
    assert np.isfinite(tape.gradient(log_probs, parameters)).all()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (FRAME.drop(columns="age"), "lacks the columns age"),
        (
            FRAME.assign(work="sea"),
            "column work has the category sea, .* expected one of city, farm",
        ),
        (FRAME.assign(age="old"), "column age has the value old: expected a number"),
        (np.array([["39", "city"]]), r"shape \(1, 2\): expected \[n, 4\]"),
    ],
    ids=["column", "word", "number", "shape"],
)
def test_rows_that_do_not_fit_are_refused_by_name(rows, sentence):
    model = MADE.for_table(COLUMNS, hidden=(4,))
    model.compile()
    for call in (model.log_prob, model.impute, model.fit):
        with pytest.raises(ValueError, match=sentence):
            call(rows)


@pytest.mark.usefixtures("eager")
def test_unknown_words_can_be_gaps():
    model = MADE.for_table(table_columns(FRAME, unknown="gap"), hidden=(4,))
    assert model.log_prob(FRAME.assign(work="sea")).shape == (20,)
    for fill in (model.impute, model.complete):
        assert set(fill(FRAME.assign(work="sea"))["work"]) <= {"city", "farm"}


def test_columns_without_cells_and_other_networks_are_refused():
    from keras_gen import TableMADE
    from keras_gen.data import Column
    from keras_gen.networks import table_made

    with pytest.raises(ValueError, match="column age has no cells: create the columns with"):
        MADE.for_table([Column("age"), Column("work", ("a", "b"))])
    with pytest.raises(ValueError, match="expected at least 2 columns"):
        MADE.for_table(COLUMNS[:1])
    with pytest.raises(ValueError, match="is not causal"):
        TableMADE(table_made(COLUMNS, (4,), any_order=True), COLUMNS)
    with pytest.raises(ValueError, match=r"input and output sizes .* Build it with"):
        TableMADE(table_made(COLUMNS[:3], (4,)), COLUMNS)


def test_cells_keep_their_number_in_mixed_precision():
    """In bfloat16, the cell 127 and a position in it would be the cell 128."""
    from keras_gen.layers import RowFeatures

    columns = table_columns({"x": np.arange(128), "y": ["a", "b"] * 64})
    cells = np.array([[126.9, 1.0], [127.9, -1.0]], "float32")
    expected = RowFeatures(columns)(cells)
    found = RowFeatures(columns, dtype="mixed_bfloat16")(cells)
    assert found.dtype == "bfloat16"
    np.testing.assert_allclose(tf.cast(found, "float32"), expected, rtol=0.01)
    assert not np.allclose(expected[0, :3], expected[1, :3])
