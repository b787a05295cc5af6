"""Drawn faces, dancers, and shapes: what their parameters change."""

import numpy as np
import pytest

from keras_gen.data import Shapes, drawn_dancers, drawn_faces
from keras_gen.data.sets.drawn_dancers import JOINTS, lagged

FACES = drawn_faces(people=4, frames=6, size=32, seed=3)


def test_maps_are_bright_at_the_points_and_black_far_from_them():
    bright = FACES.landmarks.max(axis=-1)
    height = np.arange(32)[:, None] + 0.5
    width = np.arange(32)[None] + 0.5
    for frame in np.ndindex(4, 6):
        x, y = 32 * FACES.points[frame].T
        assert bright[frame][y.astype(int), x.astype(int)].min() > 0
        apart = np.hypot(height[..., None] - y, width[..., None] - x).min(axis=-1)
        assert not bright[frame][apart > 8].any() and (apart > 8).any()


def test_frames_of_a_person_are_more_alike_than_people():
    images = FACES.images.astype(float)
    within = np.abs(images[:, 1:] - images[:, :-1]).mean()
    between = np.abs(images[1:] - images[:-1]).mean()
    assert 0 < within < 0.5 * between
    corners = FACES.images[:, :, 0, 0]
    np.testing.assert_array_equal(corners, np.repeat(corners[:, :1], 6, axis=1))


def test_the_seed_says_who_is_drawn():
    again = drawn_faces(people=4, frames=6, size=32, seed=3)
    other = drawn_faces(people=4, frames=6, size=32, seed=4)
    np.testing.assert_array_equal(again.images, FACES.images)
    assert (other.images != FACES.images).any()


DANCERS = drawn_dancers(videos=4, frames=6, size=32, seed=3)


def test_poses_are_bright_at_the_joints():
    bright = DANCERS.poses.max(axis=-1)
    for frame in np.ndindex(4, 6):
        x, y = 32 * DANCERS.points[frame].T
        assert bright[frame][y.astype(int), x.astype(int)].min() > 0


def test_a_followed_place_keeps_a_part():
    np.testing.assert_allclose(lagged(np.array([0.0, 1, 1]), keep=0.5), [0, 0.5, 0.75])
    steady = lagged(np.arange(100.0), keep=0.8)  # at a constant speed, 0.8 / 0.2 frames behind
    assert steady[-1] == pytest.approx(99 - 4, abs=1e-6)


def test_hair_and_hem_follow_head_and_hips_and_are_elsewhere():
    """What a frame adds is a fifth of the way to the joint."""
    x = DANCERS.lagging[..., 0]
    joints = DANCERS.points[:, :, [JOINTS.index("head"), JOINTS.index("hips")], 0]
    np.testing.assert_allclose(x[:, 1:], 0.8 * x[:, :-1] + 0.2 * joints[:, 1:], atol=1e-5)
    assert np.abs(x - joints).mean() > 0.02


def test_the_hem_is_of_the_color_of_the_skirt():
    red = (DANCERS.images[..., 0] > 120) & (DANCERS.images[..., 1:].max(axis=-1) < 100)
    for frame in np.ndindex(4, 6):
        x, y = 32 * DANCERS.lagging[frame][1]
        assert red[frame][int(y) - 2, int(x)]


def test_the_seed_says_what_is_danced():
    again = drawn_dancers(videos=4, frames=6, size=32, seed=3)
    other = drawn_dancers(videos=4, frames=6, size=32, seed=4)
    np.testing.assert_array_equal(again.images, DANCERS.images)
    assert (other.points != DANCERS.points).any()


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
