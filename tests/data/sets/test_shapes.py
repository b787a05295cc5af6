"""Shapes by their moments: areas, places, angles; and which images are alike."""

import numpy as np
import pytest

from keras_gen.data import Shapes

SQUARE, ELLIPSE, HEART = range(3)
SIDE = 0.3 * 64  # of the largest square


def moments(image):
    """Area, centroid (x, y) and covariance of the brightness in pixels."""
    weight = image[..., 0] / 255.0
    place = np.stack(np.meshgrid(*2 * [np.arange(len(weight)) + 0.5]), axis=-1)
    area = weight.sum()
    mean = np.einsum("ij,ijk->k", weight, place) / area
    offset = place - mean
    return area, mean, np.einsum("ij,ijk,ijl->kl", weight, offset, offset) / area


def draw(shapes, **values):
    row = [values.get(name, 0) for name in shapes.factors.names]
    return shapes.render([row])[0]


def test_the_default_grid():
    shapes = Shapes()
    assert shapes.factors.names == ("shape", "scale", "orientation", "x", "y")
    assert len(shapes.factors) == 3 * 6 * 40 * 32 * 32
    image = draw(shapes)
    assert image.shape == (64, 64, 1) and image.dtype == np.uint8
    assert image.min() == 0 and image.max() == 255


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
@pytest.mark.parametrize("scale", [0, 5])
def test_shapes_have_one_area_whatever_the_angle_and_place(shape, scale):
    shapes = Shapes()
    expected = (SIDE * (0.5 + 0.1 * scale)) ** 2
    for orientation in (0, 3, 17):
        for x, y in [(0, 0), (0, 31), (31, 31), (12, 20)]:  # so nothing is cut at the border
            image = draw(shapes, shape=shape, scale=scale, orientation=orientation, x=x, y=y)
            np.testing.assert_allclose(moments(image)[0], expected, rtol=0.02)


def test_x_goes_right_and_y_down_in_even_steps():
    shapes = Shapes(positions=4)
    for shape in (SQUARE, ELLIPSE):
        for x in range(4):
            for y in range(4):
                _, mean, _ = moments(draw(shapes, shape=shape, orientation=5, x=x, y=y))
                margin = 0.8 * SIDE + 0.5
                expected = margin + (64 - 2 * margin) * np.array([x, y]) / 3
                np.testing.assert_allclose(mean, expected, atol=0.05)


def test_the_ellipse_has_the_moments_of_one_with_axes_two_to_one():
    shapes = Shapes(orientations=8)
    b = SIDE / np.sqrt(2 * np.pi)
    for orientation in range(8):
        angle = 2 * np.pi * orientation / 8
        image = draw(shapes, shape=ELLIPSE, scale=5, orientation=orientation, x=9, y=9)
        # Clockwise as seen, which with y downwards is the usual rotation matrix.
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        expected = turn @ np.diag([(2 * b) ** 2 / 4, b**2 / 4]) @ turn.T
        np.testing.assert_allclose(moments(image)[2], expected, atol=0.02 * b**2)


def test_the_heart_stands_upright_and_turns_clockwise():
    shapes = Shapes(orientations=8, positions=3)
    r = 0.5 / np.sqrt(1 + np.pi / 4)
    # The square is centered; each half disc has area pi r^2 / 2 and its centroid 4 r / 3 pi beyond
    # its side.
    upwards = np.sqrt(2) * np.pi * r**2 / 2 * (r + 4 * r / (3 * np.pi)) * SIDE
    for orientation in range(8):
        angle = 2 * np.pi * orientation / 8
        _, mean, _ = moments(draw(shapes, shape=HEART, scale=5, orientation=orientation, x=1, y=1))
        expected = 32 + upwards * np.array([np.sin(angle), -np.cos(angle)])
        np.testing.assert_allclose(mean, expected, atol=0.05)
    upright = draw(shapes, shape=HEART, scale=5, x=1, y=1).astype(int)
    assert np.abs(upright - upright[:, ::-1]).max() <= 1


def test_only_a_quarter_turn_makes_every_image_unique():
    def different(shapes):
        everything = shapes.factors.values(np.arange(len(shapes.factors)))
        return len(np.unique(shapes.render(everything).reshape(len(everything), -1), axis=0))

    settings = {"size": 32, "scales": 2, "orientations": 4, "positions": 3}
    assert different(Shapes(**settings, turn=0.25)) == 3 * 2 * 4 * 9
    # By a full turn in four steps: one square, two ellipses, four hearts. Rounding of the
    # rotation may move a gray level by one, so the repeats are compared and not counted.
    full = Shapes(**settings)
    for shape, period in [(SQUARE, 1), (ELLIPSE, 2), (HEART, 4)]:
        first = draw(full, shape=shape, scale=1, x=1, y=1).astype(int)
        for orientation in range(1, 4):
            other = draw(full, shape=shape, scale=1, orientation=orientation, x=1, y=1)
            assert (np.abs(other - first).max() <= 1) == (orientation % period == 0)


def test_a_source_holds_different_combinations_with_their_values():
    shapes = Shapes(size=16, scales=2, orientations=4, positions=4)
    images, values = shapes.source(100, seed=3, labels=True).arrays()
    assert images.shape == (100, 16, 16, 1) and values.shape == (100, 5)
    assert len(np.unique(values, axis=0)) == 100
    np.testing.assert_array_equal(images, shapes.render(values))
    np.testing.assert_array_equal(images, shapes.source(100, seed=3).arrays())
    assert (images != shapes.source(100, seed=4).arrays()).any()


def test_the_whole_source_is_the_grid_in_order():
    shapes = Shapes(size=16, scales=2, orientations=2, positions=2)
    source = shapes.source(labels=True)
    np.testing.assert_array_equal(source.arrays()[1], shapes.factors.values(np.arange(48)))
    assert "48 of 48 combinations" in source.origin


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 8}, ValueError, "16 pixels or more, found 8"),
        ({"scales": 1}, ValueError, "values of factor 'scale' must be at least 2, found 1"),
        ({"turn": 1.5}, ValueError, "turn must be above 0"),
    ],
)
def test_clear_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        Shapes(**arguments)
