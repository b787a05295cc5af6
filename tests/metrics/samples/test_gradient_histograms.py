"""Histograms of gradients: what they see, what they do not, and their scale."""

import numpy as np
import pytest

from keras_gen.metrics import gradient_histograms, kernel_distance


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


def test_small_images_are_refused():
    with pytest.raises(ValueError, match="found images of 7x9 pixels: pass sides of at least 8"):
        gradient_histograms(np.zeros([1, 7, 9, 1], "uint8"))
