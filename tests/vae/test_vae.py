"""The ELBO and its gradient against numpy, for a linear encoder and decoder."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import noise
from keras_gen.losses import Multinomial, Normal, UnboundedNormal
from keras_gen.vae import VAE
from linear_vae import DATA, LATENTS, networks, random_weights
from shared import losses_of, step_noise

SCALE, BETA, RATE = 0.5, 1.5, 0.01


@pytest.fixture
def weights(rng):
    return random_weights(rng)


@pytest.fixture
def x(rng):
    return rng.uniform(0, 1, (5, DATA)).astype("float32")


def vae(weights, rate=0.0, likelihood=None, **options):
    model = VAE(*networks(weights), likelihood=likelihood or Normal(scale=SCALE), **options)
    model.compile(keras.optimizers.SGD(rate))
    return model


def encoded(weights, x):
    A, a, C, c, *_ = weights
    return x @ A + a, x @ C + c


# log p(x|z) of the decoder's outputs, up to the sum over values.
LIKELIHOODS = {
    "bernoulli": ("bernoulli", lambda x, out: x * out - np.logaddexp(0, out)),
    "normal": (
        Normal(scale=SCALE),
        lambda x, out: -0.5 * ((x - out) / SCALE) ** 2 - np.log(SCALE * np.sqrt(2 * np.pi)),
    ),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_terms_of_the_elbo(name, training, weights, x):
    likelihood, log_density = LIKELIHOODS[name]
    model = vae(weights, likelihood=likelihood, beta=BETA)
    epsilon = step_noise(model, "latents", [5, LATENTS], training)
    mean, log_variance = encoded(weights, x)
    z = mean + np.exp(log_variance / 2) * epsilon
    reconstruction = -log_density(x, z @ weights[4] + weights[5]).sum(axis=1).mean()
    # Appendix B.
    kl = -0.5 * (1 + log_variance - mean**2 - np.exp(log_variance)).sum(axis=1).mean()
    assert losses_of(model, x, training=training) == pytest.approx(
        {"loss": reconstruction + BETA * kl, "reconstruction_loss": reconstruction, "kl_loss": kl},
        rel=1e-5,
    )


def test_a_step_follows_the_gradient_through_the_latents(weights, x):
    *_, W, b = weights
    model = vae(weights, RATE, beta=BETA)
    epsilon = step_noise(model, "latents", [5, LATENTS])
    mean, log_variance = encoded(weights, x)
    deviation = np.exp(log_variance / 2)
    z = mean + deviation * epsilon
    by_output = (z @ W + b - x) / SCALE**2 / 5
    by_z = by_output @ W.T
    by_mean = by_z + BETA * mean / 5
    by_log_variance = by_z * epsilon * deviation / 2 + BETA * (np.exp(log_variance) - 1) / 2 / 5
    slopes = []
    for inputs, slope in ((x, by_mean), (x, by_log_variance), (z, by_output)):
        slopes += [inputs.T @ slope, slope.sum(axis=0)]
    model.train_step(tf.constant(x))
    after = [*model.encoder.get_weights(), *model.decoder.get_weights()]
    for old, slope, new in zip(weights, slopes, after, strict=True):
        np.testing.assert_allclose(new, old - RATE * slope, atol=1e-6)
        assert np.abs(slope).max() > 0.05


def test_log_prob_is_the_elbo_of_16_latents(weights, x):
    model = vae(weights, beta=BETA)  # beta weights the loss, and is no part of the bound
    mean, log_variance = encoded(weights, x)
    seeds = model.score_seeds(tf.constant(x))
    epsilon = np.moveaxis(noise.normal([5, 16, LATENTS], seeds).numpy(), 1, 0)
    z = mean + np.exp(log_variance / 2) * epsilon
    _, log_density = LIKELIHOODS["normal"]
    joint = log_density(x, z @ weights[4] + weights[5]).sum(-1) - 0.5 * (z**2).sum(-1)
    entropy = 0.5 * (epsilon**2 + log_variance).sum(-1)
    elbo = (joint + entropy).mean(axis=0)
    np.testing.assert_allclose(model.log_prob(x), elbo, rtol=1e-4)
    np.testing.assert_allclose(model.score(x), -elbo, rtol=1e-4)
    # Whatever was trained or evaluated meanwhile, scores are the same.
    losses_of(model, x, training=True), losses_of(model, x)
    np.testing.assert_allclose(model.log_prob(x), elbo, rtol=1e-4)


def test_codes_reconstructions_and_samples_are_means(weights, x):
    model = vae(weights)
    W, b = weights[4:]
    mean, log_variance = encoded(weights, x)
    np.testing.assert_allclose(model.encode(x), [mean, log_variance], rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), mean @ W + b, rtol=1e-4, atol=1e-6)
    levels = np.clip(np.round((mean @ W + b + 1) * 127.5), 0, 255)
    np.testing.assert_array_equal(model.decode(mean.astype("float32")), levels)
    constant = [*weights[:4], np.zeros_like(W), b]
    levels = np.clip(np.round((b + 1) * 127.5), 0, 255)
    np.testing.assert_array_equal(vae(constant).sample(3, seed=0), np.tile(levels, (3, 1)))
    # Latents of unit variance: the first two values of the decoder are they.
    identity = [*weights[:4], np.eye(LATENTS, DATA) / 8, np.zeros(DATA)]
    latents = (vae(identity).sample(2000, seed=0)[:, :2] / 127.5 - 1) * 8
    np.testing.assert_allclose(latents.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(latents.T), np.eye(2), atol=0.12)


def test_samples_of_rows_are_draws_also_if_nothing_standardizes_them(weights):
    rows = vae(weights, likelihood=UnboundedNormal(scale=SCALE)).sample(3000, seed=0)
    W, b = weights[4:]
    np.testing.assert_allclose(rows.mean(axis=0), b, atol=0.15)
    expected = W.T @ W + SCALE**2 * np.eye(DATA)
    np.testing.assert_allclose(np.cov(rows.T), expected, atol=0.1 * np.diag(expected).max())


@pytest.mark.parametrize("likelihood", ["poisson", Multinomial(draws=20)])
def test_counts_come_back_as_counts(likelihood, rng):
    weights = random_weights(rng)
    model = vae(weights, likelihood=likelihood)
    counts = rng.poisson(3, (5, DATA))
    for dtype in ("uint8", "int64", "float32"):
        found = model.score(counts.astype(dtype))
        np.testing.assert_allclose(found, model.score(counts), rtol=1e-6)
    assert np.isfinite(found).all()
    W, b = weights[4:]
    out = model.encode(counts)[0] @ W + b
    rates = np.exp(out)
    if likelihood != "poisson":
        rates *= 20 / rates.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.reconstruct(counts), rates, rtol=1e-4)
    drawn = model.sample(4, seed=0)
    assert drawn.dtype == np.float32 and (drawn > 0).all()
    with pytest.raises(ValueError, match=r"Counts range from -1.* expected finite numbers"):
        model.score(-np.ones((2, DATA)))
    with pytest.raises(ValueError, match="counts, which have a fixed unit: pass standardize=False"):
        VAE.for_vectors(DATA, likelihood=likelihood)


def test_an_encoder_may_end_in_half_precision(weights, x):
    model = VAE(*networks(weights, "bfloat16"), likelihood=Normal(scale=SCALE))
    model.compile(keras.optimizers.SGD(0.0))
    expected = losses_of(vae(weights), x, training=True)
    assert losses_of(model, x, training=True) == pytest.approx(expected, rel=0.05)
    assert all(term.dtype == tf.float32 for term in model.terms({"x": x}).values())
