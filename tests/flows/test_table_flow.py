"""Flows on tables: closed forms of the masses of cells, samples, and gaps."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy.stats import norm

from keras_gen import ConditionalFlow, Flow
from keras_gen.data import table_columns
from keras_gen.flows.cell_scores import CellScores
from keras_gen.layers.flows import ActNorm, Chain
from keras_gen.networks import coupling_flow

FRAME = pd.DataFrame(
    {
        "old": [False, True, False, True] * 5,
        "work": ["farm", "city", None, "city"] * 5,
        "age": pd.Series([39, 50, 28, 41] * 5, dtype="int16"),
    }
)
COLUMNS = table_columns(FRAME)
SMALL = dict(steps=2, hidden=(4,))
SLOPE, BIAS = 1.7, 0.4


def affine(columns):
    """A flow on one column: z = SLOPE * score + BIAS."""
    layer = ActNorm()
    flow = Chain([layer])
    flow.build((None, 1))
    model = Flow(flow, columns=columns)
    layer.log_scale.assign([np.log(SLOPE)])
    layer.bias.assign([BIAS])
    layer.initialized.assign(1)
    return model


def test_the_bound_of_an_affine_flow_is_below_the_closed_form():
    """P(cell) is the normal mass between the images of the cell's quantiles, and sums to 1."""
    shares = np.array([0.1, 0.6, 0.3])  # of gaps, False, and True
    columns = table_columns({"a": [None] * 10 + [False] * 60 + [True] * 30})
    edges = norm.ppf(np.concatenate([[0.0], np.cumsum(shares)]))
    exact = np.diff(norm.cdf(SLOPE * edges + BIAS))
    np.testing.assert_allclose(exact.sum(), 1.0)
    model = affine(columns)
    cells = np.array([[-1.0], [0.0], [1.0]], "float32")
    middles = (np.arange(10_000, dtype="float32") + 0.5) / 10_000
    x, offset = np.repeat(cells, 10_000, axis=0), np.tile(middles, 3)[:, None]
    latents, log_det, _ = model.forward(x, offset)
    densities = np.exp(-model.negative_log_prob(latents, log_det).numpy().astype("float64"))
    np.testing.assert_allclose(densities.reshape(3, -1).mean(axis=1), exact, rtol=1e-3)
    one_point = np.log(densities.reshape(3, -1)).mean(axis=1)
    seeds = np.stack([np.arange(600), np.arange(600)], axis=1)
    model.score_seeds = lambda x: tf.constant(seeds, tf.int64)
    bounds = -model.nats(tf.repeat(cells, 200, axis=0)).numpy().reshape(3, 200)
    assert (bounds.mean(axis=1) < np.log(exact) + 4 * bounds.std(axis=1) / 14).all()
    assert (bounds.mean(axis=1) > one_point).all()  # 16 points are closer to P
    drawn = model.sample(20_000, seed=1, batch_size=20_000)["a"]
    found = [np.mean([value is each for value in drawn]) for each in (None, False, True)]
    np.testing.assert_allclose(found, exact, atol=0.015)


def test_before_training_rows_have_their_shares_in_each_column():
    model = Flow.for_table(COLUMNS, **SMALL)
    both = np.log(0.5) + np.log(0.25)  # of old and of age
    expected = both + np.log([0.25, 0.5, 0.25, 0.5])
    np.testing.assert_allclose(model.log_prob(FRAME[:4]), expected, rtol=1e-5)
    # Without gaps among the training rows, a gap does not contribute.
    gap = FRAME[:1].astype({"age": "Int16"}).assign(age=pd.NA)
    np.testing.assert_allclose(model.log_prob(gap), np.log(0.5) + np.log(0.25), rtol=1e-5)
    model.compile()
    logs = model.evaluate(FRAME, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["nll_loss"], -expected.mean(), rtol=1e-5)


def test_cells_become_normal_scores_and_return(rng):
    columns = table_columns({"a": rng.normal(size=3000), "b": [*"xyz"] * 1000})
    scores = CellScores(columns)
    share = [len(column.shares) for column in columns]
    cells = tf.constant(rng.integers(0, share, (3000, 2)), tf.float32)
    offsets = rng.uniform(size=(3000, 2))
    z, _ = scores.scores(cells, offsets)
    back = scores.cells(z).numpy()
    np.testing.assert_array_equal(np.floor(back), cells)
    np.testing.assert_allclose(back - np.floor(back), 0.999 * offsets, atol=1e-3)
    extremes = scores.cells(tf.constant([[-50.0, 50.0], [50.0, -50.0]]))
    np.testing.assert_array_equal(np.floor(extremes), [[0, 2], [share[0] - 1, 0]])


