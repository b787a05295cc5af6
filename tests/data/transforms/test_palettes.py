"""Colors of label maps are found again after JPEG, and pixels get the nearest."""

import io

import numpy as np
from PIL import Image

from keras_gen.data import common_colors, nearest_colors

COLORS = np.array([[0, 0, 220], [0, 50, 250], [250, 80, 10], [190, 250, 60]], "uint8")


def test_colors_are_found_through_jpeg(rng):
    """The most common first; those of ringing and mixed ones are none."""
    labels = np.kron(rng.choice(4, [1, 8, 8], p=[0.5, 0.25, 0.15, 0.1]), np.ones([1, 8, 8], int))
    file = io.BytesIO()
    Image.fromarray(COLORS[labels[0]]).save(file, "JPEG", quality=78)
    maps = np.asarray(Image.open(file))[None]
    found = common_colors(maps, 4)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - COLORS).max() <= 6
    assert (nearest_colors(maps, found) == labels).mean() > 0.95


def test_fewer_colors_than_asked_for():
    assert common_colors(COLORS[None, :2, None], 9).shape == (2, 3)


def test_the_nearest_color_by_hand():
    pixels = np.array([[[[0, 0, 9], [200, 9, 9]]]], "uint8")
    np.testing.assert_array_equal(nearest_colors(pixels, [[255, 0, 0], [0, 0, 0]]), [[[1, 0]]])
