"""JPEG at a number of bits: what is counted, and which quality is chosen."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_gen.files.images import to_pillow
from keras_gen.metrics import psnr
from keras_gen.workshop.baselines import jpeg, jpeg_quality


@pytest.fixture
def images(rng):
    """Smooth ones, which JPEG is made for, with some noise."""
    rows, columns = np.indices((16, 16))
    waves = 128 + 60 * np.sin(rows / 5) + 40 * np.cos(columns / 3)
    noise = rng.normal(0, 8, (6, 16, 16, 3))
    return (waves[..., None] + noise).clip(0, 255).astype("uint8")


def test_images_are_those_of_pillow(images):
    found, bits = jpeg(images, 30)
    for image, own, count in zip(images, found, bits, strict=True):
        file = io.BytesIO()
        to_pillow(image).save(file, "JPEG", quality=30)
        assert count == 8 * len(file.getvalue())
        np.testing.assert_array_equal(own, np.asarray(Image.open(file)))
    gray = images[..., :1]
    found, bits = jpeg(gray, 90)
    assert found.shape == gray.shape and psnr(found, gray).min() > 30


@pytest.mark.parametrize("channels", [1, 3])
def test_the_header_is_what_all_images_share(images, channels):
    """A file with a scan of nothing but the end of blocks is nearly all header."""
    images = images[..., :channels]
    _, files = jpeg(images, 30)
    _, data = jpeg(images, 30, header=False)
    assert len(set(files - data)) == 1 and len(set(data)) > 1
    # Tables of quantization (67 bytes of data and marker) and of Huffman codes (28 + 181 + 4).
    assert (files - data)[0] > 8 * {1: 67 + 213, 3: 2 * (67 + 213)}[channels]
    gray = np.full([1, 16, 16, 1], 128, "uint8")
    # Four blocks of a difference 0 (2 bits) and an end (4 bits): 24 bits.
    assert jpeg(gray, 30, header=False)[1].tolist() == [24]


def test_the_quality_is_the_highest_that_fits(images):
    for quality in (10, 40, 80):
        bits = jpeg(images, quality, header=False)[1].mean() + 0.01
        chosen = jpeg_quality(images, bits)
        assert quality <= chosen < 95
        assert jpeg(images, chosen, header=False)[1].mean() <= bits
        assert jpeg(images, chosen + 1, header=False)[1].mean() > bits
    assert jpeg_quality(images, 1e6) == 95 and jpeg_quality(images, 1) == 1
    # With its header no file is that small.
    assert jpeg_quality(images, 2000, header=True) == 1


def test_bad_arguments(images):
    with pytest.raises(ValueError, match="quality is 96: expected 1 to 95"):
        jpeg(images, 96)
    with pytest.raises(ValueError, match="Expected images to be uint8"):
        jpeg(images / 255, 50)
