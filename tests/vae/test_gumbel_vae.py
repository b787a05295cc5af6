"""Categorical latents against numpy and the enumeration of all codes, for linear networks."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from keras_gen.core import SCORE_SAMPLES, training_step
from keras_gen.core.schedules import Linear
from keras_gen.losses import Normal
from keras_gen.metrics import importance_weighted_nll
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.vae import GumbelVAE
from shared import independent_seeds, losses_of, step_noise

DATA, SHAPE, SCALE = 4, (2, 3), 0.5
SIZE = SHAPE[0] * SHAPE[1]


@pytest.fixture
def weights(rng):
    """A, a of the logits; W, b of the decoder."""
    shapes = [(DATA, SIZE), (SIZE,), (SIZE, DATA), (DATA,)]
    return [rng.normal(0, 0.7, shape) for shape in shapes]


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


def gumbel_vae(weights, rate=0.0, **options):
    options = dict(temperature=0.8) | options
    encoder = mlp_encoder((DATA,), SHAPE, hidden=())
    decoder = mlp_decoder((DATA,), SHAPE, hidden=())
    encoder.set_weights(weights[:2])
    decoder.set_weights(weights[2:])
    model = GumbelVAE(encoder, decoder, likelihood=Normal(scale=SCALE), **options)
    model.compile(keras.optimizers.SGD(rate))
    return model


def logits_of(weights, x):
    return (x @ weights[0] + weights[1]).reshape(-1, *SHAPE)


def log_density(weights, x, codes):
    """log p(x|z) of codes [..., variables, classes]."""
    mean = codes.reshape(*codes.shape[:-2], SIZE) @ weights[2] + weights[3]
    return (-0.5 * ((x - mean) / SCALE) ** 2 - np.log(SCALE * np.sqrt(2 * np.pi))).sum(axis=-1)


def one_hot(indices):
    return np.eye(SHAPE[1])[indices]


ALL = np.array(list(itertools.product(range(SHAPE[1]), repeat=SHAPE[0])))  # codes


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("straight_through", [False, True])
def test_terms_of_the_loss(training, straight_through, weights, x):
    temperature = Linear(0.8, 0.2, steps=10)
    model = gumbel_vae(
        weights, beta=1.5, temperature=temperature, straight_through=straight_through
    )
    t = 0.8 if training else 0.2
    noise = step_noise(model, "latents", [5, *SHAPE], training, draw="gumbel")
    noisy = logits_of(weights, x) + noise
    hard, soft = one_hot(noisy.argmax(axis=-1)), special.softmax(noisy / t, axis=-1)
    log_q = special.log_softmax(logits_of(weights, x), axis=-1)
    kl = (np.exp(log_q) * (log_q + np.log(SHAPE[1]))).sum(axis=(1, 2)).mean()
    bound = log_density(weights, x, hard).mean() - kl
    reconstruction = -log_density(weights, x, hard if straight_through else soft).mean()
    assert losses_of(model, x, training=training) == pytest.approx(
        {
            "loss": reconstruction + 1.5 * kl,
            "reconstruction_loss": reconstruction,
            "kl_loss": kl,
            "elbo": bound,
        },
        rel=1e-4,
    )


def test_log_prob_bounds_the_enumerated_likelihood(weights, x):
    model = gumbel_vae(weights)
    joint = np.stack([log_density(weights, x, one_hot(code)) for code in ALL]) - np.log(len(ALL))
    truth = special.logsumexp(joint, axis=0)
    independent_seeds(model)
    elbo = model.log_prob(np.repeat(x, 300, axis=0), batch_size=1500).reshape(5, 300)
    assert SCORE_SAMPLES == 16 and (elbo.mean(axis=1) < truth).all()
    log_q = special.log_softmax(logits_of(weights, x), axis=-1)
    log_q = np.stack([log_q[:, 0, code[0]] + log_q[:, 1, code[1]] for code in ALL])
    expected = (np.exp(log_q) * (joint - log_q)).sum(axis=0)
    error = elbo.std(axis=1) / 300**0.5
    assert (np.abs(elbo.mean(axis=1) - expected) < 4 * error).all()
    nats = importance_weighted_nll(model, x, samples=10_000, chunk=500)
    np.testing.assert_allclose(nats["nll"], -truth, atol=0.1)


def relaxed(model, x):
    """The codes that the decoder takes in the next step of training."""
    with training_step(model):
        return model.relaxed(tf.constant(x))[0]


def test_straight_through_has_hard_values_and_soft_slopes(weights, x):
    soft, hard = (gumbel_vae(weights, straight_through=s) for s in (False, True))
    slopes, direction = [], tf.random.stateless_normal([5, *SHAPE], [1, 2])
    for model in (soft, hard):
        kernel = model.encoder.trainable_variables[0].value
        with tf.GradientTape() as tape:
            codes = relaxed(model, x)
            total = tf.reduce_sum(codes * direction)
        slopes.append(tape.gradient(total, kernel).numpy())
    np.testing.assert_array_equal(np.sort(codes.numpy(), axis=-1), np.tile([0, 0, 1], (5, 2, 1)))
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-4)
    assert np.abs(slopes[0]).max() > 0.01


def test_a_relaxed_prior_is_estimated_by_the_codes_drawn(weights, x):
    """Definition 1 for the codes themselves, whose Jacobian cancels."""
    model = gumbel_vae(weights, temperature=0.8, prior_temperature=Linear(1.0, 0.5, steps=2))
    codes, logits = model.relaxed(tf.constant(x))[0], logits_of(weights, x)
    codes = codes.numpy().astype("float64")

    def log_density(logits, t):
        terms = logits - (t + 1) * np.log(codes)
        total = special.logsumexp(logits - t * np.log(codes), axis=-1, keepdims=True)
        constant = special.gammaln(SHAPE[1]) + (SHAPE[1] - 1) * np.log(t)
        return ((terms - total).sum(axis=-1) + constant).sum(axis=-1)

    expected = log_density(logits, 0.8) - log_density(np.zeros_like(logits), 0.5)
    terms = model.terms({"x": tf.constant(x)})
    np.testing.assert_allclose(terms["kl"], expected, rtol=1e-3)
    kl = gumbel_vae(weights).terms({"x": tf.constant(x)})["kl"]
    bound = -terms["reconstruction"] - terms["elbo"]
    assert np.abs(expected - kl).max() > 0.05 and np.isfinite(bound).all()


def test_codes_are_int32_there_and_back(weights, x):
    model = gumbel_vae(weights)
    indices = logits_of(weights, x).argmax(axis=-1)
    codes = model.encode(x)
    assert codes.dtype == np.int32
    np.testing.assert_array_equal(codes, indices)
    mean = one_hot(indices).reshape(5, SIZE) @ weights[2] + weights[3]
    np.testing.assert_allclose(model.reconstruct(x), mean, rtol=1e-4, atol=1e-5)
    levels = np.clip(np.round((mean + 1) * 127.5), 0, 255)
    np.testing.assert_array_equal(model.decode(codes), levels)
    with pytest.raises(ValueError, match=r"from 0 to 3: expected integers in \[0, 2\]"):
        model.decode(np.array([[0, 3]]))


def test_samples_are_of_the_uniform_prior(weights):
    noise = gumbel_vae(weights).noise(9000, tf.constant([1, 2], tf.int64))
    codes = noise["latents"].numpy()
    np.testing.assert_array_equal(codes.sum(axis=-1), np.ones([9000, 2]))
    np.testing.assert_allclose(codes.mean(axis=0), np.full(SHAPE, 1 / 3), atol=0.02)
    assert abs(np.corrcoef(codes[:, 0, 0], codes[:, 1, 0])[0, 1]) < 0.04


def test_samples_of_rows_are_draws_given_the_codes():
    model = GumbelVAE.for_vectors(3, latent_dim=4, hidden=(4,), standardize=False)
    assert len(np.unique(model.sample(50, seed=0), axis=0)) == 50  # where 4 codes have 4 means
