"""Denoised, filled, and enlarged images where the answer is known."""

import numpy as np
import pytest

from keras_gen.data import shrunk
from keras_gen.metrics import psnr
from keras_gen.workshop.baselines import (
    BoostedDenoiser,
    ClusteredRidge,
    bicubic,
    border_mean,
    laplace_fill,
    ridge_fill,
)


def test_trees_restore_what_the_surrounding_pixels_reveal(rng):
    """Images are black or white, and half of the pixels are gray: a neighbor tells the color."""
    clean = np.ones([600, 6, 6, 1]) * rng.integers(0, 2, (600, 1, 1, 1))
    corrupted = np.where(rng.random(clean.shape) < 0.5, 0.5, clean)
    denoise = BoostedDenoiser(corrupted[:500], clean[:500], trees=50)
    found = denoise(corrupted[500:])
    assert found.shape == (100, 6, 6, 1)
    assert np.square(found - clean[500:]).mean() < 0.01


def test_the_border_is_one_pixel_around():
    images = np.zeros([2, 8, 8, 3], "uint8")
    images[0, 2:6, 1:7] = 80  # the ring, and the hole, which must not count
    images[0, 3:5, 2:6] = 255
    images[1, 0, 0] = 90
    masks = np.zeros([2, 8, 8, 1])
    masks[0, 3:5, 2:6], masks[1, 1:, :] = 1, 1
    filled = border_mean(images, masks)
    assert (filled[0, 3:5, 2:6] == 80).all() and (filled[1, 1:] == round(90 / 8)).all()
    known = np.broadcast_to(masks == 0, images.shape)
    np.testing.assert_array_equal(filled[known], images[known])


def test_a_plane_is_harmonic():
    """A linear ramp is the mean of its neighbors at every pixel, in holes of any shape."""
    rows, columns = np.indices((8, 7))
    planes = np.stack([10 * rows + 3 * columns, 200 - 7 * rows, 4 * columns], -1)
    images = np.stack([planes, planes, planes[::-1]]).astype("uint8")
    masks = np.zeros([3, 8, 7, 1])
    masks[:2, 2:6, 1:5], masks[2, 1, 2:6], masks[2, 2:6, 3] = 1, 1, 1
    np.testing.assert_array_equal(laplace_fill(np.where(masks > 0, 255, images), masks), images)


def test_beyond_the_image_there_is_nothing():
    """Pixels at the end of a line have one neighbor, and take its value."""
    line = np.array([10, 99, 99, 40, 99, 99], "uint8")[None, None, :, None]
    filled = laplace_fill(line, line == 99)
    np.testing.assert_array_equal(filled.ravel(), [10, 20, 30, 40, 40, 40])


def test_regression_on_the_known_pixels():
    train = np.random.default_rng(2).integers(0, 256, (200, 2, 2, 1), dtype="uint8")
    train[:, 1, 1] = (train[:, 0, 0].astype(int) + train[:, 0, 1] + 50) // 2.5
    images, masks = train[:20].copy(), np.zeros([20, 2, 2, 1])
    masks[:, 1, 1], images[:, 1, 1] = 1, 0
    # Of the penalties, held-out images choose the one under which the rule can be learned.
    filled = ridge_fill(images, masks, train[20:], alphas=(1e9, 1e-3))
    np.testing.assert_allclose(filled[:, 1, 1], train[:20, 1, 1], atol=1)
    np.testing.assert_array_equal(filled[masks == 0], train[:20][masks == 0])
    # In mirror images the rule holds for another pixel: here that of the known ones is noise.
    mirrored = ridge_fill(images, masks, train[20:], mirror=True, alphas=(1e-3,))
    assert np.abs(mirrored[:, 1, 1].astype(int) - train[:20, 1, 1]).mean() > 10
    # Under the other penalty it would be the mean.
    filled = ridge_fill(images, masks, train[20:], alphas=(1e9,))
    assert (filled[:, 1, 1] == round(train[20:, 1, 1].mean())).all()


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
