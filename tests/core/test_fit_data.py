"""Tables and columns of pandas, and lists of texts, as `fit` and capabilities take them."""

import itertools

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import tensorflow as tf

import keras_gen
from all_tiny import TINY
from keras_gen.core.fit_data import Arrays, Batches, Generator
from keras_gen.data import table_columns
from keras_gen.networks import character_rnn

FRAME = pd.DataFrame({"age": [39, 50, 38, 28], "hours": [40.5, 13.0, 40.0, 20.0]})
PEOPLE = FRAME.assign(sex=["Male", "Female", "Male", "Female"])


def test_a_table_of_numbers_is_rows():
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    model.fit(FRAME, batch_size=4, verbose=0)
    np.testing.assert_allclose(model.edges["x"].mean.numpy(), FRAME.mean(), rtol=1e-6)
    np.testing.assert_array_equal(model.log_prob(FRAME), model.log_prob(FRAME.to_numpy()))
    model.evaluate(FRAME, verbose=0)
    with pytest.raises(TypeError, match="column sex of the table has dtype"):
        keras_gen.VAE.for_vectors(3, standardize=False).score(PEOPLE)
    with pytest.raises(
        ValueError, match="columns age: expected age, hours, the columns of the first"
    ):
        model.fit(FRAME[["age"]], verbose=0)


def test_columns_are_told_by_their_names():
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    model.fit(FRAME, batch_size=4, verbose=0)
    loaded = type(model).from_config(model.get_config())
    loaded.set_weights(model.get_weights())
    scores = model.score(FRAME)
    for each in (model, loaded):
        np.testing.assert_array_equal(each.score(FRAME[["hours", "age"]]), scores)
        with pytest.raises(ValueError, match="columns age, hours, sex: expected age, hours, the"):
            each.score(PEOPLE)
    np.testing.assert_array_equal(model.score(FRAME.to_numpy()), scores)


def test_a_table_with_categories_is_what_its_columns_say():
    columns = table_columns(PEOPLE)
    assert [column.name for column in columns] == ["age", "hours", "sex"]
    assert columns[2].categories == ("Female", "Male") and columns[0].mean == 38.75
    model = keras_gen.ALFR.for_table(columns, features=2, hidden=(4,), discriminator_hidden=(4,))
    labels, sexes = pd.Series([0, 1, 0, 1]), pd.Series([1, 0, 1, 0])
    model.compile(run_eagerly=True)
    model.fit(PEOPLE, labels, sexes, batch_size=4, verbose=0)
    turned = PEOPLE[["sex", "hours", "age"]]
    np.testing.assert_array_equal(model.features(turned), model.features(PEOPLE))
    with pytest.raises(ValueError, match="lacks the columns sex"):
        model.fit(FRAME, labels, sexes, verbose=0)
    with pytest.raises(ValueError, match=r"names or numbers is missing: pass both"):
        table_columns(np.array([["3", "cat"]]))


@pytest.mark.parametrize("texts", [["cab", "a"], pd.Series(["cab", "a"]), np.array(["cab", "a"])])
def test_texts_are_what_their_edge_makes_of_them(texts):
    model = keras_gen.CharacterRNN(character_rnn(levels=4, units=2), "abc", length=5)
    np.testing.assert_array_equal(Arrays(model, "owner", texts).x, model.prepare(["cab", "a"]))


@pytest.mark.parametrize("sparse", [tf.sparse.from_dense, scipy.sparse.csr_array])
def test_sparse_arrays_have_a_way_out(sparse):
    model = TINY["Flow"].build(0)
    with pytest.raises(ValueError, match=r"^owner got a sparse .* as x: expected .*x\.toarray\(\)"):
        Arrays(model, "owner", sparse(np.eye(2)))


def test_labels_that_are_strings_have_a_way_out():
    model = keras_gen.Classifier.for_images(16, classes=3, filters=2, hidden=4)
    model.compile()
    images = np.zeros((2, 16, 16, 1), "uint8")
    with pytest.raises(
        ValueError, match=r"an array of strings: .* np\.unique\(labels, return_inverse"
    ):
        model.fit(images, np.array(["cat", "dog"]))


