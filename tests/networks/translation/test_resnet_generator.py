"""CycleGAN's generator."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import resnet_generator
from keras_gen.networks.blocks import smooth_chroma

UPSAMPLING = ("transposed", "smoothed", "resize")


def conv(size, inputs, outputs):
    return size**2 * inputs * outputs


@pytest.mark.thorough
@pytest.mark.parametrize(("blocks", "expected"), [(9, 11_383_427), (6, 7_841_411)])
def test_size_of_the_papers_network(blocks, expected):
    """c7s1-64, d128, d256, R256 x blocks, u128, u64, c7s1-3 (Zhu et al. 2017, app. 7.2)."""
    convolutions = conv(7, 3, 64) + conv(3, 64, 128) + conv(3, 128, 256)
    convolutions += blocks * 2 * conv(3, 256, 256)
    convolutions += conv(3, 256, 128) + conv(3, 128, 64) + conv(7, 64, 3) + 3
    norms = 2 * (64 + 128 + 256 + blocks * 2 * 256 + 128 + 64)
    assert resnet_generator(blocks=blocks).count_params() == convolutions + norms == expected


@pytest.mark.thorough
@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_any_size_that_four_divides(upsampling):
    network = resnet_generator(filters=2, blocks=1, upsampling=upsampling)
    for height, width in ((8, 8), (32, 20), (12, 40)):
        images = network(20 * tf.random.normal([2, height, width, 3]))
        assert images.shape == (2, height, width, 3) and images.dtype == tf.float32
        assert np.abs(images).max() <= 1 and np.std(images) > 0


@pytest.mark.parametrize("shape", [(30, 32, 3), (32, 31, 3), (4, 32, 3), (None, 30, 3)])
def test_other_known_sizes_are_refused(shape):
    with pytest.raises(ValueError, match=rf"{shape[0]}x{shape[1]}: .*multiples of 4.* at least 8"):
        resnet_generator(shape, filters=2, blocks=1)


def test_unknown_normalization_is_refused():
    with pytest.raises(ValueError, match="'batch': expected one of instance, group, pixel"):
        resnet_generator(normalization="batch")


@pytest.mark.thorough
@pytest.mark.parametrize(("normalization", "local"), [("instance", 0), ("group", 0), ("pixel", 1)])
def test_only_the_pixels_own_normalization_keeps_a_change_near(normalization, local):
    network = resnet_generator(filters=4, blocks=1, normalization=normalization)
    image = tf.random.stateless_normal([1, 64, 64, 3], (0, 1)).numpy()
    changed = image.copy()
    changed[:, :4, :4] += 3
    difference = np.abs(network(changed) - network(image)).max((0, 2, 3))
    assert difference[:8].max() > 1e-3
    assert (difference[44:].max() == 0) == bool(local)


@pytest.mark.thorough
@pytest.mark.parametrize("normalization", ["instance", "group", "pixel"])
def test_each_image_is_translated_alone(normalization):
    network = resnet_generator(filters=4, blocks=1, normalization=normalization)
    a, b = tf.random.normal([1, 16, 16, 3]), 5 * tf.random.normal([1, 16, 16, 3])
    np.testing.assert_allclose(network(tf.concat([a, b], 0))[:1], network(a), atol=1e-5)


def test_smooth_colors_keep_the_luma_and_have_no_grain():
    rng = np.random.default_rng(0)
    images = rng.uniform(-0.3, 0.3, (2, 16, 20, 3)).astype("float32")
    smooth = smooth_chroma(images).numpy()
    luma = [0.299, 0.587, 0.114]
    np.testing.assert_allclose(smooth @ luma, images @ luma, atol=1e-5)
    chroma = images - (images @ luma)[..., None]
    padded = np.pad(chroma, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
    expected = sum(
        weights[i, j] * padded[:, i : i + 16, j : j + 20] for i in range(3) for j in range(3)
    )
    np.testing.assert_allclose(smooth - (smooth @ luma)[..., None], expected, atol=1e-5)
    gray = np.repeat(images[..., :1], 3, axis=-1)
    np.testing.assert_allclose(smooth_chroma(gray), gray, atol=1e-6)
    with pytest.raises(ValueError, match="1 channels: expected 3"):
        smooth_chroma(images[..., :1])


@pytest.mark.parametrize("reflect", [True, False])
def test_a_flat_image_stays_flat_to_its_borders_by_reflection(reflect):
    # By the pixels' own normalization, for the others make zeros of what is flat.
    options = dict(upsampling="resize", normalization="pixel", reflect=reflect)
    network = resnet_generator(filters=4, blocks=1, **options)
    made = network(tf.fill([1, 32, 32, 3], 0.2)).numpy()
    assert np.abs(made).max() > 1e-3
    differences = np.abs(made - made[:, 16:17, 16:17])
    assert (differences.max() < 1e-5) == reflect
