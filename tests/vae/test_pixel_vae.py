"""PixelVAE on all sixteen black and white images of 2x2 pixels."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from causality import dependence
from keras_gen.autoregressive import sample_causal
from keras_gen.metrics import importance_weighted_nll
from keras_gen.networks import mlp_decoder, mlp_encoder, pixel_vae_decoder
from keras_gen.vae import PixelVAE
from keras_gen.vae.pixel_vae import values_first
from shared import losses_of

SHAPE = (2, 2, 1)
IMAGES = np.array(list(itertools.product([0, 1], repeat=4)), "float32").reshape(16, *SHAPE)
LATENTS = 2
FREE, BETA = 0.15, 0.5


def encoder(image_shape=SHAPE):
    return mlp_encoder(image_shape, LATENTS, (4,), heads=("mean", "log_variance"))


def decoder(image_shape=SHAPE, **options):
    sizes = dict(filters=4, decoder_filters=(6,), first_kernel=3) | options
    return pixel_vae_decoder(image_shape, LATENTS, **sizes)


@pytest.fixture(scope="module")
def model():
    """Random weights: each part of the model says something."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    made = PixelVAE(encoder(), decoder(), free_bits=FREE, beta=BETA, seed=3)
    made.compile(keras.optimizers.SGD(0.0))
    for weight in made.decoder.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.5, weight.shape))
    # Posteriors wider than the prior, by which importance weights are bounded.
    head = made.encoder.get_layer("log_variance")
    head.set_weights([0.1 * head.kernel.numpy(), np.float32([0.3, 0.3])])
    made.encoder.get_layer("mean").bias.assign([0.6, 0.0])
    return made


def log_p_given(model, latents) -> np.ndarray:
    """log p(x|z) of all images, `[images, latents]`, for latents `[n, 2]`."""
    latents = np.asarray(latents, "float32")
    each = np.broadcast_to(latents[:, None], (len(latents), 16, LATENTS))
    return -model.reconstruction(each, tf.constant(IMAGES)).numpy().T


@pytest.fixture(scope="module")
def log_p(model):
    """log p(x) of all images, by a sum over a grid of the latents."""
    points = np.linspace(-5, 5, 61)
    latents = np.stack(np.meshgrid(points, points), axis=-1).reshape(-1, 2)
    weights = np.exp(-0.5 * np.square(latents).sum(axis=1))
    # Not the rule of Gauss and Hermite, because ReLUs have corners.
    return np.log(np.exp(log_p_given(model, latents).astype("float64")) @ (weights / weights.sum()))


def test_probabilities_given_latents_sum_to_1(model):
    p = np.exp(log_p_given(model, [[0.0, 0.0], [2.0, -1.0], [-1.0, 1.5]]))
    np.testing.assert_allclose(p.sum(axis=0), 1, atol=1e-5)
    assert np.abs(p[:, 0] - p[:, 1]).max() > 0.02


@pytest.mark.thorough
def test_importance_samples_estimate_the_probabilities(model, log_p):
    assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-4)
    nats = importance_weighted_nll(model, IMAGES, samples=12000, chunk=3000, batch_size=16)
    np.testing.assert_allclose(-nats["nll"], log_p, atol=0.05)
    assert np.exp(-nats["nll"]).sum() == pytest.approx(1, abs=0.02)
    assert (nats["elbo"] < log_p).all()  # a bound


def test_terms_of_the_loss(model):
    mean, log_variance = model.encode(IMAGES)
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1)
    epsilon = model.normal("latents", [16, LATENTS]).numpy()
    latents = mean + np.exp(log_variance / 2) * epsilon
    reconstruction = -log_p_given(model, latents)[range(16), range(16)].mean()
    free_kl = np.maximum(kl.mean(axis=0), FREE).sum()
    assert kl.mean(axis=0).min() < FREE < kl.mean(axis=0).max()
    expected = {
        "loss": reconstruction + BETA * free_kl,
        "reconstruction_loss": reconstruction,
        "free_kl_loss": free_kl,
        "kl": kl.sum(axis=1).mean(),
        "elbo": -reconstruction - kl.sum(axis=1).mean(),
    }
    assert losses_of(model, IMAGES) == pytest.approx(expected, rel=1e-4)


@pytest.mark.thorough
def test_sees_near_pixels_before_a_value_and_all_latents(rng):
    height, width = 5, 7
    network = decoder((height, width, 1), filters=8, blocks=1)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    images = rng.integers(0, 2, (8, height, width, 1)).astype("float32")
    latents = tf.constant(rng.normal(size=(8, LATENTS)), tf.float32)
    seen = dependence(lambda x: network([latents, x]), images)[:, :, 0, ..., 0]
    places = np.array(list(np.ndindex(height, width)))
    seen = seen.reshape(len(places), len(places))
    assert not np.triu(seen).any()
    # A first kernel of 3 and a block of 3 reach 2 rows up, and 2 columns to each side.
    distance = np.abs(places[:, None] - places[None]).max(axis=-1)
    np.testing.assert_array_equal(seen, np.tril(distance <= 2, -1))
    images = tf.constant(images)
    by_latents = dependence(lambda z: network([z, images]), latents)
    assert by_latents.all()


@pytest.mark.thorough
def test_pixels_are_as_frequent_as_they_are_probable(model):
    n = 2000
    latents = np.tile(np.float32([[1.0, -0.5]]), (n, 1))
    drawn = model.render(latents, np.arange(n), batch_size=n) // 255
    found = np.bincount(drawn.reshape(n, 4) @ [8, 4, 2, 1], minlength=16) / n
    expected = np.exp(log_p_given(model, latents[:1]))[:, 0]
    assert (np.abs(found - expected) < 4.5 * np.sqrt(expected / n)).all()
    np.testing.assert_array_equal(model.render(latents[:3], np.full(3, 7)), drawn[[7] * 3] * 255)


@pytest.mark.thorough
def test_samples_are_drawn_with_a_cache_as_without(model):
    noise = model.noise(64, tf.constant([1, 2], tf.int64))

    def draw(logits, uniform):
        return tf.cast(uniform[:, 0] < tf.sigmoid(logits[:, 0]), tf.float32)

    network = values_first(model.decoder)
    whole = sample_causal(network, draw, noise["values"], [noise["latents"]], cached=False)
    np.testing.assert_array_equal(model.from_noise(noise), whole)
    assert 0.1 < np.mean(whole) < 0.9


@pytest.mark.thorough
def test_reconstructions_are_drawn_given_the_mean(model):
    mean, _ = model.encode(IMAGES)
    found = model.reconstruct(IMAGES)
    np.testing.assert_array_equal(np.unique(found), [0, 1])
    np.testing.assert_array_equal(found * 255, model.decode(mean))
    np.testing.assert_array_equal(found[3:5], model.reconstruct(IMAGES[3:5]))


def test_what_cannot_be_is_refused():
    latents, images = keras.Input((LATENTS,)), keras.Input(SHAPE)
    seen = keras.layers.Add()([mlp_decoder(SHAPE, LATENTS)(latents), images])
    with pytest.raises(ValueError, match="is not causal"):
        PixelVAE(encoder(), keras.Model([latents, images], seen))
