"""Convolutional encoder and decoder, and why one of its two ways of upsampling draws no pattern."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import offline_digits
from keras_gen.metrics import squared_error
from keras_gen.networks import conv_decoder, conv_encoder
from keras_gen.networks.blocks import UPSAMPLING, conv, doubled
from keras_gen.vae import VAE


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


def test_one_output_is_no_list():
    encoder = conv_encoder((4, 4, 1), 2, output_activation="sigmoid")
    codes = encoder(tf.random.normal([9, 4, 4, 1], stddev=9.0))
    assert codes.shape == (9, 2) and 0 <= np.min(codes) and np.max(codes) <= 1


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


@pytest.mark.parametrize("shape", [(30, 32, 3), (28, 27, 1)])
@pytest.mark.parametrize("build", [conv_encoder, conv_decoder])
def test_refuses_sides(build, shape):
    sentence = rf"2 convolutions .* {shape[0]}x{shape[1]} pixels: .* multiples of 4; change"
    with pytest.raises(ValueError, match=sentence):
        build(shape)
    with pytest.raises(ValueError, match="0 convolutions that halve"):
        build(filters=())


def test_unknown_upsampling_is_refused():
    with pytest.raises(ValueError, match="'bilinear': expected 'transposed', 'smoothed' or 'res"):
        conv_decoder(upsampling="bilinear")


@pytest.mark.parametrize("build", [conv_encoder, conv_decoder])
def test_mixed_precision_gives_float32(build):
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = build((4, 4, 1), latent_dim=3, filters=(2,))
    outputs = tf.nest.flatten(network(tf.zeros([2, *network.input_shape[1:]])))
    assert {output.dtype for output in outputs} == {tf.float32}
    assert any(layer.compute_dtype == "bfloat16" for layer in network.layers[1:])


def constant_map(layer):
    """What a layer that doubles the sides makes of a constant map, away from its borders."""
    inputs = keras.Input((8, 8, 3))
    network = keras.Model(inputs, layer(inputs))
    output = network(tf.ones([1, 8, 8, 3])).numpy()[0]
    assert output.shape[:2] == (16, 16)
    return output[4:-4, 4:-4], network.get_weights()[0]


class TestCheckerboards:
    """Odena et al. (2016): taps overlap unevenly where the stride does not divide the kernel."""

    def test_transposed_convolutions_of_three_taps_draw_them(self):
        found, kernel = constant_map(lambda x: doubled(x, 2, "transposed"))
        np.testing.assert_allclose(found[2:], found[:-2], atol=1e-6)
        np.testing.assert_allclose(found[:, 2:], found[:, :-2], atol=1e-6)
        # 1, 2, 2 and 4 taps reach the four kinds of pixels.
        taps = kernel.sum(axis=-1)
        sums = sorted(
            [taps[np.ix_(rows, columns)].sum(axis=(0, 1)) for rows in STEPS for columns in STEPS],
            key=lambda value: value[0],
        )
        block = sorted(found[:2, :2].reshape(4, 2), key=lambda value: value[0])
        np.testing.assert_allclose(block, sums, atol=1e-5)
        assert found.std(axis=(0, 1)).min() > 1e-2

    def test_of_four_equal_taps_do_not(self):
        def four(x):
            options = dict(strides=2, padding="same", initializer="ones")
            return conv(2, 4, layer=keras.layers.Conv2DTranspose, **options)(x)

        np.testing.assert_allclose(constant_map(four)[0], 4 * 3, rtol=1e-6)

    def test_of_three_equal_taps_do(self):
        def three(x):
            return doubled(x, 2, "transposed", initializer="ones")

        found = constant_map(three)[0][:2, :2, 0]
        assert sorted(found.ravel().tolist()) == [1 * 3, 2 * 3, 2 * 3, 4 * 3]

    @pytest.mark.parametrize("upsampling", ["resize", "smoothed"])
    def test_other_ways_draw_none(self, upsampling):
        found, _ = constant_map(lambda x: doubled(x, 2, upsampling))
        assert found.std() > 0  # between the channels
        np.testing.assert_allclose(found, np.broadcast_to(found[:1, :1], found.shape), atol=1e-6)

    def test_resizing_draws_none_at_the_borders_either(self):
        inputs = keras.Input((8, 8, 3))
        found = keras.Model(inputs, doubled(inputs, 2, "resize"))(tf.ones([1, 8, 8, 3])).numpy()
        np.testing.assert_allclose(found, np.broadcast_to(found[:, :1, :1], found.shape), atol=1e-6)


# The taps of a kernel of three that reach pixels of one kind, of stride 2: the outer two, or the
# middle one.
STEPS = ([0, 2], [1])


def test_serve_autoencoders_and_variational_ones():
    images = np.random.default_rng(0).integers(0, 256, [3, 8, 8, 3], "uint8")
    networks = dict(image_shape=(8, 8, 3), latent_dim=4, filters=(2, 3))
    plain = Autoencoder(conv_encoder(**networks), conv_decoder(**networks))
    variational = VAE(
        conv_encoder(heads=("mean", "log_variance"), **networks), conv_decoder(**networks)
    )
    for model in (plain, variational):
        assert model.reconstruct(images).shape == images.shape
    assert plain.encode(images).shape == variational.encode(images)[0].shape == (3, 4)


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
