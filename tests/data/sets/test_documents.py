"""Documents with topics: what is kept of each set, and the sample that needs no network."""

import sys
import types

import numpy as np
import pytest
import sklearn.datasets

from keras_gen.data import Source, WordCounts, character_texts, documents

module = sys.modules["keras_gen.data.sets.documents"]  # which the function of its name hides

STORIES = {
    "train": [("Wheat up", "grain"), ("Wheat down", "grain"), ("Gold up", "gold"),
              ("Ships sail", "ship"), ("Gold ship", "gold"), ("Both things", "gold ship"),
              ("Nothing here", ""), ("Grain again", "grain")],
    "test": [("Gold falls", "gold"), ("Ship sinks", "ship"), ("Wheat wheat", "grain"),
             ("Wheat gold", "grain gold")],
}  # fmt: skip


@pytest.fixture
def reuters(monkeypatch):
    def load(name, part, features):
        assert (name, features) == ("reuters", ("text", "topics"))
        texts, topics = np.array(STORIES[part], "S").T
        return Source((texts, topics), origin=f"reuters/1.0.0, split {part}, from here")

    monkeypatch.setattr(module, "load_tfds", load)


def test_stories_of_one_common_topic_are_labeled_and_tested_on(reuters):
    data = documents("reuters", words=3, topics=2)
    assert data.topics == ("grain", "gold") and data.warning == ""
    assert data.train_topics.tolist() == [0, 0, 1, -1, 1, -1, -1, 0]
    assert data.test_topics.tolist() == [1, 0]
    assert data.test_texts.tolist() == ["Gold falls", "Wheat wheat"]
    assert len(data.vocabulary) == 3 and {"gold", "wheat"} < set(data.vocabulary)
    for texts, source in ((data.train_texts, data.train), (data.test_texts, data.test)):
        np.testing.assert_array_equal(source.arrays(), WordCounts(data.vocabulary)(texts))
    assert data.record() == {
        "name": "reuters/1.0.0",
        "train": "8 examples: reuters/1.0.0, split train",
        "test": "2 examples: reuters/1.0.0, split test",
    }


def newsgroups(cached: bool):
    calls = []

    def fetch(subset, remove, download_if_missing, n_retries):
        calls.append(download_if_missing)
        assert remove == ("headers", "footers", "quotes")
        if not (cached or any(calls)):
            raise OSError("20Newsgroups dataset not found")
        texts = [f"space {subset}", "hockey game game", ""]
        return types.SimpleNamespace(
            data=texts, target=np.array([1, 0, 0]), target_names=["hockey", "space"]
        )

    return fetch, calls


@pytest.mark.parametrize("cached", [True, False])
def test_newsgroups_come_through_sklearn(monkeypatch, cached):
    fetch, calls = newsgroups(cached)
    monkeypatch.setattr(sklearn.datasets, "fetch_20newsgroups", fetch)
    monkeypatch.setattr(module, "unreachable", lambda urls: None)
    data = documents("20newsgroups", words=2)
    assert calls == ([False, False] if cached else [False, True, False])
    assert len(data.vocabulary) == 2 and "game" in data.vocabulary
    assert data.test_topics.tolist() == [1, 0, 0] and data.topics == ("hockey", "space")
    assert data.test.arrays()[2].tolist() == [0, 0] and data.warning == ""


@pytest.mark.thorough
def test_without_network_newsgroups_are_given_up_before_they_are_tried(monkeypatch):
    fetch, calls = newsgroups(cached=False)
    monkeypatch.setattr(sklearn.datasets, "fetch_20newsgroups", fetch)
    monkeypatch.setattr(module, "unreachable", lambda urls: "its host cannot be reached")
    data = documents("20newsgroups", words=50)
    assert calls == [False]
    assert data.warning.startswith(
        "Using a small offline sample instead of the real data, because the 20 newsgroups"
    )
    assert "its host cannot be reached" in data.warning


@pytest.mark.thorough
def test_the_offline_sample(offline):
    data = documents("reuters", words=100)
    assert (
        data.warning
        == "Using a small offline sample instead of the real data, because no network here"
    )
    assert data.train.arrays().shape[1] == len(data.vocabulary) == 100
    assert len(data.train) > 300 and len(data.test) > 100
    assert not set(data.train_texts) & set(data.test_texts)
    for topics in (data.train_topics, data.test_topics):
        assert np.bincount(topics, minlength=len(data.topics)).min() >= 5
    assert "cluster" in data.topics


def test_texts_of_characters(reuters, monkeypatch):
    monkeypatch.setitem(STORIES, "test", [*STORIES["test"], ("Q: Wheat\t?", "ship"), ("\t", "")])
    data = character_texts("reuters")
    train = [text.decode() for text in data.train.arrays()]
    assert train == [text for text, _ in STORIES["train"]]
    assert data.alphabet == "".join(sorted(set("".join(train)))) and data.warning == ""
    # All held-out stories but one without characters, in the characters of the training stories.
    expected = ["Gold falls", "Ship sinks", "Wheat wheat", "Wheat gold", "   Wheat  "]
    assert [text.decode() for text in data.test.arrays()] == [
        "".join(c if c in data.alphabet else " " for c in text) for text in expected
    ]
    assert data.record()["test"] == "5 examples: reuters/1.0.0, split test"
    assert next(iter(data.train.stream(3, seed=1))).shape == (3,)


@pytest.mark.thorough
def test_texts_of_characters_without_network(offline):
    data = character_texts("reuters")
    assert (
        data.warning
        == "Using a small offline sample instead of the real data, because no network here"
    )
    assert len(data.train) > 300 and len(data.test) > 100
    assert set(data.alphabet) <= {"\n", *map(chr, range(32, 127))}
    assert set(b"".join(data.test.arrays()).decode()) <= set(data.alphabet)
