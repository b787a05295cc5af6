"""Figures of inpainting, against a loop over the missing pixels."""

import numpy as np
import pytest

from keras_gen.metrics import border_mean, hole_psnr, psnr

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), dtype="uint8")
MASKS = np.zeros([4, 8, 8, 1], "uint8")
MASKS[:, 3:5, 2:6] = 1


def test_counts_missing_pixels_alone():
    filled = np.where(MASKS > 0, np.uint8(100), IMAGES)
    hole = IMAGES[:, 3:5, 2:6].astype(float)
    expected = 10 * np.log10(255**2 / ((hole - 100) ** 2).mean())
    # Of gray images the luma is the image.
    np.testing.assert_allclose(hole_psnr(filled, IMAGES, MASKS), expected, rtol=1e-4)
    assert hole_psnr(filled, IMAGES, MASKS) < psnr(filled, IMAGES).mean()


def test_a_perfect_filling():
    assert hole_psnr(IMAGES, IMAGES, MASKS) == np.inf
    some = IMAGES.copy()
    some[0, 3, 2] ^= 255
    assert np.isfinite(hole_psnr(some, IMAGES, MASKS))


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


def test_refused():
    with pytest.raises(ValueError, match="put the known pixels back"):
        hole_psnr(255 - IMAGES, IMAGES, MASKS)
    for masks in (MASKS[..., 0], 0 * MASKS):
        with pytest.raises(ValueError, match=r"expected \[4, 8, 8, 1\], with something missing"):
            border_mean(IMAGES, masks)
    with pytest.raises(ValueError, match="mask a part of each"):
        border_mean(IMAGES, 0 * MASKS + 1)
