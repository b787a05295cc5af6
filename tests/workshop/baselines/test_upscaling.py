"""Regressions of patches where the answer is known."""

import numpy as np
import pytest

from keras_gen.data import shrunk
from keras_gen.metrics import psnr
from keras_gen.workshop.baselines import ClusteredRidge, bicubic


def stripes(rng, n, side=32):
    """Gray images of straight, sharp edges."""
    angle, phase, width = (rng.uniform(0, high, (n, 1, 1)) for high in (np.pi, 16.0, 6.0))
    row, column = np.mgrid[:side, :side]
    along = row * np.sin(angle) + column * np.cos(angle)
    light = (along + phase) % (10 + width) < 8
    return np.repeat((60 + 120 * light)[..., None], 3, axis=-1).astype("uint8")


def test_learns_the_edges_that_bicubic_interpolation_blurs(rng):
    images = stripes(rng, 220)
    train, test = images[:200], images[200:]
    small = shrunk(test, 2).numpy()
    blurred = psnr(bicubic(small, 2), test, 2).mean()
    found = {
        clusters: psnr(ClusteredRidge(2, clusters, 5, 0.01).fit(train)(small), test, 2).mean()
        for clusters in (1, 30)
    }
    assert found[1] > blurred + 0.3
    assert found[30] > found[1] + 1


def test_a_penalty_without_bounds_leaves_bicubic_images(rng):
    images = rng.integers(0, 256, (4, 16, 16, 3), "uint8")
    ridge = ClusteredRidge(2, 2, 3, penalty=1e12).fit(images)
    for shape in ((3, 8, 8, 3), (1, 5, 9, 3)):
        small = rng.integers(0, 256, shape, "uint8")
        difference = ridge(small).astype(int) - bicubic(small, 2)
        assert np.abs(difference).max() <= 1


def test_where_regions_overlap_is_their_mean(rng):
    """Each region says the number of its patch, on a 1x2 image."""
    ridge = ClusteredRidge(2, 1, 3)
    regions = np.repeat(np.array([1.0, 3.0]), 36).reshape(1, 1, 2, 36)
    np.testing.assert_array_equal(ridge._overlapped(regions), np.full((1, 2, 4), 2.0))
    places = np.zeros((1, 3, 3, 9, 4)) + np.arange(9)[:, None]
    ridge = ClusteredRidge(1 + 1, 1, 3)
    blocks = places.reshape(1, 3, 3, 3, 3, 2, 2).transpose(0, 1, 2, 3, 5, 4, 6)
    found = ridge._overlapped(blocks.reshape(1, 3, 3, 36))
    # The pixel in the middle is seen from all nine sides, 0 to 8; one in a corner from four.
    assert found[0, 2, 2] == pytest.approx(4.0) and found[0, 0, 0] == pytest.approx(2.0)
