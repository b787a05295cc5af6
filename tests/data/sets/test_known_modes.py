"""Data whose modes are known."""

import numpy as np
import pytest

from keras_gen.data import points_around, stacked_digits
from keras_gen.metrics import gaussian_modes, grid_centers


def test_points_lie_around_all_centers():
    centers = grid_centers(3)
    points = points_around(centers, std=0.05, n=9000, seed=1).arrays()
    assert points.shape == (9000, 2) and points.dtype == np.float32
    report = gaussian_modes(points, centers, std=0.05)
    # 1 - exp(-4.5) of them lie within three deviations.
    assert report["modes"] == 9 and abs(report["high_quality_fraction"] - 0.989) < 0.005
    assert report["reverse_kl"] < 0.005
    offsets = points[:, None] - centers
    nearest = np.abs(offsets).sum(-1).argmin(1)
    assert np.std(offsets[np.arange(9000), nearest], axis=0) == pytest.approx([0.05] * 2, rel=0.03)


def test_each_channel_is_a_digit_of_its_own():
    labels = np.arange(10)
    images = np.broadcast_to(labels[:, None, None, None], (10, 2, 3, 1)).astype("uint8")
    stacked, modes = stacked_digits(images, labels, n=4000)
    assert stacked.shape == (4000, 2, 3, 3) and stacked.dtype == np.uint8
    assert not np.ptp(stacked, axis=(1, 2)).any()  # an image shows its label
    np.testing.assert_array_equal(stacked[:, 0, 0].astype(int) @ [100, 10, 1], modes)
    # A mode is missed by 4,000 draws with probability exp(-4).
    assert abs(len(np.unique(modes)) - 982) < 20
