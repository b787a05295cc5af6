"""Drawn dancers: poses where the joints are, and hair and skirt that a pose does not tell."""

import numpy as np
import pytest

from keras_gen.data import drawn_dancers
from keras_gen.data.sets.drawn_dancers import JOINTS, lagged

DANCERS = drawn_dancers(videos=4, frames=6, size=32, seed=3)


def test_shapes_and_ranges():
    assert DANCERS.images.shape == DANCERS.poses.shape == (4, 6, 32, 32, 3)
    assert DANCERS.images.dtype == DANCERS.poses.dtype == np.uint8
    assert DANCERS.points.shape == (4, 6, len(JOINTS), 2)
    assert DANCERS.lagging.shape == (4, 6, 2, 2)
    assert 0 < DANCERS.points.min() < DANCERS.points.max() < 1
    assert 0 < DANCERS.lagging.min() < DANCERS.lagging.max() < 1


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
    with pytest.raises(ValueError, match="videos"):
        drawn_dancers(videos=0, frames=1)
