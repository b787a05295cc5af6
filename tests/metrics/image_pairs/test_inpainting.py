"""The error of missing pixels against its formula."""

import numpy as np
import pytest

from keras_gen.metrics import hole_psnr, psnr

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
    assert hole_psnr(filled, IMAGES, MASKS, "rgb") == hole_psnr(filled, IMAGES, MASKS)


def test_of_color():
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3), dtype="uint8")
    filled = np.where(MASKS[:3] > 0, np.uint8(100), images)
    errors = (images[:, 3:5, 2:6].astype(float) - 100) ** 2
    expected = 10 * np.log10(255**2 / errors.mean())
    np.testing.assert_allclose(hole_psnr(filled, images, MASKS[:3], "rgb"), expected, rtol=1e-4)
    assert hole_psnr(filled, images, MASKS[:3], "luma") > expected + 1


def test_a_perfect_filling():
    assert hole_psnr(IMAGES, IMAGES, MASKS) == np.inf
    some = IMAGES.copy()
    some[0, 3, 2] ^= 255
    assert np.isfinite(hole_psnr(some, IMAGES, MASKS))


def test_refused():
    with pytest.raises(ValueError, match="put the known pixels back"):
        hole_psnr(255 - IMAGES, IMAGES, MASKS)
    for masks in (MASKS[..., 0], 0 * MASKS):
        with pytest.raises(ValueError, match=r"expected \[4, 8, 8, 1\], with something missing"):
            hole_psnr(IMAGES, IMAGES, masks)
    with pytest.raises(ValueError, match="masks have NaN"):
        hole_psnr(IMAGES, IMAGES, np.where(MASKS, np.nan, 0.0))
    with pytest.raises(ValueError, match="of is 'gray': expected 'luma' or 'rgb'"):
        hole_psnr(IMAGES, IMAGES, MASKS, "gray")
