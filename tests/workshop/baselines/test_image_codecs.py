"""Sizes of files against their entropy, and JPEG at a number of bits."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_gen.files.images import to_pillow, write_png
from keras_gen.metrics import psnr
from keras_gen.workshop.baselines import (
    CodedComponents,
    PatchCodebook,
    QuantizedComponents,
    code_baselines,
    compressed_bits,
    jpeg,
    jpeg_quality,
)

each_format = pytest.mark.parametrize("format", ["PNG", "WEBP"])


@each_format
def test_noise_takes_its_entropy(rng, format):
    """8 bits a value and a header; a format with loss would take less."""
    images = rng.integers(0, 256, (3, 32, 32, 3), "uint8")
    bits = compressed_bits(images, format)
    assert bits.shape == (3,) and bits.dtype == np.float64
    assert (bits > 7.99 * images[0].size).all() and (bits < 9 * images[0].size).all()


def test_is_no_larger_than_a_usual_file(rng, tmp_path):
    image = rng.integers(0, 3, (32, 32, 3), "uint8")
    write_png(tmp_path / "a.png", image)
    assert 0 < compressed_bits(image[None])[0] <= 8 * (tmp_path / "a.png").stat().st_size


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


IMAGES = np.random.default_rng(0).integers(0, 256, [40, 8, 8, 3], "uint8")


@pytest.mark.thorough
def test_each_is_fitted_to_training_images():
    training, test = IMAGES[:30], IMAGES[30:]
    found, bits = code_baselines(training, test, 400, patches=16, seed=3)
    made, used = jpeg(test, jpeg_quality(training, 400), header=False)
    expected = {
        "kmeans": PatchCodebook(training, 4, 16, seed=3).reconstruct(test),
        "pca": QuantizedComponents(training, 400).reconstruct(test),
        "coded_pca": CodedComponents(training, 400).reconstruct(test),
        "jpeg": made,
    }
    assert list(found) == list(expected) and bits == used.mean()
    for name, images in expected.items():
        np.testing.assert_array_equal(found[name], images)
    assert list(code_baselines(training, test, 400)[0]) == ["pca", "coded_pca", "jpeg"]
