"""Triples of a class, and two sets without pairs."""

import collections
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import Source, class_triples, unpaired

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


def pairs_of(a, b, count, batch_size=2, **options):
    stream = unpaired(a, b, batch_size, **options)
    return [np.array(pair) for pair in islice(stream.as_numpy_iterator(), count)]


def add_noise(example, seed):
    return tf.cast(example, tf.float32) + tf.random.stateless_uniform([], seed)


def test_pairs_change_and_each_side_is_a_permutation():
    pairs = pairs_of(Source(np.arange(6)), Source(np.arange(6)), 4, batch_size=6, seed=3)
    np.testing.assert_array_equal(np.sort(pairs, axis=-1), np.tile(np.arange(6), [4, 2, 1]))
    partners = {tuple(b[np.argsort(a)]) for a, b in pairs}
    assert len(partners) == 4
    assert not any(np.array_equal(a, b) for a, b in pairs)


def test_arrays_are_paired_as_their_sources():
    a, b = np.arange(6), np.arange(4)
    np.testing.assert_array_equal(pairs_of(a, b, 5), pairs_of(Source(a), Source(b), 5))


def test_sides_augment_independently_and_resume():
    zeros = Source(np.zeros(5))
    whole = pairs_of(zeros, zeros, 6, augment=add_noise)
    assert len(np.unique(whole)) == 24
    resumed = pairs_of(zeros, zeros, 2, start=4, augment=add_noise)
    np.testing.assert_array_equal(whole[4:], resumed)
