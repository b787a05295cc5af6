"""PatchGAN: which pixels a logit sees is measured and not computed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import patch_discriminator


def influence(network, side):
    """Extent [top, bottom, left, right] of the pixels that move the middle logit."""
    images = tf.random.normal([1, side, side, 3])
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = network(images)
        middle = logits.shape[1] // 2
        logit = logits[0, middle, middle, 0]
    seen = np.abs(tape.gradient(logit, images)[0]).sum(-1) > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return rows[0], rows[-1], columns[0], columns[-1]


def without_normalization(network):
    """The same convolutions; instance normalization would let every pixel act on every other."""
    x = network.input
    for layer in network.layers[1:]:
        if "normalization" not in layer.name:
            x = layer(x)
    return keras.Model(network.input, x)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("strided", "field", "side"), [(1, 16, 48), (2, 34, 96), (3, 70, 192), (4, 142, 320)]
)
def test_receptive_field(strided, field, side):
    """70x70 with three strided layers (Zhu et al. 2017, app. 7.2), 34x34 with two."""
    network = patch_discriminator((side, side, 3), filters=2, strided_layers=strided)
    network = without_normalization(network)
    top, bottom, left, right = influence(network, side)
    assert (bottom - top + 1, right - left + 1) == (field, field)
    assert top > 0 and bottom < side - 1  # else the border hides a part


def conv(inputs, outputs, bias=False):
    return 16 * inputs * outputs + outputs * bias


def test_size_of_the_papers_network():
    """C64-C128-C256-C512, 4x4 kernels, normalization with scale and offset but in the first."""
    count = conv(3, 64, bias=True) + conv(64, 128) + conv(128, 256) + conv(256, 512)
    count += 2 * (128 + 256 + 512) + conv(512, 1, bias=True)
    network = patch_discriminator()
    assert network.count_params() == count == 2_765_633
    assert network.output_shape == (None, 30, 30, 1)


@pytest.mark.thorough
def test_shapes_and_dtypes():
    network = patch_discriminator((64, 32, 3), filters=2)
    logits = network(tf.random.normal([2, 64, 32, 3]))
    assert logits.shape == (2, 6, 2, 1) and logits.dtype == tf.float32
    anywhere = patch_discriminator((None, None, 3), filters=2)
    assert anywhere(tf.random.normal([1, 40, 48, 3])).shape == (1, 3, 4, 1)


def test_channels_double_at_most_three_times():
    network = patch_discriminator((256, 256, 3), filters=2, strided_layers=5)
    widths = [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert widths == [2, 4, 8, 16, 16, 16, 1]


@pytest.mark.parametrize(
    ("shape", "strided", "least"), [((23, 64, 3), 3, 24), ((11, 11, 3), 2, 12)]
)
def test_too_small_images_are_refused(shape, strided, least):
    with pytest.raises(ValueError, match=f"{shape[0]}x{shape[1]} are too small.*least {least} pix"):
        patch_discriminator(shape, strided_layers=strided)
    patch_discriminator((least, least, 3), filters=1, strided_layers=strided)


def test_scales_weigh_the_same_and_see_images_of_half_the_size():
    network = patch_discriminator((64, 64, 3), filters=2, strided_layers=1, scales=2)
    images = tf.random.stateless_normal([2, 64, 64, 3], (0, 1))
    logits = network(images).numpy()
    assert logits.shape == (2, 30, 30, 2)
    # Those of the half size are 14x14, repeated.
    coarse = logits[..., 1]
    assert len(np.unique(coarse[0])) == 14 * 14
    np.testing.assert_array_equal(coarse[:, 0], coarse[:, 1])
    # What averages to the same half size changes the first scale alone.
    stripes = 0.5 * (-1.0) ** np.arange(64)[:, None]
    changed = network(images + stripes[None, ..., None]).numpy()
    np.testing.assert_allclose(changed[..., 1], coarse, atol=1e-4)
    assert np.abs(changed[..., 0] - logits[..., 0]).max() > 1e-3


@pytest.mark.thorough
@pytest.mark.parametrize("reflect", [True, False])
def test_spectral_normalization_by_kernels_alone_and_flat_areas_by_reflection(reflect):
    network = patch_discriminator((32, 32, 3), 4, 2, "spectral", reflect=reflect)
    for _ in range(30):
        network(tf.zeros([1, 32, 32, 3]), training=True)
    kernels = [w for w in network.trainable_variables if w.path.endswith("kernel")]
    assert len(kernels) == 4 and not any("instance" in layer.name for layer in network.layers)
    flat = tf.fill([1, 32, 32, 3], 0.3)
    logits = network(flat).numpy()
    # Padding by reflection keeps a flat image flat to its borders; zeros do not.
    assert np.allclose(logits, logits[0, 0, 0, 0], atol=1e-5) == reflect


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (dict(normalization="batch"), "'batch': expected one of"),
        (dict(image_shape=(None, None, 3), scales=2), "scales is 2 for images of NonexNone"),
        (dict(scales=0), "scales must be at least 1, found 0"),
        (dict(image_shape=(32, 32, 3), scales=2), "too small for 3 strided layers at 2 scales"),
    ],
)
def test_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        patch_discriminator(**options)
