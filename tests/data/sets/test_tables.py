"""Tables of people, and the sample that needs no network."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import RowVectors, Source, people_table
from keras_gen.data.tfds_builders.adult.columns import COLUMNS, NUMBERS

module = sys.modules["keras_gen.data.sets.tables"]


def test_adult_has_its_columns_incomes_and_sexes(monkeypatch):
    def load(name, split, features):
        assert name == "adult" and features == (*(f"columns/{c}" for c in COLUMNS), "label")
        numbers = np.arange(4) + (split == "test")
        words = np.array(["a", "b", "a", "b"], "S")
        sexes = np.array(["Male", "Female", "Male", "Male"], "S")
        kinds = {"sex": sexes} | dict.fromkeys(NUMBERS, numbers)
        columns = [kinds.get(name, words) for name in COLUMNS]
        return Source((*columns, np.array([0, 1, 1, 0])), origin=f"adult/1.0.0, split {split}")

    monkeypatch.setattr(module, "load_tfds", load)
    data = people_table()
    vectors, labels, attributes = data.train.arrays()
    assert labels.tolist() == [0, 1, 1, 0] and attributes.tolist() == [1, 0, 1, 1]
    assert data.train_rows[1].tolist()[:3] == ["1", "b", "1"] and data.warning == ""
    assert data.test_rows[1, 0] == "2" and (data.attribute, data.values) == (
        "sex",
        ("Female", "Male"),
    )
    # Test vectors are standardized by the training rows.
    np.testing.assert_array_equal(vectors, RowVectors(data.columns)(tf.constant(data.train_rows)))
    np.testing.assert_array_equal(
        data.test.arrays()[0], RowVectors(data.columns)(tf.constant(data.test_rows))
    )
    assert data.record()["name"] == "adult/1.0.0"


def test_the_offline_sample(offline):
    data = people_table()
    assert (
        data.warning
        == "Using a small offline sample instead of the real data, because no network here"
    )
    assert len(data.train) == 295 and len(data.test) == 147
    for part in (data.train, data.test):
        vectors, labels, attributes = part.arrays()
        assert vectors.shape[1] == sum(column.width for column in data.columns) == 11
        assert 0.4 < labels.mean() < 0.6 and 0.3 < attributes.mean() < 0.7
    assert (data.attribute, data.values) == ("sex", ("1", "2"))
    assert not set(map(tuple, data.train_rows)) & set(map(tuple, data.test_rows))


@pytest.mark.parametrize("part", ["train", "test"])
def test_offline_labels_are_as_easy_as_a_line(monkeypatch, part):
    from sklearn.linear_model import LogisticRegression

    data = module._diabetes()
    vectors, labels, _ = data.train.arrays()
    linear = LogisticRegression(max_iter=1000).fit(vectors, labels)
    vectors, labels, _ = getattr(data, part).arrays()
    assert linear.score(vectors, labels) > 0.65
