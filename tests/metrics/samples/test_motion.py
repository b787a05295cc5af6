"""Statistics of motion of a point whose way is known."""

import numpy as np
import pytest

from keras_gen.metrics import motion_distances, motion_statistics


def videos(*ways, side=20, brightness=None):
    """A pixel that is at (row, column) at each time."""
    made = np.zeros((len(ways), len(ways[0]), side, side, 1), "uint8")
    for number, way in enumerate(ways):
        for time, (row, column) in enumerate(way):
            made[number, time, row, column] = 200 if brightness is None else brightness[time]
    return made


STRAIGHT = [(2, 1), (5, 5), (8, 9), (11, 13)]  # 5 pixels a step
TURNING = [(2, 2), (2, 6), (6, 6), (6, 2)]  # 4 pixels, right angles
BACK = [(5, 5), (5, 8), (5, 5), (5, 8)]
STILL = [(5, 5)] * 4


def test_known_ways():
    found = motion_statistics(videos(STRAIGHT, TURNING, BACK, STILL))
    np.testing.assert_allclose(found["speed"], [5, 4, 3, 0], atol=1e-9)
    np.testing.assert_allclose(found["turning"], [0, 90, 180, 0], atol=1e-5)
    np.testing.assert_allclose(found["flicker"], np.zeros(4), atol=1e-12)


def test_flicker_and_black_frames():
    bright = motion_statistics(videos(STILL, brightness=[100, 200, 100, 200]))
    assert bright["flicker"] == pytest.approx([1 / 3]) and bright["speed"] == [0]
    black = motion_statistics(np.zeros((2, 3, 5, 5, 1), "uint8"))
    assert all((values == 0).all() for values in black.values())
    half = motion_statistics(videos([(10, 4)] * 3, side=21, brightness=[200, 0, 200]))
    np.testing.assert_allclose(half["speed"], [6])  # to the center and back


def test_distances_are_of_the_distributions():
    real, generated = videos(STRAIGHT, STILL), videos(STILL, STRAIGHT, TURNING, BACK)
    found = motion_distances(real, generated)
    # Quantiles of 0, 0, 5, 5 against 0, 3, 4, 5, and of 0 against 0, 0, 90, 180.
    assert found["speed_distance"] == pytest.approx((0 + 3 + 1 + 0) / 4)
    assert found["turning_distance"] == pytest.approx(270 / 4, abs=1e-4)
    assert found["speed"] == pytest.approx(3) and found["flicker_distance"] < 1e-9
    assert motion_distances(real, real[::-1])["speed_distance"] == 0
