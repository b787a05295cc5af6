"""Training and held-out parts: what is held out, and what a run records."""

import re

import numpy as np
import pytest

from keras_gen.data import Sets, Source, Split


def test_description_names_sizes_and_origins():
    split = Split(Source(np.zeros([3, 1]), origin="here"), Source(np.zeros([2, 1]), origin="there"))
    assert split.describe() == {"train": "3 examples: here", "test": "2 examples: there"}


def test_the_last_training_examples_are_held_out():
    split = Split(Source(np.arange(5)[:, None]), Source(np.zeros([2, 1])), "OFFLINE")
    kept = split.for_validation(2)
    assert kept.train.arrays().ravel().tolist() == [0, 1, 2] and kept.warning == "OFFLINE"
    assert kept.test.arrays().ravel().tolist() == [3, 4]
    for count in (0, 5):
        with pytest.raises(ValueError, match=f"count is {count}: expected 1 to 4 held-out"):
            split.for_validation(count)


def test_identity_changes_with_sizes_contents_and_origins():
    def identity(values, origin="letters, part, from there"):
        source = Source(np.asarray(values), origin=origin)
        return Split(source, source).identity()["train"]

    first = identity([[1, 2], [3, 4]])
    assert re.fullmatch("2 examples: letters, part, checksum [0-9a-f]{8}", first)
    assert first == identity([[1, 2], [3, 4]], "letters, part, from elsewhere")
    others = [[[1, 2], [4, 3]], [[1, 2]], [b"ab", b"c"], [b"a", b"bc"]]
    found = {first, identity([[1, 2], [3, 4]], "digits"), *map(identity, others)}
    assert len(found) == 2 + len(others)


def test_several_sets():
    def split(name, warning=""):
        parts = (Source(np.zeros([n, 1]), origin=f"{name}, part, from there") for n in (3, 2))
        return Split(*parts, warning)

    data = Sets(a=split("letters", "OFFLINE"), b=split("digits", "OFFLINE"))
    assert list(data.parts()) == ["train_a", "test_a", "train_b", "test_b"]
    assert len(data.train_b) == 3 and data.warning == "OFFLINE"
    assert data.record() == {
        "name": "letters and digits",
        "train_a": "3 examples: letters, part", "test_a": "2 examples: letters, part",
        "train_b": "3 examples: digits, part", "test_b": "2 examples: digits, part",
    }  # fmt: skip
    some = Sets(only=("train_a", "test_b"), a=split("letters"), b=split("digits"))
    assert list(some.parts()) == ["train_a", "test_b"] and some.warning == ""
