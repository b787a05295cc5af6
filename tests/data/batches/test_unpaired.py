"""Two sets without pairs: shuffled apart, augmented apart, resumed together."""

from itertools import islice

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import Source, unpaired


def batches(a, b, count, batch_size=2, **options):
    stream = unpaired(a, b, batch_size, **options)
    return [np.array(pair) for pair in islice(stream.as_numpy_iterator(), count)]


def add_noise(example, seed):
    return tf.cast(example, tf.float32) + tf.random.stateless_uniform([], seed)


def test_pairs_change_and_each_side_is_a_permutation():
    pairs = batches(Source(np.arange(6)), Source(np.arange(6)), 4, batch_size=6, seed=3)
    np.testing.assert_array_equal(np.sort(pairs, axis=-1), np.tile(np.arange(6), [4, 2, 1]))
    partners = {tuple(b[np.argsort(a)]) for a, b in pairs}
    assert len(partners) == 4
    assert not any(np.array_equal(a, b) for a, b in pairs)


def test_arrays_are_paired_as_their_sources():
    a, b = np.arange(6), np.arange(4)
    np.testing.assert_array_equal(batches(a, b, 5), batches(Source(a), Source(b), 5))


def test_sides_augment_independently_and_resume():
    zeros = Source(np.zeros(5))
    whole = batches(zeros, zeros, 6, augment=add_noise)
    assert len(np.unique(whole)) == 24
    resumed = batches(zeros, zeros, 2, start=4, augment=add_noise)
    np.testing.assert_array_equal(whole[4:], resumed)


def test_a_batch_larger_than_a_side_is_refused():
    with pytest.raises(ValueError, match="larger than the set of 2"):
        unpaired(np.arange(5), np.arange(2), 3)
