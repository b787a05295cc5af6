"""The latents of images, for a generator whose images are found by latents of one kind alone."""

import keras
import numpy as np
import pytest

from keras_gen.gan import GAN, ConditionalGAN, nearest_latents


@pytest.fixture
def model():
    """A GAN of two latents, a tenth of which are two pixels."""
    dense = keras.layers.Dense(2, use_bias=False)
    network = keras.Sequential([keras.Input((2,)), dense, keras.layers.Reshape((1, 2, 1))])
    dense.set_weights([np.eye(2) / 10])
    layers = [keras.Input((1, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    return GAN(network, keras.Sequential(layers))


def test_finds_the_latents_that_made_the_images(model):
    latents = np.array([[0.5, -1.0], [2.0, 0.25], [0.0, 0.0]], "float32")
    images = model.generate(latents)
    found = nearest_latents(model, images, tries=1, steps=200)
    # A level of 256 is 0.08 of a latent's standard deviation here.
    np.testing.assert_allclose(found, latents, atol=0.05)


def test_finds_the_same_in_parts(model):
    images = model.sample(5, seed=1)
    whole = nearest_latents(model, images, tries=3, steps=20)
    parts = nearest_latents(model, images, tries=3, steps=20, batch_size=2)
    np.testing.assert_allclose(parts, whole, atol=1e-4)


def test_keeps_the_best_of_several_tries():
    """Waves of one latent: the way from most draws ends in a hollow beside the image."""
    waves = keras.layers.Lambda(
        lambda z: keras.ops.sin(3 * z) * keras.ops.exp(-keras.ops.square(z))
    )
    network = keras.Sequential([keras.Input((1,)), waves, keras.layers.Reshape((1, 1, 1))])
    judge = keras.Sequential([keras.Input((1, 1, 1)), keras.layers.Reshape((1,))])
    model = GAN(network, judge)
    images = np.full([8, 1, 1, 1], 210, "uint8")
    apart = []
    for tries in (1, 8):
        found = nearest_latents(model, images, tries=tries, steps=100, rate=0.02)
        apart.append(np.abs(model.generate(found).astype(int) - images).mean())
    assert apart[1] < 2 < apart[0]


def test_what_is_refused(model):
    images = model.sample(1)
    with pytest.raises(ValueError, match="rate is 0: expected a positive"):
        nearest_latents(model, images, rate=0)
    with pytest.raises(ValueError, match="tries"):
        nearest_latents(model, images, tries=0)
    conditional = ConditionalGAN.for_images((28, 28, 1), classes=3, latent_dim=2, filters=2)
    with pytest.raises(TypeError, match="a ConditionalGAN generates depends on labels too"):
        nearest_latents(conditional, np.zeros([1, 28, 28, 1], "uint8"))
