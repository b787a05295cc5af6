"""Digits on photographs."""

import numpy as np
import pytest

from keras_gen.data import on_photographs


def test_pixels_are_absolute_differences():
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 256, (5, 4, 4, 1), "uint8")
    photographs = rng.integers(0, 256, (3, 4, 4, 3), "uint8")
    found = on_photographs(digits, photographs, seed=1)
    assert found.dtype == np.uint8 and found.shape == (5, 4, 4, 3)
    for digit, image in zip(digits.astype(int), found, strict=True):
        possible = [np.abs(photo.astype(int) - digit) for photo in photographs]
        assert any(np.array_equal(image, each) for each in possible)
    black = np.zeros((40, 4, 4, 1), "uint8")
    drawn = on_photographs(black, photographs, seed=1)
    assert {image.tobytes() for image in drawn} == {photo.tobytes() for photo in photographs}
    np.testing.assert_array_equal(drawn, on_photographs(black, photographs, seed=1))
    with pytest.raises(ValueError, match=r"\(4, 4\) pixels and the photographs \(5, 4\)"):
        on_photographs(digits, np.zeros((1, 5, 4, 3), "uint8"))
    with pytest.raises(ValueError, match="photographs must be uint8, 0 to 255, found float64"):
        on_photographs(digits, photographs / 255)