@pytest.mark.thorough
def test_samples_have_the_shares_correlations_and_gaps_of_the_rows(rng):
    keras.utils.set_random_seed(0)
    size = 2000
    age = rng.integers(18, 24, size).astype("int16")
    rich = rng.uniform(size=size) < (age - 18) / 6
    city = np.where(rng.uniform(size=size) < 0.5, "Rome", "Oslo").astype(object)
    city[rich & (rng.uniform(size=size) < 0.4)] = None
    rows = pd.DataFrame({"age": age, "rich": rich, "city": city})
    model = Flow.for_table(table_columns(rows), steps=4, hidden=(32,))
    independent = model.log_prob(rows[:500]).mean()
    model.compile(keras.optimizers.Adam(0.01), steps_per_execution=10)
    model.fit(rows, batch_size=100, epochs=20, verbose=0)
    assert model.log_prob(rows[:500]).mean() > independent + 0.1
    samples = model.sample(size, seed=1)
    assert samples.dtypes.tolist() == rows.dtypes.tolist()
    assert (
        set(samples["city"].dropna()) == {"Rome", "Oslo"} and samples["age"].between(18, 23).all()
    )
    for found, expected in zip(*map(statistics, (samples, rows)), strict=True):
        assert abs(found - expected) < 0.1


def statistics(rows):
    gap, rich = rows["city"].isna(), rows["rich"]
    return rich.mean(), gap.mean(), gap[~rich].mean(), np.corrcoef(rich, rows["age"])[0, 1]


@pytest.mark.thorough
def test_rows_of_classes(tmp_path):
    rows, labels = FRAME[["work", "age"]], FRAME["old"].to_numpy(int)
    model = ConditionalFlow.for_table(table_columns(rows), classes=2, **SMALL)
    model.compile()
    model.fit(rows, labels, batch_size=10, verbose=0)
    joint = model.classify(rows)[np.arange(20), labels]
    np.testing.assert_allclose(joint, model.log_prob(rows, labels) + np.log(0.5), rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        drawn = each.sample(5, seed=1, label=1, batch_size=2)
        pd.testing.assert_frame_equal(drawn, model.sample(5, seed=1, label=1))
    decoded = model.decode(model.encode(rows, labels), labels)
    pd.testing.assert_frame_equal(decoded, rows)


@pytest.mark.thorough
def test_rows_given_conditions_in_any_unit(rng):
    rows = FRAME[["work", "age"]]
    conditions = rng.normal(size=(20, 3))
    nats = []
    for scale, offset in ((1.0, 0.0), (1e6, 1e9)):
        model = ConditionalFlow.for_table(table_columns(rows), conditions=3, **SMALL)
        model.compile()
        scaled = offset + scale * conditions
        model.fit(rows, scaled, batch_size=10, shuffle=False, verbose=0)
        nats.append(model.log_prob(rows, scaled))
    np.testing.assert_allclose(*nats, rtol=0.02)  # float32 rounds 1e9 + 1e6 c


def test_refusals_name_the_way_out():
    model = Flow.for_table(COLUMNS, **SMALL)
    for name in ("impute", "complete"):
        with pytest.raises(
            AttributeError, match=f"Flow has no {name} method, .* use MADE.for_table"
        ):
            getattr(model, name)
    with pytest.raises(ValueError, match=r"\(2,\): expected \(3,\), one number per column\. Build"):
        Flow(coupling_flow((2,), steps=1, hidden=(2,)), columns=COLUMNS)
    with pytest.raises(ValueError, match=r"^levels is 8, .*: expected None\. Leave out levels\.$"):
        Flow.for_table(COLUMNS, levels=8, **SMALL)
    for name in ("classes", "conditions"):
        way_out = rf"^Flow got {name}: expected no condition\. .* build a ConditionalFlow\.$"
        with pytest.raises(TypeError, match=way_out):
            Flow.for_table(COLUMNS, **{name: 2}, **SMALL)
    with pytest.raises(TypeError, match=r"^Flow\.for_table got shape=3: leave it out"):
        Flow.for_table(COLUMNS, shape=3)
    with pytest.raises(ValueError, match="columns is empty"):
        Flow.for_table([])
    with pytest.raises(ValueError, match=r"shape \(1,\): expected \(values,\) with at least 2"):
        Flow.for_table(COLUMNS[:1])
