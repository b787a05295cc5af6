"""BigGAN's networks: what each part of the latents and the class reach, and slopes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import SelfAttention, SpectralNormalization
from keras_gen.networks import big_gan_discriminator, big_gan_generator

SHAPE, CLASSES = (16, 16, 3), 3
SIZES = dict(classes=CLASSES, filters=8, attention=8)


@pytest.fixture(scope="module")
def generator():
    return big_gan_generator(SHAPE, latent_dim=6, embedding_dim=4, **SIZES)


@pytest.fixture(scope="module")
def discriminator():
    return big_gan_discriminator(SHAPE, **SIZES)


@pytest.mark.thorough
def test_shapes_and_pieces(generator, discriminator):
    images = generator([np.zeros([2, 6]), np.array([0, 2])]).numpy()
    assert images.shape == (2, *SHAPE) and np.abs(images).max() <= 1
    logits = discriminator([images, np.array([0, 2])])
    assert logits.shape == (2, 1) and logits.dtype == tf.float32
    for network in (generator, discriminator):
        (attention,) = [layer for layer in network.layers if isinstance(layer, SelfAttention)]
        assert attention.output.shape == (None, 8, 8, 8)
        kernels = [layer for layer in network.layers if hasattr(layer, "kernel")]
        assert not kernels  # all of them are inside of
        assert sum(isinstance(layer, SpectralNormalization) for layer in network.layers) > 9
    without = big_gan_generator(SHAPE, CLASSES, latent_dim=6, filters=8, attention=None)
    assert not [layer for layer in without.layers if isinstance(layer, SelfAttention)]


@pytest.mark.thorough
def test_each_block_has_its_own_latents_and_all_have_the_class(generator):
    """The first two latents make the map, the next ones are those of the first block, and so on."""
    start = [np.full([1, 6], 0.5, "float32"), np.array([0])]
    norms = [n for n in generator.layers if type(n).__name__ == "BatchNormalization"]
    assert len(norms) == 5 and [n.center for n in norms] == [False] * 4 + [True]
    watch = keras.Model(generator.input, [n.input for n in norms])
    before = [value.numpy() for value in watch(start)]

    def changed(latent):
        latents = start[0].copy()
        latents[0, latent] += 1
        after = watch([latents, start[1]])
        return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]

    assert changed(0) == [True] * 5
    assert changed(2) == [False, True, True, True, True]
    assert changed(5) == [False, False, False, True, True]
    of_class = watch([start[0], np.array([1])])
    moved = [not np.array_equal(a, b) for a, b in zip(before, of_class, strict=True)]
    assert moved == [False, True, True, True, True]


def test_the_class_reaches_the_logit(discriminator, rng):
    images = rng.uniform(-1, 1, (4, *SHAPE)).astype("float32")
    logits = [discriminator([images, np.full(4, k)]).numpy() for k in range(CLASSES)]
    assert len({value.tobytes() for value in logits}) == CLASSES


def test_latents_that_cannot_be_cut_are_refused():
    with pytest.raises(ValueError, match=r"^latent_dim is 7: expected a multiple of 3, for the"):
        big_gan_generator(SHAPE, CLASSES, latent_dim=7, filters=8)
