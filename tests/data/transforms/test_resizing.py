"""Images of one size."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import pad_to, resize_cover


def ramp(height, width):
    """An image whose two colors are its coordinates."""
    rows, columns = np.indices([height, width])
    return np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("shape", [(200, 100), (100, 200), (100, 100), (7, 200), (101, 133)])
@pytest.mark.parametrize("size", [1, 32, 150])
def test_resize_cover_fills_a_square_of_any_size(shape, size):
    image = resize_cover(ramp(*shape), size)
    assert image.shape == (size, size, 3) and image.dtype == tf.uint8


def test_resize_cover_keeps_the_center_and_the_aspect():
    image = resize_cover(ramp(100, 200), 50).numpy()
    np.testing.assert_allclose(image[:, 25, 0], np.arange(50) * 2 + 0.5, atol=1)
    np.testing.assert_allclose(image[25, :, 1], 50 + np.arange(50) * 2 + 0.5, atol=1)


def test_resize_cover_averages_what_it_shrinks():
    checks = (np.indices([64, 64]).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]
    small = resize_cover(checks, 8).numpy()
    np.testing.assert_allclose(small, 127.5, atol=3)  # without antialiasing: 0 or 255


def test_resize_cover_leaves_an_image_of_the_right_size_alone():
    image = np.random.default_rng(0).integers(0, 256, [9, 9, 3], np.uint8)
    np.testing.assert_array_equal(resize_cover(image, 9), image)


def test_pad_to_centers():
    padded = pad_to(np.ones([28, 28, 1], np.uint8), 32).numpy()
    assert padded.shape == (32, 32, 1) and padded.sum() == 28 * 28
    assert padded[2:30, 2:30].all()
    np.testing.assert_array_equal(pad_to(np.ones([3, 28, 28, 1], np.uint8), 32)[2], padded)
    with pytest.raises(ValueError, match="40x28 cannot be padded to 32x32"):
        pad_to(np.ones([40, 28, 1], np.uint8), 32)


def test_floats_are_no_levels():
    """Those from 0 to 1 would be rounded to black and nearly black."""
    with pytest.raises(ValueError, match=r"image must be uint8, 0 to 255, found float64 \(8, 8, 1"):
        resize_cover(np.zeros([8, 8, 1]), 4)
