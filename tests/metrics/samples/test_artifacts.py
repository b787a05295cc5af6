"""Measurements of images with known faults."""

import numpy as np
import pytest

from keras_gen.metrics import (
    border_change,
    chroma_grain,
    gradient_histograms,
    kernel_distance,
    lower_edge_ink,
    mesh,
)


def gray(n=3, side=32, seed=0):
    """Noise that is smooth, as levels."""
    noise = np.random.default_rng(seed).normal(128, 20, (n, side, side, 1))
    return np.repeat(noise, 3, axis=-1)


def as_levels(images):
    return images.round().clip(0, 255).astype("uint8")


class TestChromaGrain:
    def test_gray_has_none_and_noise_of_color_its_own(self):
        assert chroma_grain(as_levels(gray())) == pytest.approx(0, abs=1e-4)
        with pytest.raises(ValueError, match=r"Expected images to be uint8 \[n, H, W, 3\], but"):
            chroma_grain(as_levels(gray())[..., :1])
        # A checkerboard of the blue channel: half of it is Cb, 0.0813 of it is Cr.
        board = (-1.0) ** np.indices([32, 32]).sum(0)[..., None]
        colored = as_levels(np.full([1, 32, 32, 3], 128.0) + board * [0, 0, 20])
        expected = np.sqrt(((0.5 * 20) ** 2 + (0.081312 * 20) ** 2) / 2)
        assert chroma_grain(colored) == pytest.approx(expected, rel=0.01)

    def test_slow_changes_of_color_are_no_grain(self):
        slope = np.linspace(0, 200, 64)[None, None, :, None] * [1, 0, 0]
        assert chroma_grain(as_levels(slope + np.zeros([1, 64, 64, 3]))) < 0.3


def test_ink_in_the_lowest_rows():
    images = np.zeros([4, 8, 8, 1], "uint8")
    images[0, 5, 3] = 255  # above the two rows
    images[1, 6, 0] = 255
    images[2, 7, 7] = 128
    images[3, 7, 7] = 127  # no ink
    assert lower_edge_ink(images) == 0.5
    assert lower_edge_ink(images, rows=1) == 0.25 and lower_edge_ink(images, rows=3) == 0.75
    with pytest.raises(ValueError, match=r"rows is .*: expected"):
        lower_edge_ink(images, rows=9)


class TestMesh:
    @pytest.mark.parametrize("period", [2, 4])
    @pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
    def test_a_pattern_of_the_period_stands_out(self, period, axes):
        places = np.indices([32, 32])
        pattern = np.prod([np.cos(2 * np.pi / period * places[axis]) for axis in axes], axis=0)
        images = gray(20)
        plain = mesh(as_levels(images), period)
        assert 0.5 < plain < 3
        assert mesh(as_levels(images + 10 * pattern[..., None]), period) > 5 * plain

    def test_mirror_images_have_the_same_strength(self, rng):
        y, x = np.mgrid[:32, :32]
        waves = 20 * np.cos(2 * np.pi * (x - y) / 4) + 5 * rng.normal(size=(2, 32, 32))
        images = as_levels(128 + waves[..., None])
        found = [mesh(images), mesh(images[:, :, ::-1]), mesh(images[:, ::-1])]
        np.testing.assert_allclose(found, found[0], rtol=1e-5)
        assert found[0] > 100

    def test_images_of_one_color_have_none(self):
        assert mesh(np.full([2, 16, 16, 3], 90, "uint8")) == 1.0


class TestBorderChange:
    def test_what_is_local_does_not_change(self):
        assert border_change(lambda x: 255 - x, as_levels(gray()), margin=8) == 0

    def test_zeros_behind_the_border_do(self):
        def blurred(images):
            padded = np.pad(images.astype(float), [(0, 0), (1, 1), (0, 0), (0, 0)])
            return as_levels((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3)

        flat = np.full([1, 32, 32, 3], 120, "uint8")
        # Two lines of 32 pixels lose a third of 120; the border has 32^2 - 24^2 pixels.
        assert border_change(blurred, flat, margin=8) == pytest.approx(40 * 64 / (32**2 - 24**2))


def stripes(n, axis, phase=0.0):
    """Waves along an axis, of 8 pixels."""
    waves = 100 + 80 * np.sin(np.arange(32) * np.pi / 4 + phase)
    image = np.broadcast_to(np.expand_dims(waves, 1 - axis), (32, 32))
    return np.repeat(image[None, :, :, None], n, axis=0).astype("uint8")


def test_all_gradients_of_stripes_have_one_direction():
    down, across = gradient_histograms(stripes(1, 0)), gradient_histograms(stripes(1, 1))
    for found, direction in ((down, 4), (across, 0)):
        by_direction = found.reshape(-1, 8).sum(axis=0)
        assert by_direction.argmax() == direction
        assert by_direction[direction] == pytest.approx(by_direction.sum(), rel=1e-5)


def test_their_mean_square_is_one(rng):
    images = rng.integers(0, 256, (5, 30, 28, 3)).astype("uint8")
    found = gradient_histograms(images)
    assert found.shape == (5, 288) and found.dtype == np.float32
    assert np.mean(found**2) == pytest.approx(1, rel=1e-4)


def test_brightness_changes_nothing_and_direction_all():
    features = gradient_histograms(stripes(5, 0))
    brighter = gradient_histograms(stripes(5, 0) + 50)
    turned = gradient_histograms(stripes(5, 1))
    np.testing.assert_allclose(brighter, features, atol=1e-5)
    # Features of one image each: the kernel (x.y / 288 + 1)^3 is 8 of equal ones, and 1 across.
    assert kernel_distance(features, turned)[0] == pytest.approx(2 * (8 - 1), rel=1e-3)
