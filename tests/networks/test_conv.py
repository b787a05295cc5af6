"""Convolutional encoder and decoder, and why one of its two ways of upsampling draws no pattern."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import conv_decoder, conv_encoder
from keras_gen.networks.conv import _residual_blocks


class TestBlocks:
    def test_add_nothing_at_the_start(self):
        x = keras.Input((8, 8, 3))
        network = keras.Model(x, _residual_blocks(x, 2, "elu"))
        values = tf.random.normal([3, 8, 8, 3])
        np.testing.assert_array_equal(network(values), values)

    @pytest.mark.thorough
    def test_all_weights_get_gradients_after_a_step(self):
        """The first convolution of a block gets none before, for the second is zero."""
        network = conv_encoder((8, 8, 1), 2, (3,), "elu", blocks=1)
        network.compile(keras.optimizers.SGD(0.1), "mse")
        x, y = tf.random.normal([4, 8, 8, 1]), tf.random.normal([4, 2])
        before = network.get_weights()
        network.fit(x, y, epochs=2, verbose=0)
        assert all((a != b).any() for a, b in zip(before, network.get_weights(), strict=True))


def test_keeps_the_scale_of_its_inputs():
    """He's initializer: what goes in with variance 1 is neither lost nor blown up."""
    keras.utils.set_random_seed(0)
    filters = (32, 32, 32, 32)
    codes = conv_encoder((64, 64, 3), filters=filters)(tf.random.normal([8, 64, 64, 3]))
    images = conv_decoder((64, 64, 3), 16, filters)(tf.random.normal([8, 16]))
    assert 0.2 < np.std(codes) < 3 and 0.2 < np.std(images) < 3


def test_likelihoods_with_scales_may_start_at_one_scale():
    """Zeros: a logistic distribution of mean 0 and scale 1 at every pixel."""
    decoder = conv_decoder((4, 4, 2), 3, (2,), blocks=1, output_initializer="zeros")
    assert not np.any(decoder(tf.random.normal([2, 3])))
    assert np.any(conv_decoder((4, 4, 2), 3, (2,), blocks=1)(tf.random.normal([2, 3])))


def test_maps_of_latents_lie_where_the_image_does():
    shape, sizes = (8, 8, 1), dict(latent_dim=48, filters=(4,), activation="elu", maps=True)
    encoder = conv_encoder(shape, heads=("mean", "log_variance"), **sizes)
    decoder = conv_decoder(shape, **sizes)
    assert encoder.output_shape == [(None, 48), (None, 48)]
    assert decoder.output_shape == (None, *shape)
    corner = np.zeros((1, *shape), "float32")
    corner[0, 0, 0] = 1
    for head, zero in zip(encoder(corner), encoder(0 * corner), strict=True):
        changed = (head != zero).numpy().reshape(4, 4, 3).any(axis=-1)
        assert changed[0, 0] and changed.sum() == 1
    latents = np.zeros((1, 48), "float32")
    latents[0, :3] = 1
    changed = (decoder(latents) != decoder(0 * latents)).numpy()[0]
    assert changed[:2, :2].all() and not changed[4:].any() and not changed[:, 4:].any()
