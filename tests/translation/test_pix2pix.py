"""The losses of the paper, what the discriminator sees, and what is random in translations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import NoiseChannels
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


@pytest.mark.thorough
def test_memorizes_a_pair(rng):
    model = Pix2Pix.for_images((8, 8, 1), filters=8, noise="none")
    model.compile(g_optimizer=keras.optimizers.Adam(1e-2, 0.5))
    source, target = (rng.integers(0, 256, (2, 8, 8, 1), dtype="uint8") for _ in range(2))
    data = tf.data.Dataset.from_tensors((source, target)).repeat()
    before = np.abs(model.translate(source).astype(int) - target).mean()
    model.fit(data, steps_per_epoch=150, epochs=1, verbose=0)
    after = np.abs(model.translate(source).astype(int) - target).mean()
    assert after < before / 3


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(dict(seen=2), "takes 2 channels: expected 4, those of source and target, or 3")],
)
def test_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(**arguments)


def test_images_of_another_size_are_refused(rng):
    with pytest.raises(ValueError, match=r"\(3, 16, 8, 1\)"):
        build().translate(pairs(rng)[0][:, :, :8])


class TestNoiseChannels:
    def test_appends_standard_normal_channels(self):
        x = tf.ones([50, 8, 8, 3])
        y = NoiseChannels(2, seed=1)(x, training=True).numpy()
        np.testing.assert_array_equal(y[..., :3], x)
        noise = y[..., 3:]
        assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05
        assert (noise[0] != noise[1]).any()

    def test_at_inference_all_examples_have_one_noise(self):
        y = NoiseChannels(1, seed=1)(tf.ones([3, 4, 4, 1]), training=False).numpy()
        np.testing.assert_array_equal(y[0], y[2])
        assert np.ptp(y[..., 1]) > 0

    def test_needs_a_channel(self):
        with pytest.raises(ValueError, match="channels must be at least 1, found 0"):
            NoiseChannels(0)
