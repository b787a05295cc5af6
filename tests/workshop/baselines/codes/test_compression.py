"""Sizes of files against what no code without loss can do."""

import numpy as np
import pytest

from keras_gen.files.images import write_png
from keras_gen.workshop.baselines import compressed_bits

each_format = pytest.mark.parametrize("format", ["PNG", "WEBP"])


@each_format
def test_noise_takes_its_entropy(rng, format):
    """8 bits a value and a header; a format with loss would take less."""
    images = rng.integers(0, 256, (3, 32, 32, 3), "uint8")
    bits = compressed_bits(images, format)
    assert bits.shape == (3,) and bits.dtype == np.float64
    assert (bits > 7.99 * images[0].size).all() and (bits < 9 * images[0].size).all()


@each_format
def test_simple_images_take_less(rng, format):
    flat, ramp = np.zeros([2, 32, 32, 1], "uint8")
    ramp = ramp + np.arange(32, dtype="uint8")[None, :, None]
    noise = rng.integers(0, 256, (32, 32, 1), "uint8")
    bits = compressed_bits(np.stack([flat, ramp, noise]), format)
    assert bits[0] < bits[1] < bits[2] / 2


def test_is_no_larger_than_a_usual_file(rng, tmp_path):
    image = rng.integers(0, 3, (32, 32, 3), "uint8")
    write_png(tmp_path / "a.png", image)
    assert 0 < compressed_bits(image[None])[0] <= 8 * (tmp_path / "a.png").stat().st_size


def test_errors():
    with pytest.raises(ValueError, match="format is 'JPEG': expected one of PNG, WEBP"):
        compressed_bits(np.zeros([1, 2, 2, 1], "uint8"), "JPEG")
    with pytest.raises(ValueError, match="Expected images to be uint8"):
        compressed_bits(np.zeros([1, 2, 2, 1]))
