"""Metrics of images against their originals, by closed forms and known faults."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.metrics import (
    enlargement_report,
    hole_psnr,
    l1_error,
    ms_ssim,
    psnr,
    squared_error,
    ssim,
)
from keras_gen.workshop.baselines import bicubic


def y_channel(images):
    """BT.601 as in MATLAB's rgb2ycbcr, in float64."""
    red, green, blue = np.moveaxis(images.astype("float64") / 255, -1, 0)
    return 16 + 65.481 * red + 128.553 * green + 24.966 * blue


def brute_ssim(a, b):
    """Wang et al. (2004) window by window, of two float images [H, W]."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            x, y = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            xy = (window * (x - mx) * (y - my)).sum()
            values.append(
                (2 * mx * my + c1) * (2 * xy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
            )
    return np.mean(values)


@pytest.fixture
def pair(rng):
    originals = rng.integers(0, 256, (3, 18, 20, 3), "uint8")
    noise = rng.normal(0, 20, originals.shape)
    return originals, np.clip(originals + noise, 0, 255).astype("uint8")


@pytest.mark.parametrize("shave", [0, 3])
def test_against_numpy(pair, shave):
    originals, images = pair
    inside = np.s_[:, shave : 18 - shave, shave : 20 - shave]
    a, b = (y_channel(x)[inside] for x in pair)
    error = ((a - b) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(
        psnr(images, originals, shave), 10 * np.log10(255**2 / error), rtol=1e-5
    )
    wanted = [brute_ssim(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(ssim(images, originals, shave), wanted, rtol=1e-3)
    difference = np.abs(originals.astype(int) - images)[inside].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(l1_error(images, originals, shave), difference, rtol=1e-5)


def test_psnr_of_colors(pair):
    originals, images = pair
    inside = np.s_[:, 3:15, 3:17]
    error = ((originals.astype(float) - images) ** 2)[inside].mean(axis=(1, 2, 3))
    found = psnr(images, originals, shave=3, of="rgb")
    np.testing.assert_allclose(found, 10 * np.log10(255**2 / error), rtol=1e-5)
    gray = originals[..., :1], images[..., :1]
    np.testing.assert_allclose(psnr(*gray, of="rgb"), psnr(*gray), rtol=1e-5)


def test_known_values():
    black, gray = np.zeros([2, 16, 16, 1], "uint8"), np.full([2, 16, 16, 1], 51, "uint8")
    np.testing.assert_allclose(psnr(gray, black), 20 * np.log10(5), rtol=1e-5)
    assert np.isinf(psnr(black, black)).all()
    np.testing.assert_allclose(ssim(gray, gray), 1)
    assert l1_error(gray, black).tolist() == [51, 51]
    # What differs in the border alone is cut off.
    framed = black.copy()
    framed[:, :2], framed[:, :, -2:] = 200, 200
    assert psnr(framed, black)[0] < 15 and np.isinf(psnr(framed, black, shave=2)).all()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("side", "power"),
    [
        (11, 1),
        (20, 1),
        (21, 0.2856 / 0.3304),
        (41, 0.3001 / 0.6305),
        (160, 0.2363 / 0.8668),
        (161, 0.1333),
        (200, 0.1333),
    ],
)
def test_scales_and_their_weights(side, power):
    # Flat images have one contrast and structure: what is left is the last scale's luminance.
    a, b, c1 = 40.0, 120.0, (0.01 * 255) ** 2
    luminance = (2 * a * b + c1) / (a**2 + b**2 + c1)
    images, originals = (np.full([1, side, side + 9, 1], level, "uint8") for level in (a, b))
    np.testing.assert_allclose(ms_ssim(images, originals), luminance**power, rtol=1e-4)


@pytest.mark.thorough
def test_ms_ssim_of_large_images_is_tensorflows(rng):
    originals = np.repeat(rng.integers(0, 256, (2, 42, 45, 3), "uint8"), 4, 1).repeat(4, 2)
    images = np.clip(originals + rng.normal(0, 40, originals.shape), 0, 255).astype("uint8")
    a, b = (y_channel(x)[..., None].astype("float32") for x in (originals, images))
    found = ms_ssim(images, originals)
    np.testing.assert_allclose(found, tf.image.ssim_multiscale(a, b, 255.0), rtol=1e-5)
    assert (found < 0.98).all()
    np.testing.assert_array_equal(found, ms_ssim(originals, images))
    np.testing.assert_allclose(ms_ssim(originals, originals), 1, rtol=1e-6)
    inside = np.s_[:, 2:-2, 2:-2]
    np.testing.assert_array_equal(
        ms_ssim(images, originals, shave=2), ms_ssim(images[inside], originals[inside])
    )


def test_one_scale_is_all_of_a_small_image(pair):
    originals, images = pair
    np.testing.assert_allclose(ms_ssim(images, originals), ssim(images, originals), rtol=1e-5)


def test_in_units_of_255_levels():
    a, b = np.zeros([2, 3, 4, 1], "uint8"), np.zeros([2, 3, 4, 1], "uint8")
    a[0], b[1, 0, 0] = 255, 51
    found = squared_error(a, b)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [12.0, 0.2**2], rtol=1e-6)


def test_floats_and_levels_mix_and_may_lie_outside():
    originals = np.full([1, 2, 2, 3], 255, "uint8")
    np.testing.assert_allclose(squared_error(np.full([1, 2, 2, 3], 1.5), originals), [12 * 0.25])


def test_of_large_sets():
    images = np.random.default_rng(0).integers(0, 256, [2345, 2, 2, 1], "uint8")
    expected = np.square(images.astype("float64") / 255).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(squared_error(images, np.zeros_like(images)), expected, 1e-5)


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


@pytest.mark.thorough
def test_originals_are_perfect_and_bicubic_is_smooth(rng):
    coarse = rng.integers(0, 256, (2, 32, 48, 3), dtype="uint8")
    images = [image.repeat(4, axis=0).repeat(4, axis=1) for image in coarse]
    originals = iter(images)
    perfect = enlargement_report(lambda small: next(originals)[None], images, 4)
    assert perfect["psnr"] == np.inf and perfect["ssim"] == 1
    assert perfect["detail"] == 1
    smooth = enlargement_report(partial(bicubic, factor=4), images, 4)
    assert smooth["psnr"] < 25 and smooth["ssim"] < 0.9
    assert smooth["detail"] < 0.8
    assert smooth["patches"] > 2 * perfect["patches"]
