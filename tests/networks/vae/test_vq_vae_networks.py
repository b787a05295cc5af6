"""Residual networks of grids of codes: sizes, shapes, and what sees what."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import residual_decoder, residual_encoder, vq_vae_2_networks

SMALL = dict(latent_dim=5, filters=6, residual_filters=4, blocks=2)


def convolution(side, inputs, outputs):
    return side * side * inputs * outputs + outputs


@pytest.mark.thorough
def test_sizes():
    """Two 4x4 convolutions, blocks of a 3x3 and a 1x1, and what leads to and from the latents."""
    blocks = 2 * (convolution(3, 6, 4) + convolution(1, 4, 6))
    encoder = convolution(4, 3, 6) + convolution(4, 6, 6) + blocks + convolution(1, 6, 5)
    assert residual_encoder((8, 8, 3), **SMALL).count_params() == encoder
    decoder = convolution(3, 5, 6) + blocks + convolution(4, 6, 6) + convolution(4, 6, 3)
    assert residual_decoder((8, 8, 3), **SMALL).count_params() == decoder
    paper = residual_encoder().count_params()
    strided = convolution(4, 3, 256) + convolution(4, 256, 256)
    block = convolution(3, 256, 256) + convolution(1, 256, 256)
    assert paper == strided + 2 * block + convolution(1, 256, 64)


@pytest.mark.thorough
@pytest.mark.parametrize(("stages", "places"), [(1, 1), (2, 1), (2, 3)])
def test_shapes(stages, places):
    options = SMALL | dict(stages=stages, codes_per_place=places)
    encoder, decoder = (
        build((8, 16, 3), **options) for build in (residual_encoder, residual_decoder)
    )
    latents = encoder(tf.random.normal([2, 8, 16, 3]))
    several = (3,) if places > 1 else ()
    assert latents.shape == (2, 8 >> stages, 16 >> stages, *several, 5)
    assert decoder(latents).shape == (2, 8, 16, 3)


def test_keeps_the_scale_of_its_inputs():
    """He's initializer, though each block adds as much as there was."""
    keras.utils.set_random_seed(0)
    options = dict(filters=32, residual_filters=32)
    latents = residual_encoder((16, 16, 3), **options)(tf.random.normal([8, 16, 16, 3]))
    images = residual_decoder((16, 16, 3), **options)(tf.random.normal([8, 4, 4, 64]))
    assert 0.3 < np.std(latents) < 6 and 0.3 < np.std(images) < 6


def test_a_block_adds_to_what_it_gets():
    """Where its last convolution is nothing, what comes in goes out."""
    with_block, without = (
        residual_encoder((8, 8, 3), **SMALL | dict(blocks=blocks)) for blocks in (1, 0)
    )
    values = with_block.get_weights()
    values[6:8] = [np.zeros_like(value) for value in values[6:8]]  # the 1x1 convolution's
    with_block.set_weights(values)
    without.set_weights(values[:4] + values[8:])
    images = tf.random.normal([2, 8, 8, 3])
    np.testing.assert_allclose(with_block(images), without(images), atol=1e-6)


class TestTwoLevels:
    @pytest.mark.thorough
    def test_shapes_and_what_sees_what(self):
        networks = vq_vae_2_networks((16, 16, 3), params_per_value=2, **SMALL)
        images = tf.random.normal([2, 16, 16, 3])
        features, h_top = networks["top_encoder"](images)
        assert features.shape == (2, 4, 4, 6) and h_top.shape == (2, 2, 2, 5)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([features, h_top])
            h_bottom = networks["encoder"]([features, h_top])
            outputs = networks["decoder"]([h_bottom, h_top])
        assert h_bottom.shape == (2, 4, 4, 5) and outputs.shape == (2, 16, 16, 6)
        # The bottom sees features and the top's codes, the decoder both kinds of codes.
        for seen, by in ((h_bottom, features), (h_bottom, h_top), (outputs, h_top)):
            assert np.abs(tape.gradient(seen, by)).max() > 0
