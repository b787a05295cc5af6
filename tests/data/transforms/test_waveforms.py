"""Sounds of one length, of one level, and shifted."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import Source, fit_length, random_shift, to_peak


@pytest.mark.parametrize(
    ("samples", "expected"),
    [(5, [1, 2, 3, 4, 5]), (3, [2, 3, 4]), (2, [2, 3]), (8, [0, 1, 2, 3, 4, 5, 0, 0])],
)
def test_the_middle_stays(samples, expected):
    sound = np.arange(1, 6, dtype="int16")
    for shape in ((-1,), (-1, 1)):
        found = fit_length(sound.reshape(shape), samples)
        assert found.dtype == tf.int16
        np.testing.assert_array_equal(found, np.reshape(expected, shape))


def test_a_length_that_only_the_graph_knows():
    specs = [tf.TensorSpec([None], tf.int64)]
    fitted = tf.function(lambda x: fit_length(x, 3), input_signature=specs)
    assert fitted.get_concrete_function().output_shapes == (3,)
    np.testing.assert_array_equal(fitted(tf.range(7, dtype=tf.int64)), [2, 3, 4])


def test_all_sounds_get_one_peak():
    sounds = np.array([[1, -2, 0], [500, 250, -125]], "int64")[..., None]
    found = to_peak(sounds, peak=0.5)
    assert found.dtype == np.int16
    expected = [[2**13, -(2**14), 0], [2**14, 2**13, -(2**12)]]
    np.testing.assert_array_equal(found[..., 0], expected)
    np.testing.assert_array_equal(to_peak(np.array([[1.0, -1.0]]), 1.0), [[2**15 - 1, -(2**15)]])
    np.testing.assert_array_equal(to_peak(found / 2.0**15, 0.5), found)


def test_what_has_no_peak():
    for bad, shown in ((0.0, "0"), (np.nan, "nan"), (np.inf, "inf")):
        with pytest.raises(ValueError, match=f"Sound 1 has the largest absolute value {shown}: ex"):
            to_peak(np.array([[1.0, 2.0], [bad, 0.0]]))
    for peak in (0.0, 1.1):
        with pytest.raises(ValueError, match=f"peak is {peak}: expected a fraction"):
            to_peak(np.ones([1, 2]), peak)


def test_shifts_are_even_and_filled_with_silence():
    sound = np.arange(1, 8, dtype="int16")[:, None]
    source = Source((np.repeat(sound[None], 400, axis=0), np.arange(400)))
    sounds, labels = next(iter(source.batches(400, seed=1, augment=random_shift(2))))
    np.testing.assert_array_equal(labels, np.arange(400))
    possible = [np.pad(sound, [[2, 2], [0, 0]])[i : i + 7] for i in range(5)]
    counts = [int((sounds.numpy() == p).all(axis=(1, 2)).sum()) for p in possible]
    assert sum(counts) == 400 and min(counts) > 50
    np.testing.assert_array_equal(random_shift(0)(tf.constant(sound), np.array([1, 2])), sound)
    with pytest.raises(ValueError, match="most must be at least 0, found -1"):
        random_shift(-1)
