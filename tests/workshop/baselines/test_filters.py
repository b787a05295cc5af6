"""Filters of images, on images whose colors are known."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import color_transfer, deslanted, framed_ink, noise_filter


def test_slanted_ink_is_made_upright_in_the_center():
    bar = np.zeros([1, 20, 20, 1], "uint8")
    for row in range(4, 14):
        bar[0, row, 2 + row // 2 : 5 + row // 2] = 200
    (ink,) = deslanted(bar)[..., 0].astype(float)
    rows, columns = np.indices(ink.shape)
    down, right = (axis - (ink * axis).sum() / ink.sum() for axis in (rows, columns))
    assert abs((ink * down * right).sum() / (ink * down**2).sum()) < 0.03
    for axis in (rows, columns):
        assert abs((ink * axis).sum() / ink.sum() - 9.5) < 0.2
    np.testing.assert_array_equal(deslanted(0 * bar), 0 * bar)


def test_color_transfer_gives_the_moments_of_one_of_the_images():
    rng = np.random.default_rng(0)
    photos = rng.normal(100, 20, (5, 32, 32, 3)).clip(0, 255).astype("uint8")
    paintings = rng.normal([[[[120]]], [[[140]]], [[[160]]]], 12, (3, 32, 32, 3)).astype("uint8")
    found = color_transfer(photos, paintings, seed=1)
    moments = lambda x: np.concatenate([x.mean((1, 2)), x.std((1, 2))], axis=1)  # noqa: E731
    nearest = np.abs(moments(found)[:, None] - moments(paintings)).max(2).min(1)
    assert nearest.max() < 0.6
    # Nothing but two numbers for each channel has changed.
    correlation = np.corrcoef(found[0, ..., 0].ravel(), photos[0, ..., 0].ravel())[0, 1]
    assert correlation > 0.99
    noisy = color_transfer(photos, paintings, seed=1, noise=8.0)
    added = noisy.astype(float) - found
    assert added.std() == pytest.approx(8, abs=0.2) and abs(added.mean()) < 0.2
    grained = color_transfer(photos, paintings, seed=1, noise=8.0, gray=True)
    grain = grained.astype(float) - found
    assert grain.std() == pytest.approx(8, abs=0.2) and np.ptp(grain, axis=-1).max() <= 2

    layered = color_transfer(photos, paintings, seed=1, noise=8.0, gray=True, octaves=2)
    grain = (layered.astype(float) - found).mean(-1)
    assert grain.std() == pytest.approx(8 * 2**0.5, abs=0.5)
    neighbors = np.corrcoef(grain[:, 1:].ravel(), grain[:, :-1].ravel())[0, 1]
    # Gaussian blur by one pixel: neighbors correlate by exp(-1/4), and half of the variance is so.
    assert neighbors == pytest.approx(np.exp(-0.25) / 2, abs=0.05)


def test_noise_filter_lowers_the_contrast_and_adds_noise():
    flat = np.full([1, 64, 64, 3], 127, "uint8")
    found = noise_filter(flat)
    assert found.mean() == pytest.approx(147, abs=1) and found.std() == pytest.approx(15, abs=1)
    steps = np.repeat(np.asarray([50, 150], "uint8"), 5000).reshape(1, 100, 100, 1)
    dark, light = np.split(noise_filter(np.repeat(steps, 3, axis=3))[0], 2)
    assert light.mean() - dark.mean() == pytest.approx(75, abs=1)


def test_framed_ink_fills_the_image_whatever_its_margin():
    rng = np.random.default_rng(0)
    ink = rng.integers(128, 256, (4, 4), "uint8")
    images = np.zeros([3, 8, 8, 1], "uint8")
    images[0, 1:5, 2:6, 0] = ink
    images[1, 4:, :4, 0] = ink
    images[:2][images[:2] == 0] = 20  # paper is not quite black
    found = framed_ink(images)
    assert found.dtype == np.uint8 and found.shape == images.shape
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0, 0, 0, 0] == ink[0, 0] and found[0].min() > 127
    np.testing.assert_array_equal(found[2], images[2])
