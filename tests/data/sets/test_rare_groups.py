"""Rare groups: how many of each there are, and which example is which."""

import numpy as np
import pytest

from keras_gen.data import Source, rare_color, rare_group


@pytest.fixture
def digits(rng):
    images = rng.integers(1, 256, (1000, 4, 4, 1), "uint8")
    return Source((images, np.arange(1000) % 10))


def test_groups_have_their_sizes(digits):
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


@pytest.fixture
def labeled(rng):
    """100, 200, 300 and 400 examples of the labels 0 to 3, whose images are their numbers."""
    labels = rng.permutation(np.repeat(np.arange(4), [100, 200, 300, 400]))
    numbers = np.arange(1000)
    images = np.stack([numbers // 256, numbers % 256], axis=1).reshape(-1, 1, 2, 1).astype("uint8")
    return Source((images, labels))


@pytest.mark.parametrize(("rare", "expected"), [(0.0, 0), (0.25, 100), (0.5, 300), (0.9, 400)])
def test_others_than_the_rare_group_stay_as_they_are(labeled, rare, expected):
    source, groups = rare_group(labeled, rare)
    assert np.bincount(groups, minlength=4).tolist() == [100, 200, 300, expected]
    images, classes = source.arrays()
    numbers = images.astype(int).reshape(-1, 2) @ [256, 1]
    assert (np.diff(numbers) > 0).all()
    np.testing.assert_array_equal(labeled.arrays()[1][numbers], groups)
    np.testing.assert_array_equal(classes, groups // 2)
