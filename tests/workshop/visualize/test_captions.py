"""Rows of images with names."""

import numpy as np

from keras_gen.workshop.visualize import captioned


def test_small_images_become_large_ones_beside_their_names(rng):
    digits = rng.integers(0, 200, [2, 8, 28, 28, 1], dtype="uint8")
    bare = captioned(digits)
    # Each pixel is 4 x 4: 8 images of 112 pixels and 4 between them fill most of 1,000 pixels.
    assert bare.shape == (2 * 116 + 4, 8 * 116 + 4, 3) and bare.dtype == np.uint8
    np.testing.assert_array_equal(bare[4:116:4, 4:116:4, 0], digits[0, 0, ..., 0])
    named = captioned(digits, ["image", "model"], list("abcdefgh"))
    assert named.shape[1] <= 1000
    scale = 4  # as without names: these are short
    corner = named[-(28 * scale + 4) : -4, -(28 * scale + 4) : -4, 0]
    np.testing.assert_array_equal(corner[::scale, ::scale], digits[1, 7, ..., 0])
    letters = named.astype(int).mean(-1) < 100
    assert letters[:16].any() and letters[:, :40].any()


def test_rows_of_different_sizes_and_numbers_share_their_columns():
    small, large = np.zeros([3, 32, 32, 1], "uint8"), np.full([2, 96, 96, 3], 100, "uint8")
    picture = captioned([small, large], ["small", "large"])
    dark, gray = (picture == 0).all(-1), (picture == 100).all(-1)
    assert gray.any(axis=0).sum() == 2 * 192 and gray.any(axis=1).sum() == 192
    assert dark[:, -100].sum() == 192 and not gray[:, -100].any()
