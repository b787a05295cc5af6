"""Fillings without a network, against closed forms."""

import numpy as np

from keras_gen.workshop.baselines import border_mean, laplace_fill, ridge_fill


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
