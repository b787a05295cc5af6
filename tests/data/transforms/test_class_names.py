"""The order of class names."""

import pytest

from keras_gen.data.transforms.class_names import sorted_names


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "2", "1", "2"], ["1", "2", "10"]),
        (["-1", "0", "-10"], ["-10", "-1", "0"]),
        (["10", "02", "2"], ["02", "2", "10"]),
        (["10", "2", "cat"], ["10", "2", "cat"]),
        (["1.5", "10", "2"], ["1.5", "10", "2"]),
        ([], []),
    ],
)
def test_whole_numbers_are_in_their_own_order(names, expected):
    assert sorted_names(names) == expected
