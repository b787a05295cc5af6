"""A few labels among many examples."""

import numpy as np
import pytest

from keras_gen.data import Source, even_order, half_labeled


def test_labels_are_drawn_evenly_and_larger_draws_contain_smaller_ones(rng):
    labels = rng.permutation([0] * 90 + [1] * 8 + [2] * 2)
    order = even_order(labels, seed=0)
    assert sorted(order) == list(range(100))
    assert np.bincount(labels[order[:6]]).tolist() == [2, 2, 2]
    assert np.bincount(labels[order[:12]]).tolist() == [5, 5, 2]
    assert order.tolist() != even_order(labels, seed=1).tolist()


@pytest.fixture
def sources():
    """Six labeled images of the levels 0 to 5, their labels, and ten of the levels 100 to 109."""
    few = np.arange(6, dtype="uint8")[:, None, None, None]
    many = np.arange(100, 110, dtype="uint8")[:, None, None, None]
    return Source((few, np.arange(6))), Source(many)


def batches(sources, count, **options):
    data = half_labeled(*sources, batch_size=4, **options).take(count)
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


def test_a_stream_goes_on_where_it_stopped(sources):
    assert batches(sources, 3, seed=4, start=5) == batches(sources, 8, seed=4)[5:]
    assert batches(sources, 8, seed=4) != batches(sources, 8, seed=5)


def test_an_odd_batch_has_no_half(sources):
    with pytest.raises(ValueError, match="batch_size is 5"):
        half_labeled(*sources, batch_size=5)
