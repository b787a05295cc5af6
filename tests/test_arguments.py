"""Integers that users give."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.arguments import checked_image_shape, checked_integer, checked_seed, checked_shape


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3), tf.constant(3)])
def test_integers_of_any_kind_are_taken(value):
    found = checked_integer("n", value, minimum=3, maximum=3)
    assert found == 3 and type(found) is int


@pytest.mark.parametrize("value", [1.0, 2.5, True, np.True_, "3", None, [3], np.float32(3)])
def test_what_is_no_integer(value):
    with pytest.raises(TypeError, match=r"^n must be an integer of at least 1, found .*\.$"):
        checked_integer("n", value, minimum=1)


def test_limits():
    with pytest.raises(ValueError, match=r"^n must be at least 1, found 0\.$"):
        checked_integer("n", 0, minimum=1)
    with pytest.raises(ValueError, match=r"^n must be 1 to 4, found 5\.$"):
        checked_integer("n", 5, minimum=1, maximum=4)


def test_seeds_are_those_that_an_export_takes():
    assert checked_seed(0) == 0 and checked_seed(2**31 - 1) == 2**31 - 1
    for seed in (-1, 2**31):
        with pytest.raises(ValueError, match=rf"seed must be 0 to 2147483647, found {seed}\."):
            checked_seed(seed)


def test_long_values_are_shown_in_short():
    """An array of many numbers would fill the screen."""
    with pytest.raises(TypeError, match=r"at least 1, found ndarray of shape \(9, 28, 28, 1\)\.$"):
        checked_integer("batch_size", np.zeros((9, 28, 28, 1)), 1)
    with pytest.raises(TypeError, match=r"found \[0, 1, .*\.\.\.\.$") as caught:
        checked_integer("batch_size", list(range(1000)), 1)
    assert len(str(caught.value)) < 130


def test_shapes_have_one_number_or_several():
    assert checked_shape("shape", 8) == (8,)
    assert checked_shape("shape", [np.int64(7), 2]) == (7, 2)
    assert checked_image_shape(28) == (28, 28, 1)
    assert checked_image_shape((20, 28, 3)) == (20, 28, 3)


@pytest.mark.parametrize("shape", [(28, 28), "28", (), [1, 2, 3, 4]])
def test_what_is_no_shape_of_images(shape):
    with pytest.raises(ValueError, match=r"expected \(height, width, channels\), such as \(28, "):
        checked_image_shape(shape)


def test_sizes_that_cannot_be():
    with pytest.raises(ValueError, match="shape must be at least 1, found 0"):
        checked_image_shape((0, 28, 1))
    with pytest.raises(TypeError, match=r"shape must be an integer of at least 1, found 2\.5"):
        checked_shape("shape", 2.5)
    with pytest.raises(ValueError, match="shape is empty"):
        checked_shape("shape", ())
