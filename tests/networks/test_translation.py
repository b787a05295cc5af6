"""Translation networks: receptive fields, borders, and normalization."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import (
    context_decoder,
    patch_discriminator,
    resnet_generator,
    sr_resnet,
    unet_generator,
    vgg_features,
)
from keras_gen.networks.blocks import smooth_chroma


def test_only_the_bottleneck_carries_what_is_far_away():
    """The gradient of a corner of the image reaches the features of the opposite corner."""
    decoder = context_decoder((64, 64, 1), filters=2)
    features = tf.random.normal([1, 4, 4, 16])
    with tf.GradientTape() as tape:
        tape.watch(features)
        corner = decoder(features)[0, 0, 0, 0]
    assert (tape.gradient(corner, features).numpy()[0, 3, 3] != 0).any()


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


def test_channels_double_at_most_three_times():
    network = patch_discriminator((256, 256, 3), filters=2, strided_layers=5)
    widths = [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert widths == [2, 4, 8, 16, 16, 16, 1]


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


def convolutions(network, kind):
    return [layer for layer in network.layers if type(layer) is kind]


@pytest.mark.thorough
def test_the_papers_layers_at_256_pixels():
    network = unet_generator(filters=64)
    down = [layer.filters for layer in convolutions(network, keras.layers.Conv2D)]
    up = [layer.filters for layer in convolutions(network, keras.layers.Conv2DTranspose)]
    assert down == [64, 128, 256, 512, 512, 512, 512, 512]
    assert up == [512, 512, 512, 512, 256, 128, 64, 3]
    # Each deconvolution but the first sees as many passed channels as those before it.
    kernels = convolutions(network, keras.layers.Conv2DTranspose)
    seen = [layer.kernel.shape[-1] for layer in kernels]
    assert seen == [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert len([layer for layer in network.layers if "dropout" in layer.name]) == 3


def test_the_generator_of_srgan_has_one_and_a_half_million_parameters():
    network = sr_resnet()
    assert 1.4e6 < network.count_params() < 1.6e6
    assert network.output_shape == (None, None, None, 3)


def test_vgg_takes_images_from_minus_one_to_one(rng):
    network = vgg_features("block2_conv2", weights=None)
    images = rng.uniform(-1, 1, (1, 32, 32, 3)).astype("float32")
    assert network(images).shape == (1, 16, 16, 128)
    inner = network.layers[-1]
    blue_first = 127.5 * (images[..., ::-1] + 1) - [103.939, 116.779, 123.68]
    np.testing.assert_allclose(network(images), inner(blue_first), rtol=1e-3, atol=1e-4)
