"""VAE networks: what each input reaches, and first values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import (
    biva_networks,
    conditional_vae_networks,
    ladder_networks,
    m2_networks,
    residual_decoder,
    residual_encoder,
    start_at_mean,
    wave_decoder,
    wave_encoder,
)
from keras_gen.networks.vae.hierarchy_networks import MINIMUM_VARIANCE


def test_each_network_sees_what_the_paper_says():
    sizes = dict(latent_dim=2, hidden=(4,), params_per_value=2)
    networks = conditional_vae_networks((2, 2, 3), (2, 2, 1), **sizes)
    shapes = {
        name: ([t.shape[1:] for t in one.inputs], [t.shape[1:] for t in one.outputs])
        for name, one in networks.items()
    }
    assert shapes == {
        "encoder": ([(2, 2, 3), (2, 2, 1)], [(2,), (2,)]),
        "decoder": ([(2,), (2, 2, 1)], [(2, 2, 6)]),
        "prior": ([(2, 2, 1)], [(2,), (2,)]),
    }
    x, latents = tf.random.normal([5, 2, 2, 3]), tf.random.normal([5, 2])
    ones, zeros = tf.ones([5, 2, 2, 1]), tf.zeros([5, 2, 2, 1])
    for name, first in {"encoder": [x], "decoder": [latents], "prior": []}.items():
        found = [networks[name]([*first, c] if first else c) for c in (ones, zeros)]
        assert np.abs(found[0][0] - found[1][0]).max() > 1e-3, name


def test_it_can_start_at_the_mean(rng):
    networks = conditional_vae_networks((2, 2, 3), (2, 2, 1), latent_dim=2, hidden=(4,))
    images = rng.binomial(1, 0.3, (50, 2, 2, 3))
    start_at_mean(networks["decoder"], images)
    logits = networks["decoder"]([tf.zeros([1, 2]), tf.zeros([1, 2, 2, 1])])
    np.testing.assert_allclose(tf.sigmoid(logits)[0], images.mean(axis=0), rtol=1e-3)


@pytest.mark.thorough
def test_features_skip_a_network():
    """With all weights 0 the features that enter leave, through the ELU alone."""
    network = biva_networks((8, 8, 1), (3, 2, 2), 6)["top_down"][0]
    network.set_weights([0 * w for w in network.get_weights()])
    inputs = [tf.random.uniform([2, *t.shape[1:]]) for t in network.inputs]
    np.testing.assert_allclose(network(inputs)[0], inputs[0], rtol=1e-6)


@pytest.mark.thorough
@pytest.mark.parametrize("build", [biva_networks, ladder_networks])
def test_variances_are_about_1_at_the_start_and_never_0(build):
    sizes = dict(units=8) if build is biva_networks else dict(hidden=(8, 8))
    network = build((4, 4, 1), (3, 2), **sizes)["bottom_up"][-1]
    inputs = [tf.zeros([1, *t.shape[1:]]) for t in network.inputs]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    np.testing.assert_allclose(network(inputs)[-1], 0, atol=1e-3)
    # The bias at which softplus is 1.
    for weight in network.weights:
        if np.allclose(weight, np.log(np.e - 1)):
            weight.assign(np.full(weight.shape, -1e3))
    np.testing.assert_allclose(network(inputs)[-1], np.log(MINIMUM_VARIANCE), rtol=1e-4)


@pytest.mark.thorough
def test_weights_of_m2_start_near_zero_if_asked():
    near, usual = (
        np.concatenate([w.ravel() for n in networks for w in n.get_weights() if w.ndim == 2])
        for networks in (m2_networks((300,), 3), m2_networks((300,), 3, deviation=None))
    )
    assert np.std(near) == pytest.approx(0.001, rel=0.02) and abs(near.mean()) < 1e-5
    assert np.std(usual) > 0.03
    biases = [w for n in m2_networks((9,), 3) for w in n.get_weights() if w.ndim == 1]
    assert biases and not any(b.any() for b in biases)


SMALL = dict(latent_dim=5, filters=6, residual_filters=4, blocks=2)


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


SIX = dict(filters=(2,) * 6)


@pytest.mark.thorough
def test_a_latent_sees_190_samples(rng):
    """1 + 3 (1 + 2 + 4 + 8 + 16 + 32); by instance normalization it sees all of them."""
    x = tf.constant(rng.uniform(size=(1, 640, 1)), tf.float32)
    for normalization, seen in ((None, 190), ("instance", 640)):
        encoder = wave_encoder(640, latent_dim=1, **SIX, normalization=normalization)
        encoder.set_weights([np.abs(w) for w in encoder.get_weights()])  # so that no ReLU is 0
        with tf.GradientTape() as tape:
            tape.watch(x)
            latent = encoder(x)[0, 5, 0]
        (places,) = np.nonzero(tape.gradient(latent, x)[0, :, 0])
        assert len(places) == seen == np.ptp(places) + 1
        assert places[0] <= 320 and places[-1] >= 383


def test_instance_normalization_takes_out_the_scale(rng):
    encoder = wave_encoder(640, latent_dim=2, filters=(4, 4), normalization="instance")
    x = rng.normal(size=(1, 640, 1))
    np.testing.assert_allclose(encoder(100 * x), encoder(1000 * x), rtol=1e-3, atol=1e-4)
    plain = wave_encoder(640, latent_dim=2, filters=(4, 4))
    assert np.abs(plain(100 * x) - plain(1000 * x)).max() > 1


def test_the_decoder_depends_on_the_class(rng):
    decoder = wave_decoder(64, latent_dim=2, classes=3, filters=(4, 4))
    latents = np.repeat(rng.normal(size=(1, 16, 2)), 4, axis=0).astype("float32")
    sounds = decoder([latents, np.array([0, 1, 0, 2])]).numpy()
    np.testing.assert_array_equal(sounds[0], sounds[2])
    for other in (1, 3):
        assert np.abs(sounds[0] - sounds[other]).max() > 1e-4
    assert np.abs(sounds).max() <= 1