def test_a_generator_gives_each_batch_once_however_often_it_is_looked_at():
    taken = []

    def batches():
        for number in range(4):
            taken.append(number)
            yield np.full((2, 1), number)

    data = Generator("owner", batches())
    for _ in range(2):
        assert data.first()[0, 0] == 0 and taken == [0]
    for _ in range(2):
        assert [batch[0, 0] for batch in data.epoch(2)] == [0, 1] and taken == [0, 1]
    assert [x[0, 0] for (x,) in data.x] == [0, 1, 2, 3]


def test_units_of_data_that_may_be_endless_are_learned_with_a_warning(monkeypatch):
    monkeypatch.setattr("keras_gen.core.fit_data._MOST_KEPT", 3)
    endless = tf.data.Dataset.from_tensors(np.ones((2, 1))).repeat().filter(lambda x: True)
    with pytest.warns(UserWarning, match=r"^owner has read 3 batches of x, .* steps_per_epoch=100"):
        assert len(list(itertools.islice(Batches("owner", endless).learned_from(None), 9))) == 9
    assert len(list(Batches("owner", endless).learned_from(5))) == 5


class Masked(keras.utils.PyDataset):
    """Three batches, of which one is masked."""

    def __init__(self, masked):
        super().__init__()
        self.masked = masked

    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = np.ones((2, 2), "float32")
        return (np.ma.masked_equal(rows, 1) if index == self.masked else rows,)


@pytest.mark.parametrize("masked", range(3))
def test_masks_are_refused_in_every_batch(masked):
    model = keras_gen.VAE.for_vectors(2, hidden=(4,), standardize=False)
    model.compile(run_eagerly=True)
    sentence = r"^A batch is a masked array that hides 4 of .* with \.filled\(value\)\.$"
    for use in (model.fit, model.evaluate, model.predict):
        for batches in (Masked(masked), iter([*Masked(masked)])):
            with pytest.raises(ValueError, match=sentence):
                use(batches, verbose=0)


class Frames(keras.utils.PyDataset):
    """Batches that are no tuples."""

    def __init__(self, *frames):
        super().__init__()
        self.frames = frames

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, index):
        return self.frames[index]


@pytest.mark.parametrize("kind", [lambda *frames: iter(frames), Frames])
def test_batches_may_be_tables(kind):
    turned = FRAME[["hours", "age"]]
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    model.fit(kind(FRAME, turned), steps_per_epoch=2, verbose=0)
    assert model.edges["x"].columns == ("age", "hours")
    np.testing.assert_allclose(model.edges["x"].mean.numpy(), FRAME.mean(), rtol=1e-6)
    expected = model.predict(FRAME, verbose=0)
    for frame in (FRAME, turned):
        found = model.predict(kind(frame), steps=1, verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r"^The table has the columns a, hours: expected age, h"):
        model.fit(kind(FRAME, FRAME.rename(columns={"age": "a"})), verbose=0)


BATCHES_OF_ROWS = {
    "frames": PEOPLE,
    "columns": {name: PEOPLE[name].to_numpy() for name in PEOPLE},
    "objects": PEOPLE.to_numpy(),
    "texts": PEOPLE.astype(str).to_numpy().astype(str),
    "in a tuple": (PEOPLE,),
}


@pytest.mark.parametrize("batch", BATCHES_OF_ROWS.values(), ids=BATCHES_OF_ROWS)
def test_batches_may_be_rows(batch):
    model = keras_gen.MADE.for_table(table_columns(PEOPLE), hidden=(4,))
    model.compile(run_eagerly=True)
    expected = model.evaluate(PEOPLE, verbose=0)
    for kind in (iter, lambda batches: Frames(*batches)):
        found = model.evaluate(kind([batch]), steps=1, verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(NotImplementedError, match=r"TableMADE has no predict: use one of .*fill"):
        model.predict(batch, verbose=0)
    with pytest.raises(ValueError, match=r"^The column sex has the category Dog, which"):
        model.fit(iter([batch, PEOPLE.replace("Male", "Dog")]), verbose=0)


def test_three_parts_are_held_out_as_they_are_trained_on():
    columns = table_columns(PEOPLE)
    model = keras_gen.ALFR.for_table(columns, features=2, hidden=(4,), discriminator_hidden=(4,))
    model.compile(run_eagerly=True)
    data = (PEOPLE, np.arange(4) % 2, np.arange(4) % 2)
    logs = model.fit(*data, verbose=0, validation_data=data).history
    expected = model.evaluate(*data, verbose=0, return_dict=True)
    assert {name: logs[f"val_{name}"][-1] for name in expected} == pytest.approx(expected)
