"""Rows with names, and figures with labels."""

import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.core.callbacks import SampleGrid
from keras_gen.files.images import grid, read_image
from keras_gen.workshop.visualize import figure, film_strip, manifold, point_strips

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
    # A point outside is only counted, so the panel differs although the point is not visible.
    points = inside[:19], np.concatenate([inside[:19], outside[:1]])
    without, counted = (point_strips({"one": [some]}, ["a"], SQUARE) for some in points)
    assert np.any(counted != without)


def test_a_film_strip_goes_from_the_first_frame_to_the_last():
    shades = [0, 30, 60, 90, 120, 150, 180]
    frames = {f"epoch {shade}": np.full((20, 30, 3), shade, np.uint8) for shade in shades}
    strip = film_strip(frames, 3)
    left = strip[:, strip.shape[1] // 4, 0]
    right = strip[:, strip.shape[1] * 3 // 4, 0]
    # Two in a row; the last one is alone.
    assert (left == 0).sum() > 100 and (left == 180).sum() > 100 and (right == 90).sum() > 100
    two = film_strip(dict(list(frames.items())[:2]), 5)
    assert two.shape[1] == strip.shape[1] and 2 * len(two) == len(strip)


def test_a_figure_shows_the_image_and_labels_its_cells():
    sample_grid = grid(np.arange(6 * 4 * 3, dtype="uint8").reshape(6, 4, 3, 1), columns=3)
    drawn = figure(sample_grid, "Title", ["upper", "lower"], ["a", "b", "c"])
    (axes,) = drawn.axes
    np.testing.assert_array_equal(axes.images[0].get_array(), sample_grid)
    assert axes.get_title() == "Title"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["upper", "lower"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]
    # Rows of 4 pixels begin at 2 and at 8, columns of 3 at 2, 7 and 12.
    assert axes.get_yticks().tolist() == [3.5, 9.5]
    assert axes.get_xticks().tolist() == [3.0, 8.0, 13.0]


@pytest.mark.thorough
def test_a_figure_is_a_callback_too(tmp_path):
    sample_grid = SampleGrid(lambda model: figure(manifold(model, side=3), "plane"), tmp_path)
    TINY["VAE"].compiled().fit(*TINY["VAE"].data(4), verbose=0, callbacks=[sample_grid])
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0001.png"]
    assert read_image(tmp_path / "epoch-0001.png").shape[1] == 800
