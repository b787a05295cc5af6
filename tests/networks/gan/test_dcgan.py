"""DCGAN's networks: shapes, ranges, sizes, initial values."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import dcgan_discriminator, dcgan_generator

LATENTS = tf.constant(np.random.default_rng(0).normal(size=(5, 100)), tf.float32)


def batch_norm(channels):
    return 4 * channels  # scale, offset, and two running moments


@pytest.mark.thorough
def test_sizes_of_the_papers_networks():
    """Fig. 1: 100 latents, 1024 - 512 - 256 - 128 channels, 64x64 color images, 4x4 kernels."""
    channels = [1024, 512, 256, 128]
    pairs = list(itertools.pairwise(channels))
    inner = sum(16 * a * b for a, b in pairs)
    norms = sum(map(batch_norm, channels))
    generator = dcgan_generator()
    assert generator.count_params() == 16 * 100 * 1024 + inner + norms + 16 * 128 * 3 + 3
    # The mirror image, without normalization in the first layer, which has a bias instead.
    discriminator = dcgan_discriminator()
    first = 16 * 3 * 128 + 128
    last = 16 * 1024 + 1
    assert discriminator.count_params() == first + inner + norms - batch_norm(128) + last


@pytest.mark.thorough
@pytest.mark.parametrize("shape", [(8, 8, 1), (16, 16, 3), (32, 32, 1)])
def test_shapes_and_ranges(shape):
    generator = dcgan_generator(shape, latent_dim=100, filters=4)
    images = generator(50 * LATENTS, training=True)
    assert images.shape == (5, *shape) and images.dtype == tf.float32
    assert images.numpy().min() >= -1 and images.numpy().max() <= 1 and images.numpy().std() > 0
    logits = dcgan_discriminator(shape, filters=4)(images)
    assert logits.shape == (5,) and logits.dtype == tf.float32


def test_each_stage_doubles_the_side_and_halves_the_channels():
    generator = dcgan_generator((32, 32, 1), latent_dim=100, filters=4)
    maps = [
        layer.output.shape[1:]
        for layer in generator.layers
        if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert maps == [(4, 4, 16), (8, 8, 8), (16, 16, 4), (32, 32, 1)]
    discriminator = dcgan_discriminator((32, 32, 1), filters=4)
    maps = [
        layer.output.shape[1:]
        for layer in discriminator.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert maps == [(16, 16, 4), (8, 8, 8), (4, 4, 16), (1, 1, 1)]


@pytest.mark.thorough
@pytest.mark.parametrize("shape, map_sides", [((28, 28, 1), (7, 7)), ((45, 37, 3), (6, 5))])
def test_other_sizes_start_from_a_map_of_theirs(shape, map_sides):
    generator = dcgan_generator(shape, latent_dim=100, filters=2)
    images = generator(LATENTS)
    assert images.shape == (5, *shape)
    discriminator = dcgan_discriminator(shape, filters=2)
    assert discriminator(images).shape == (5,)
    for kernel in (generator.weights[0], discriminator.get_layer(index=-3).kernel):
        assert kernel.shape[:2] == map_sides


def test_squares_of_powers_of_two_have_the_layers_of_the_paper_alone():
    block = ["Conv2DTranspose", "BatchNormalization", "ReLU"]
    last = ["Conv2DTranspose", "Activation"]
    generator = dcgan_generator((16, 16, 1), latent_dim=100, filters=2)
    kinds = [type(layer).__name__ for layer in generator.layers]
    assert kinds == ["InputLayer", "Reshape", *block, *block, *last]
    kernels = [w.shape for w in generator.weights if w.name == "kernel"]
    assert kernels == [(4, 4, 4, 100), (4, 4, 2, 4), (4, 4, 1, 2)]
    block = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    discriminator = dcgan_discriminator((16, 16, 1), filters=2)
    kinds = [type(layer).__name__ for layer in discriminator.layers]
    ends = ["Conv2D", "Flatten", "Reshape"]
    assert kinds == ["InputLayer", "Conv2D", "LeakyReLU", *block, *ends]
    kernels = [w.shape for w in discriminator.weights if w.name == "kernel"]
    assert kernels == [(4, 4, 1, 2), (4, 4, 2, 4), (4, 4, 4, 1)]


@pytest.mark.thorough
@pytest.mark.parametrize("build", [dcgan_generator, dcgan_discriminator])
def test_initial_values(build):
    """Sec. 3.1: normal with standard deviation 0.02, different in every layer."""
    kernels = [w.numpy() for w in build((32, 32, 1), filters=16).weights if w.name == "kernel"]
    for kernel in kernels:
        deviation = 0.02 / np.sqrt(2 * kernel.size)
        assert abs(kernel.std() - 0.02) < 5 * deviation
        assert abs(kernel.mean()) < 5 * 0.02 / np.sqrt(kernel.size)
    firsts = [kernel.ravel()[0] for kernel in kernels]
    assert len(set(firsts)) == len(firsts)


def test_real_and_generated_images_are_normalized_by_their_own_batch():
    discriminator = dcgan_discriminator((16, 16, 1), filters=4)
    a, b = tf.random.normal([4, 16, 16, 1]), 3 + tf.random.normal([4, 16, 16, 1])
    apart = discriminator(a, training=True)
    together = discriminator(tf.concat([a, b], 0), training=True)[:4]
    assert np.abs(apart - together).max() > 1e-4
