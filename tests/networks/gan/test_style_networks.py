"""StyleGAN's networks: what each input does, and the filter that doubles sizes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from keras_gen.networks import style_discriminator, style_generator, style_mapping
from keras_gen.networks.gan.style_networks import STYLINGS, _doubled

SHAPE, SIZES = (16, 16, 3), dict(filters=4, width=64)
both = pytest.mark.parametrize("styling", STYLINGS)


def test_the_mapping_sees_directions_alone(rng):
    mapping = style_mapping(latent_dim=6, style_dim=5, depth=3, rate=0.1)
    latents = rng.normal(size=(4, 6)).astype("float32")
    styles = mapping(latents)
    assert styles.shape == (4, 5) and np.std(styles) > 0.1
    np.testing.assert_allclose(mapping(3 * latents), styles, rtol=1e-4, atol=1e-5)
    assert mapping.count_params() == 5 * 7 + 2 * 5 * 6


@pytest.mark.thorough
@both
def test_shapes(rng, styling):
    generator = style_generator(SHAPE, style_dim=5, styling=styling, **SIZES)
    layers, numbers = 2 * 3, 2 * (4**2 + 8**2 + 16**2)
    assert [i.shape for i in generator.inputs] == [(None, layers, 5), (None, numbers)]
    images = generator([rng.normal(size=(2, layers, 5)), rng.normal(size=(2, numbers))])
    assert images.shape == (2, *SHAPE) and images.dtype == tf.float32 and np.std(images) > 0.01
    logits = style_discriminator(SHAPE, **SIZES)(images)
    assert logits.shape == (2,) and logits.dtype == tf.float32


@pytest.mark.thorough
@both
def test_every_style_and_strengths_of_noise_change_the_image(rng, styling):
    generator = style_generator(SHAPE, style_dim=5, styling=styling, **SIZES)
    styles, noise = (rng.normal(size=(1, *i.shape[1:])).astype("float32") for i in generator.inputs)
    plain = generator([styles, noise])
    np.testing.assert_array_equal(plain, generator([styles, -noise]))  # strengths are 0
    for layer in range(6):
        other = styles.copy()
        other[:, layer] += 1
        assert np.abs(generator([other, noise]) - plain).max() > 1e-4, layer
    for layer in generator.layers:
        if hasattr(layer, "strength"):
            layer.strength.assign(tf.ones_like(layer.strength.value))
    found = generator([styles, noise])
    first = 16 if styling == "modulated" else 0
    for begin, end in ((first, 32), (32, 96), (96, 160), (160, 416), (416, 672)):
        other = noise.copy()
        other[:, begin:end] += 1
        assert np.abs(generator([styles, other]) - found).max() > 1e-4, begin


def test_sizes_are_doubled_by_the_binomial_filter(rng):
    maps = rng.normal(size=(1, 4, 4, 1)).astype("float32")
    repeated = maps[0, :, :, 0].repeat(2, axis=0).repeat(2, axis=1)
    for axis in (0, 1):
        repeated = ndimage.convolve1d(repeated, [0.25, 0.5, 0.25], axis=axis, mode="constant")
    np.testing.assert_allclose(_doubled(maps)[0, :, :, 0], repeated, rtol=1e-5, atol=1e-6)


def test_residual_sums_keep_their_variance(rng):
    images = rng.normal(size=(16, 64, 64, 1)).astype("float32")
    network = style_discriminator((64, 64, 1), filters=32, width=10**6)
    sums = [layer.output for layer in network.layers if isinstance(layer, keras.layers.Add)]
    for values in keras.Model(network.inputs, sums)([images]):
        assert 0.05 < np.mean(np.square(values)) < 2.0


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"styling is 'x': expected one of modulated, adain"):
        style_generator(SHAPE, styling="x")
