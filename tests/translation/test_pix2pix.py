"""The losses of the paper, what the discriminator sees, and what is random in translations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import patch_discriminator, resnet_generator, unet_generator
from keras_gen.translation import Pix2Pix
from shared import losses_of, softplus

SHAPE = (16, 16, 1)


def build(seen=4, noise="none", **options):
    generator = unet_generator(SHAPE, channels=3, filters=2, noise=noise)
    critic = seen and patch_discriminator((16, 16, seen), filters=2, strided_layers=1)
    return Pix2Pix(generator, critic or None, **options)


def convolution(inputs, outputs):
    return keras.Sequential(
        [keras.Input((16, 16, inputs)), keras.layers.Conv2D(outputs, 3, padding="same")]
    )


def pairs(rng, n=3):
    return [rng.integers(0, 256, (n, 16, 16, channels), dtype="uint8") for channels in (1, 3)]


def scaled(levels):
    return levels / np.float32(127.5) - 1


@pytest.mark.parametrize("seen", [3, 4])
def test_equations_1_to_4_in_numpy(rng, seen):
    """With the source beside the image, eq. (1), and without it, eq. (2)."""
    model = Pix2Pix(convolution(1, 3), convolution(seen, 1), l1_weight=20.0)
    model.compile()
    source, target = pairs(rng)
    fake = model(scaled(source)).numpy()
    beside = [] if seen == 3 else [scaled(source)]
    of_real, of_fake = (
        model.discriminator(np.concatenate([*beside, images], axis=-1)).numpy()
        for images in (scaled(target), fake)
    )
    losses = losses_of(model, source, target)
    l1 = np.abs(scaled(target) - fake).mean()
    np.testing.assert_allclose(losses["l1_loss"], l1, rtol=1e-5)
    np.testing.assert_allclose(losses["adversarial_loss"], softplus(-of_fake).mean(), rtol=1e-5)
    np.testing.assert_allclose(losses["g_loss"], softplus(-of_fake).mean() + 20 * l1, rtol=1e-5)
    expected = 0.5 * (softplus(-of_real) + softplus(of_fake)).mean()
    np.testing.assert_allclose(losses["d_loss"], expected, rtol=1e-5)


def test_without_a_discriminator_the_distance_is_all(rng):
    model = build(0)
    model.compile(run_eagerly=True)
    assert list(model.players()) == ["g_optimizer"]
    losses = losses_of(model, *pairs(rng), training=True)
    assert losses.keys() == {"g_loss", "l1_loss"}
    np.testing.assert_allclose(losses["g_loss"], 100 * losses["l1_loss"], rtol=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("noise", ["none", "dropout", "latents"])
def test_translations_follow_their_seed_if_the_network_draws(rng, noise):
    model = build(noise=noise, domains=("edges", "photo"))
    source, _ = pairs(rng)
    first, again, other = (model.translate(source, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (3, 16, 16, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() == (noise != "none")
    served, specs = model.signatures()["edges_to_photo"]
    inputs = [tf.constant(source), *([tf.constant(2)] if noise != "none" else [])]
    assert len(specs) == len(inputs)
    assert np.abs(served(*inputs)["images"].numpy().astype(int) - other).max() <= 1


@pytest.mark.thorough
def test_networks_of_any_size_translate_any_size(rng):
    model = Pix2Pix(resnet_generator((None, None, 3), 2, 1))
    images = rng.integers(0, 256, (1, 13, 9, 3), dtype="uint8")
    assert model.translate(images).shape == images.shape


def test_a_discriminator_of_other_channels_is_refused():
    sentence = "accepts 2 channels: expected 4 for source and target, or 3"
    with pytest.raises(ValueError, match=sentence):
        build(seen=2)


def test_images_of_another_size_are_refused(rng):
    with pytest.raises(ValueError, match=r"\(3, 16, 8, 1\)"):
        build().translate(pairs(rng)[0][:, :, :8])
