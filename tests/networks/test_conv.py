"""Convolutional encoder and decoder, and why one of its two ways of upsampling draws no pattern."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import offline_digits
from keras_gen.metrics import squared_error
from keras_gen.networks import conv_decoder, conv_encoder
from keras_gen.networks.blocks import UPSAMPLING


def test_sizes():
    """3 -> 32 -> 64 channels of 3x3, and a dense layer of an 8x8x64 map, each with biases."""
    convolutions = (9 * 3 * 32 + 32) + (9 * 32 * 64 + 64)
    encoder = conv_encoder((32, 32, 3), latent_dim=128)
    assert encoder.count_params() == convolutions + (8 * 8 * 64 + 1) * 128
    mirrored = (9 * 64 * 32 + 32) + (9 * 32 * 3 + 3)
    for upsampling in UPSAMPLING:  # as many weights whichever way
        decoder = conv_decoder((32, 32, 3), latent_dim=128, upsampling=upsampling)
        assert decoder.count_params() == mirrored + (128 + 1) * 8 * 8 * 64


class TestBlocks:
    def test_sizes(self):
        """Each block has two 3x3 convolutions, and each size one block."""
        sizes, plain = dict(image_shape=(8, 8, 3), latent_dim=4, filters=(2, 3)), {}
        added = 2 * (9 * 2 * 2 + 2) + 2 * (9 * 3 * 3 + 3)
        for build in (conv_encoder, conv_decoder):
            plain = build(**sizes).count_params()
            assert [build(**sizes, blocks=n).count_params() - plain for n in (1, 2)] == [
                added, 2 * added,
            ]  # fmt: skip

    @pytest.mark.parametrize("build", [conv_encoder, conv_decoder])
    def test_add_nothing_at_the_start(self, build):
        sizes = dict(image_shape=(8, 8, 3), latent_dim=4, filters=(2, 3))
        plain, deep = build(**sizes), build(**sizes, blocks=1)
        shapes = [weight.shape for weight in plain.weights]
        weights = [w.numpy() + 0.1 for w in plain.weights]
        plain.set_weights(weights)
        blocks = [layer for layer in deep.layers if isinstance(layer, keras.layers.Add)]
        own = {id(w) for block in blocks for w in weights_of(block)}
        kept = [w for w in deep.weights if id(w) not in own]
        assert len(blocks) == 2 and [w.shape for w in kept] == shapes
        for weight, value in zip(kept, weights, strict=True):
            weight.assign(value)
        x = tf.random.normal([3, *plain.input_shape[1:]])
        np.testing.assert_array_equal(deep(x), plain(x))

    def test_all_weights_get_gradients_after_a_step(self):
        """The first convolution of a block gets none before, for the second is zero."""
        network = conv_encoder((8, 8, 1), 2, (3,), "elu", blocks=1)
        network.compile(keras.optimizers.SGD(0.1), "mse")
        x, y = tf.random.normal([4, 8, 8, 1]), tf.random.normal([4, 2])
        before = network.get_weights()
        network.fit(x, y, epochs=2, verbose=0)
        assert all((a != b).any() for a, b in zip(before, network.get_weights(), strict=True))


def weights_of(addition):
    """The weights of the two convolutions whose result a block adds."""
    layer, found = addition, []
    while len(found) < 4:
        # Its last input is the branch's.
        layer = (
            layer.input[1]._keras_history.operation
            if layer is addition
            else (layer.input._keras_history.operation)
        )
        found += layer.weights
    return found


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (64, 64, 3), (4, 12, 3)])
@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_shapes(shape, upsampling):
    encoder = conv_encoder(shape, latent_dim=5, filters=(2, 3), heads=("mean", "log_variance"))
    outputs = encoder(tf.zeros([2, *shape]))
    assert [output.shape for output in outputs] == [(2, 5), (2, 5)]
    decoder = conv_decoder(shape, latent_dim=5, filters=(2, 3), upsampling=upsampling)
    assert decoder(outputs[0]).shape == (2, *shape)


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


@pytest.mark.slow
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_learns_more_of_digits_than_their_mean(upsampling):
    """The mean image leaves all of the variance; a code of 8 leaves less than 0.6 of it."""
    digits = offline_digits()
    train, test = digits["train"].arrays(), digits["test"].arrays()
    options = dict(image_shape=(28, 28, 1), latent_dim=8, filters=(16, 32))
    model = Autoencoder(conv_encoder(**options), conv_decoder(upsampling=upsampling, **options))
    model.compile(keras.optimizers.Adam(3e-3), steps_per_execution=10)
    model.fit(train, batch_size=50, epochs=12, verbose=0)
    mean = np.broadcast_to(train.mean(axis=0) / 255, test.shape)
    left = squared_error(model.reconstruct(test), test).mean() / squared_error(mean, test).mean()
    assert left < 0.6


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


@pytest.mark.parametrize("build", [conv_encoder, conv_decoder])
def test_maps_are_whole(build):
    with pytest.raises(ValueError, match="latent_dim is 40: maps of 4x4 have a multiple of 16"):
        build((8, 8, 1), latent_dim=40, filters=(2,), maps=True)
