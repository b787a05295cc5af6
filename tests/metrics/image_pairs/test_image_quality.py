import numpy as np
import pytest
import tensorflow as tf

from keras_gen.metrics import l1_error, ms_ssim, psnr, ssim


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
    with pytest.raises(ValueError, match="of is 'hue': expected 'luma' or 'rgb'"):
        psnr(images, originals, of="hue")


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


def test_ms_ssim_sees_noise_and_not_hue(rng):
    originals = rng.integers(60, 200, (1, 30, 30, 3), "uint8")
    # 0.299 * 30 - 0.587 * 18 + 0.114 * 14 = 0: another color of the same luma.
    turned = (originals + np.array([30, -18, 14])).astype("uint8")
    np.testing.assert_allclose(ms_ssim(turned, originals), 1, rtol=1e-5)
    noise = rng.normal(size=originals.shape)
    values = [
        ms_ssim(np.clip(originals + scale * noise, 0, 255).astype("uint8"), originals)[0]
        for scale in (0, 8, 20, 45)
    ]
    assert values[0] > 0.999 and (np.diff(values) < -0.01).all()
    # One scale is all of a small image, and its similarity is that of `ssim`.
    small = np.clip(originals + 15 * noise, 0, 255).astype("uint8")[:, :16], originals[:, :16]
    np.testing.assert_allclose(ms_ssim(*small), ssim(*small), rtol=1e-5)


def test_clear_errors(pair):
    originals, images = pair
    for function in (psnr, ssim, ms_ssim, l1_error):
        with pytest.raises(ValueError, match="of one shape"):
            function(images, originals[:2])
        with pytest.raises(ValueError, match="uint8"):
            function(images / 255, originals)
    for function in (ssim, ms_ssim):
        with pytest.raises(ValueError, match="at least 11 pixels"):
            function(images, originals, shave=4)
