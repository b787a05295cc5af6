"""Triples of a class: who is drawn for whom, how often, and from where a stream goes on."""

import collections

import numpy as np
import pytest

from keras_gen.data import Source, class_triples

LABELS = np.array([2, 0, 2, 1, 1, 0, 2, 0, 0])  # 4, 2 and 3 of each
SOURCE = Source((np.arange(9, dtype="uint8"), LABELS))


def batches(count, batch_size=3, **options):
    stream = class_triples(SOURCE, batch_size, **options)
    return list(stream.take(count).as_numpy_iterator())


def test_same_is_another_of_the_class_and_other_is_of_another_class():
    for x, labels, same, other, other_labels in batches(30):
        np.testing.assert_array_equal(LABELS[x], labels)
        np.testing.assert_array_equal(LABELS[same], labels)
        np.testing.assert_array_equal(LABELS[other], other_labels)
        assert (same != x).all() and (other_labels != labels).all()


def test_same_and_other_are_drawn_apart():
    pairs = set()
    for x, _, same, other, _ in batches(60, batch_size=9):
        (place,) = np.flatnonzero(x == 1)
        pairs.add((same[place], other[place]))
    assert len(pairs) > 10  # of 3 * 5; one draw for both reaches 7


@pytest.mark.thorough
def test_each_is_drawn_as_often_as_the_others():
    found = batches(600, batch_size=9)
    x = np.concatenate([batch[0] for batch in found])
    assert np.bincount(x).tolist() == [600] * 9  # each once in an epoch
    for place, pool in ((2, LABELS[:, None] == LABELS), (3, LABELS[:, None] != LABELS)):
        pairs = collections.Counter(zip(x, np.concatenate([b[place] for b in found]), strict=True))
        np.fill_diagonal(pool, False)
        counts = np.array([[pairs[i, j] for j in range(9)] for i in range(9)])
        expected = 600 * pool / pool.sum(axis=1, keepdims=True)
        # Five standard deviations of a count, at most.
        assert (np.abs(counts - expected) <= 5 * np.sqrt(expected)).all()


def test_a_stream_goes_on_where_it_stopped():
    whole, later = batches(7, seed=4), batches(3, seed=4, start=4)
    for one, other in zip(whole[4:], later, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    others = batches(7, seed=5)
    for field in (0, 2, 3):
        assert any((a[field] != b[field]).any() for a, b in zip(whole, others, strict=True))


def test_batches_have_a_known_size():
    spec = class_triples(SOURCE, 3).element_spec
    assert {field.shape[0] for field in spec} == {3}


def test_parts_without_an_order_are_refused():
    """A dict unpacks to its names; a label that comes first is no label."""
    x, labels = SOURCE.arrays()
    for parts in ({"x": x, "label": labels}, (labels, x[:, None]), (x, labels, labels), x):
        with pytest.raises(TypeError, match=r"^expected examples \(example, label\) with"):
            class_triples(Source(parts), 2)


@pytest.mark.parametrize(("labels", "counts"), [([0, 0, 0], r"\[3\]"), ([0, 0, 5], r"\[2, 1\]")])
def test_classes_without_pairs_are_refused(labels, counts):
    with pytest.raises(ValueError, match=f"There are {counts} examples of each class: class_tri"):
        class_triples(Source((np.zeros(3), np.array(labels))), 2)
