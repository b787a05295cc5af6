import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import OneHot


@pytest.mark.parametrize("shape", [(2, 1), (2, 5, 1), (2, 3, 4, 1)])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_levels_become_unit_vectors(shape, policy, rng):
    levels = rng.integers(0, 301, shape)
    for dtype in ("int32", "float32"):
        y = OneHot(301, dtype=policy)(tf.constant(levels, dtype))
        np.testing.assert_array_equal(tf.cast(y, tf.float32), np.eye(301)[levels[..., 0]])


def test_padding_is_a_level_or_none():
    levels = tf.constant([[-1.0], [2.0]])
    np.testing.assert_array_equal(OneHot(3)(levels), [[0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(OneHot(3, padding=1)(levels), [[0, 1, 0], [0, 0, 1]])
    assert OneHot(3)(keras.Input((None, 1))).shape == (None, None, 3)


def test_bad_arguments_and_shapes_are_refused():
    with pytest.raises(ValueError, match="levels is 1 and padding None"):
        OneHot(1)
    with pytest.raises(ValueError, match="levels is 3 and padding 3"):
        OneHot(3, padding=3)
    with pytest.raises(ValueError, match=r"shape \(2, 4\): expected \[batch, ..., 1\]"):
        OneHot(3)(tf.zeros([2, 4]))
