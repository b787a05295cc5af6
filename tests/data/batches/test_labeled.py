"""A few labels among many examples."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import Source, even_order, few_labels, partly_labeled


def test_labels_are_drawn_evenly_and_larger_draws_contain_smaller_ones(rng):
    labels = rng.permutation([0] * 90 + [1] * 8 + [2] * 2)
    order = even_order(labels, seed=0)
    assert sorted(order) == list(range(100))
    assert np.bincount(labels[order[:6]]).tolist() == [2, 2, 2]
    assert np.bincount(labels[order[:12]]).tolist() == [5, 5, 2]
    assert order.tolist() != even_order(labels, seed=1).tolist()


def test_few_keep_their_labels():
    labels = np.arange(12) % 3
    found = few_labels(labels, 6, seed=1)
    (kept,) = np.where(found >= 0)
    np.testing.assert_array_equal(found[kept], labels[kept])
    assert np.bincount(found[kept]).tolist() == [2, 2, 2] and set(found) == {-1, 0, 1, 2}
    assert sorted(kept) == sorted(even_order(labels, 1)[:6])


@pytest.fixture
def sources():
    """Six labeled images of the levels 0 to 5, their labels, and ten of the levels 100 to 109."""
    few = np.arange(6, dtype="uint8")[:, None, None, None]
    many = np.arange(100, 110, dtype="uint8")[:, None, None, None]
    return Source((few, np.arange(6))), Source(many)


def batches(sources, count, **options):
    data = partly_labeled(*sources, batch_size=4, **options).take(count)
    return [
        (images.ravel().tolist(), labels.tolist()) for images, labels in data.as_numpy_iterator()
    ]


def test_half_of_a_batch_has_labels(sources):
    found = batches(sources, 15)
    for images, labels in found:
        assert images[:2] == labels[:2] and min(images[2:]) >= 100 and labels[2:] == [-1, -1]
    # In 15 batches each of the 6 comes 5 times, each of the 10 three times.
    every = [level for images, _ in found for level in images]
    assert np.bincount(every)[:6].tolist() == [5] * 6
    assert np.bincount(every)[100:].tolist() == [3] * 10


def test_labels_of_the_unlabeled_are_left_aside(sources):
    few, many = sources
    labeled = Source((many.arrays(), np.arange(10)))
    assert batches((few, labeled), 3) == batches(sources, 3)


@pytest.mark.thorough
def test_a_stream_goes_on_where_it_stopped(sources):
    assert batches(sources, 3, seed=4, start=5) == batches(sources, 8, seed=4)[5:]
    assert batches(sources, 8, seed=4) != batches(sources, 8, seed=5)


@pytest.mark.thorough
def test_batches_are_augmented_alike_wherever_a_stream_begins(sources):
    def noisy(batch, seed):
        images, labels = batch
        drawn = tf.random.stateless_uniform(tf.shape(images), seed, 0, 200, tf.int32)
        return tf.cast(drawn, tf.uint8), labels

    first, *others = batches(sources, 4, seed=4, augment_batch=noisy)
    assert others == batches(sources, 3, seed=4, start=1, augment_batch=noisy)
    assert first[0] != others[0][0] and first[1] == batches(sources, 1, seed=4)[0][1]


def test_few_of_a_batch_may_have_labels(sources):
    found = batches(sources, 12, labels_per_batch=1)
    for images, labels in found:
        assert images[:1] == labels[:1] and min(images[1:]) >= 100 and labels[1:] == [-1] * 3
    assert batches(sources, 3, labels_per_batch=1, start=9) == found[9:]
