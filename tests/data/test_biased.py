"""Digits in two colors: how many of each group, and which digit is which."""

import numpy as np
import pytest

from keras_gen.data import Source, rare_color


@pytest.fixture
def digits(rng):
    images = rng.integers(1, 256, (1000, 4, 4, 1), "uint8")
    return Source((images, np.arange(1000) % 10))


def test_groups_are_as_large_as_told(digits):
    _, groups = rare_color(digits, rare=0.02)
    assert np.bincount(groups).tolist() == [250, 250, 490, 10]
    _, groups = rare_color(digits, rare=0.5)
    assert np.bincount(groups).tolist() == [250] * 4


def test_a_digit_is_in_one_channel_and_its_class_is_its_parity(digits):
    source, groups = rare_color(digits, rare=0.3, seed=4)
    images, classes = source.arrays()
    assert images.shape == (1000, 4, 4, 3) and images.dtype == np.uint8
    gray, labels = digits.arrays()
    np.testing.assert_array_equal(classes, labels % 2)
    np.testing.assert_array_equal(groups // 2, classes)
    np.testing.assert_array_equal(images.sum(axis=-1, keepdims=True), gray)
    used = images.any(axis=(1, 2))
    np.testing.assert_array_equal(used, np.eye(3, dtype=bool)[groups % 2])
    assert source.origin == "arrays in memory, 30.0% of the odd ones green"


def test_the_seed_chooses_the_digits(digits):
    first, again, other = (rare_color(digits, 0.1, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_what_cannot_be_is_refused(digits):
    with pytest.raises(ValueError, match=r"rare is 1\.5: expected a fraction from 0 to 1"):
        rare_color(digits, rare=1.5)
    with pytest.raises(ValueError, match=r"images of shape \[4, 4, 3\]: expected gray ones"):
        rare_color(rare_color(digits)[0])
