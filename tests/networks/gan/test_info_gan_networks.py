"""InfoGAN's networks for digits."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import info_gan_discriminator, info_gan_generator, info_gan_networks


def batch_norm(channels):
    return 4 * channels


@pytest.mark.thorough
def test_sizes_of_the_papers_networks():
    """Table 1 of app. C.1; a layer before a normalization has no bias."""
    dense = 74 * 1024 + batch_norm(1024) + 1024 * 7 * 7 * 128 + batch_norm(7 * 7 * 128)
    convolutions = 16 * 128 * 64 + batch_norm(64) + 16 * 64 + 1
    assert info_gan_generator().count_params() == dense + convolutions
    convolutions = 16 * 64 + 64 + 16 * 64 * 128 + batch_norm(128)
    body = convolutions + 7 * 7 * 128 * 1024 + batch_norm(1024)
    assert info_gan_discriminator().count_params() == body + 1025
    head = 1025 * 128 + batch_norm(128) + 129 * 14
    assert info_gan_networks()[1].count_params() == body + 1025 + head


@pytest.mark.thorough
@pytest.mark.parametrize("normalization", ["batch", "layer", None])
def test_shapes_and_ranges(normalization, rng):
    generator = info_gan_generator((8, 12, 3), latent_dim=5, filters=2, hidden=4)
    images = generator(tf.constant(50 * rng.normal(size=(3, 5)), tf.float32), training=True)
    assert images.shape == (3, 8, 12, 3) and np.abs(images).max() <= 1
    judge = info_gan_discriminator((8, 12, 3), 2, 4, normalization)
    assert judge(images).shape == (3, 1) and judge.name == "discriminator"


@pytest.mark.thorough
def test_networks_of_codes_fit_each_other(rng):
    generator, judge = info_gan_networks((8, 8, 1), 3, 4, 2, filters=2, hidden=4)
    assert [i.shape[1:] for i in generator.inputs] == [(3,), (6,)]
    assert [o.shape[1:] for o in judge.outputs] == [(1,), (8,)]
    assert judge.input_shape == generator.output_shape
    judge = info_gan_networks((8, 8, 1), 3, 4, 2, filters=2, hidden=4, normalization="layer")[1]
    assert "LayerNormalization" in {type(layer).__name__ for layer in judge.layers}
