"""Networks that grow: sizes of the paper, what fades, and what a size needs."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import progressive_discriminator, progressive_generator
from keras_gen.networks.gan.progressive_networks import channels, faded, resized

SHAPE, SIZES = (16, 16, 3), dict(filters=3, width=32)


def test_sizes_of_the_papers_networks():
    """Table 2: 512 channels up to 32x32, then 256, 128, 64, 32, 16 at 1024x1024."""
    found = {side: channels(side, 512, 16_384) for side in (4, 8, 16, 32, 64, 128, 256, 512, 1024)}
    assert list(found.values()) == [512, 512, 512, 512, 256, 128, 64, 32, 16]


@pytest.mark.thorough
def test_parameters_of_32_by_32():
    generator = progressive_generator((32, 32, 3), latent_dim=6, filters=5, width=80)
    wide = [5, 5, 5, 2]  # 80 / 32
    kernels = 16 * 5 * (6 + 1)
    kernels += sum(9 * a * b + b for a, b in itertools.pairwise([5] * 6 + [2, 2]))
    kernels += sum(3 * n + 3 for n in wide)
    assert generator.count_params() == kernels
    discriminator = progressive_discriminator((32, 32, 3), filters=5, width=80)
    kernels = sum(3 * n + n for n in wide)
    kernels += sum(9 * a * b + b for a, b in itertools.pairwise([2, 2] + [5] * 5))
    kernels += 9 * 6 * 5 + 5 + 16 * 5 * 5 + 5 + 5 + 1  # one channel is the deviation
    assert discriminator.count_params() == kernels


@pytest.mark.thorough
def test_every_size_has_images_and_logits(rng):
    generator = progressive_generator(SHAPE, latent_dim=6, **SIZES)
    latents = rng.normal(size=(8, 6)).astype("float32")
    images = generator([latents, np.full(8, 0.5)])
    assert [i.shape for i in images] == [(8, side, side, 3) for side in (4, 8, 16)]
    assert all(i.dtype == tf.float32 for i in images)
    discriminator = progressive_discriminator(SHAPE, **SIZES)
    for level, made in enumerate(images):
        part = keras.Model(discriminator.inputs, discriminator.outputs[level])
        logits = part([made, tf.fill([8], 0.5)])
        assert logits.shape == (8,) and logits.dtype == tf.float32


@pytest.mark.thorough
def test_outputs_fade_in_from_the_size_before(rng):
    generator = progressive_generator(SHAPE, latent_dim=6, **SIZES)
    latents = rng.normal(size=(4, 6)).astype("float32")
    start, middle, end = (generator([latents, np.full(4, f)]) for f in (0.0, 0.25, 1.0))
    np.testing.assert_array_equal(start[0], end[0])  # 4x4 knows no fade
    for level in (1, 2):
        np.testing.assert_array_equal(start[level], resized(end[level - 1], 4 << level))
        mixed = 0.75 * start[level] + 0.25 * end[level]
        np.testing.assert_allclose(middle[level], mixed, rtol=1e-4, atol=1e-5)


def test_a_discriminator_of_what_has_not_faded_in_sees_half_the_size(rng):
    discriminator = progressive_discriminator(SHAPE, **SIZES)
    images = rng.normal(size=(4, 8, 8, 3)).astype("float32")
    small, large = (keras.Model(discriminator.inputs, discriminator.outputs[n]) for n in (0, 1))
    before = large([images, np.zeros(4)])
    expected = small([resized(images, 4), tf.ones(4)])
    np.testing.assert_allclose(before, expected, rtol=1e-4, atol=1e-5)
    assert np.abs(before - large([images, np.ones(4)])).max() > 1e-4


def test_latents_are_normalized(rng):
    generator = progressive_generator(SHAPE, latent_dim=6, **SIZES)
    latents, fade = rng.normal(size=(2, 6)).astype("float32"), np.ones(2)
    one, other = generator([latents, fade])[-1], generator([5 * latents, fade])[-1]
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_resized(rng):
    images = rng.normal(size=(2, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(resized(images, 8), images)
    means = images.reshape(2, 2, 4, 2, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(resized(images, 2), means, rtol=1e-5, atol=1e-6)
    large = resized(images, 16).numpy()
    assert large.shape == (2, 16, 16, 3)
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        np.testing.assert_array_equal(large[:, row::2, column::2], images)


def test_faded_is_exact_at_both_ends(rng):
    a, b = rng.normal(size=(2, 3, 2, 2, 1)).astype("float32")
    np.testing.assert_array_equal(faded(a, b, np.zeros(3, "float32")), a)
    np.testing.assert_array_equal(faded(a, b, np.ones(3, "float32")), b)
