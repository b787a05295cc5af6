"""Drawn faces: landmarks where the maps show them, and people who stay themselves."""

import numpy as np
import pytest

from keras_gen.data import drawn_faces

FACES = drawn_faces(people=4, frames=6, size=32, seed=3)


def test_shapes_and_ranges():
    assert FACES.images.shape == FACES.landmarks.shape == (4, 6, 32, 32, 3)
    assert FACES.images.dtype == FACES.landmarks.dtype == np.uint8
    assert FACES.points.shape[:2] == (4, 6) and FACES.points.shape[3] == 2
    assert 0 < FACES.points.min() < FACES.points.max() < 1


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
    with pytest.raises(ValueError, match="people"):
        drawn_faces(people=0, frames=1)
