"""Integers that users give."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.arguments import checked_integer, checked_seed


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
