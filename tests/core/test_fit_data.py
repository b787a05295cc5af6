"""Tables and columns of pandas, and lists of texts, as `fit` and capabilities take them."""

import numpy as np
import pandas as pd
import pytest

import keras_gen
from keras_gen.core.fit_data import Arrays
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
    with pytest.raises(TypeError, match="column sex of the table holds no numbers alone, but"):
        keras_gen.VAE.for_vectors(3).score(PEOPLE)
    with pytest.raises(ValueError, match="columns age: expected age, hours, as in the first"):
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
        with pytest.raises(ValueError, match="columns age, hours, sex: expected age, hours, as in"):
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
    with pytest.raises(ValueError, match=r"names or numbers are missing: give both"):
        table_columns(np.array([["3", "cat"]]))


@pytest.mark.parametrize("texts", [["cab", "a"], pd.Series(["cab", "a"]), np.array(["cab", "a"])])
def test_texts_are_what_their_edge_makes_of_them(texts):
    model = keras_gen.CharacterRNN(character_rnn(levels=4, units=2), "abc", length=5)
    np.testing.assert_array_equal(Arrays(model, "owner", texts).x, model.prepare(["cab", "a"]))


def test_labels_that_are_strings_have_a_way_out():
    model = keras_gen.Classifier.for_images(16, classes=3, filters=2, hidden=4)
    model.compile()
    images = np.zeros((2, 16, 16, 1), "uint8")
    with pytest.raises(ValueError, match=r"texts as y: .* np\.unique\(labels, return_inverse"):
        model.fit(images, np.array(["cat", "dog"]))
