"""Densities of the plane: where they are large, and on which scale."""

import numpy as np
import pytest

from grid_cells import where
from keras_gen.workshop.visualize import planar_densities

DARK, BRIGHT = (68, 1, 84), (253, 231, 36)  # 0 and the largest value


def upper_right(points):
    """Uniform on a square, in float64."""
    with np.errstate(divide="ignore"):
        return np.log((points > 0).all(axis=1) / 16)


def twice(points):
    return upper_right(points) + np.log(2)


def left(points):
    with np.errstate(divide="ignore"):
        return np.log((points[:, 0] < 0) / 32)


def test_densities_are_drawn_where_they_are_and_on_the_scale_of_the_first(rng):
    points = rng.uniform(0, 4, (500, 2))
    image = planar_densities({"a": (points, {"p": upper_right})}, side=10)
    assert image.dtype == np.uint8 and image.shape[-1] == 3
    bright, dark = where(image, BRIGHT), where(image, DARK)
    assert len(dark) == pytest.approx(3 * len(bright), rel=0.1)
    # Up and to the right in its panel, which is the right one.
    assert bright[:, 0].max() < dark[:, 0].mean() + 20
    assert bright[:, 1].mean() > dark[:, 1].mean() > image.shape[1] / 2
    both = planar_densities({"a": (points, {"p": upper_right, "q": twice, "r": left})}, side=10)
    assert both.shape[1] == pytest.approx(2 * image.shape[1], rel=0.01)
    # What exceeds the scale is as bright as its end; half of it is not.
    assert len(where(both, BRIGHT)) == pytest.approx(2 * len(bright), rel=0.15)
