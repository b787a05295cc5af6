import numpy as np
import pytest

from keras_gen.visualize import point_strips

SQUARE = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])


def ink(image, rows, columns):
    """How much of each panel is colored, a fraction `[rows, columns]`: points are blue."""
    blue = (image[..., 2].astype(int) > image[..., 0].astype(int) + 60).astype(float)
    parts = [np.array_split(row, columns, axis=1) for row in np.array_split(blue, rows)]
    return np.array([[part.mean() for part in row] for row in parts])


def test_a_row_for_each_method_and_a_column_for_each_time(rng):
    inside, outside = rng.uniform(-1, 1, (300, 2)), 50 + SQUARE
    rows = {"one": [inside, outside, inside], "two": [outside, inside, outside]}
    image = point_strips(rows, ["a", "b", "c"], SQUARE)
    assert image.dtype == np.uint8 and image.shape[2] == 3
    # Points beyond the data's range are not shown; the last column is the data, in black.
    found = ink(image, 2, 4) > 0.005
    np.testing.assert_array_equal(found, [[1, 0, 1, 0], [0, 1, 0, 0]])


def test_rows_that_do_not_fit_are_refused():
    for rows in ({}, {"one": [SQUARE]}, {"one": [SQUARE, SQUARE[:, :1]]}):
        with pytest.raises(ValueError, match="under 2 titles: expected at least one row"):
            point_strips(rows, ["a", "b"], SQUARE)
