"""Likelihoods of models whose likelihood is known."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.core import stateless_seed
from keras_gen.losses import Normal
from keras_gen.metrics import (
    active_units,
    bits_per_dimension,
    bits_per_live_value,
    importance_weighted_nll,
    latent_grid,
    nll_summary,
)
from keras_gen.networks import mlp_decoder
from keras_gen.vae import VAE, PriorSampledModel
from keras_gen.workshop.baselines import BernoulliMixture


def test_active_units(rng):
    # Standard deviations just above and below a tenth, and a latent with a large mean.
    means = rng.normal(size=(2000, 3)) * [0.12, 0.08, 0.0] + [0, 0, 5]
    number, variances = active_units(means)
    assert number == 1
    np.testing.assert_allclose(variances, means.var(axis=0, ddof=1))
    assert active_units(means, threshold=0.005)[0] == 2


def test_bits_per_dimension():
    # A uniform distribution over 256 levels has 8 bits, however it is written down.
    d = 12
    assert bits_per_dimension(d * np.log(256), d, "none") == pytest.approx(8)
    assert bits_per_dimension(d * np.log(256), d, "uniform") == pytest.approx(8)
    assert bits_per_dimension(0.0, d, "uniform", levels_per_unit=256) == pytest.approx(8)
    # Data in [-1, 1) have the density 1/2.
    assert bits_per_dimension(d * np.log(2), d, "variational", 128) == pytest.approx(8)
    np.testing.assert_allclose(bits_per_dimension(np.array([0, d * np.log(2)]), d, "none"), [0, 1])


def test_padding_counts_nothing_and_long_sequences_count_more():
    levels = np.array([[[5], [3], [1]], [[0], [-1], [-1]]])
    nats = np.array([3 * np.log(8), np.log(2)])
    assert bits_per_live_value(nats, levels) == pytest.approx((3 * 3 + 1) / 4)
    more = np.pad(levels, ((0, 0), (2, 7), (0, 0)), constant_values=-1)
    assert bits_per_live_value(nats, more) == pytest.approx(2.5)


EVERY = np.array(list(itertools.product((0, 1), repeat=4)), "float32").reshape(-1, 2, 2, 1)


@pytest.fixture
def model(rng):
    """A logistic decoder of two latents and four pixels."""
    decoder = mlp_decoder((2, 2, 1), latent_dim=2, hidden=())
    decoder.set_weights([rng.normal(0, 1.5, (2, 4)), rng.normal(0, 1, 4)])
    return PriorSampledModel(decoder)


def log_prob(model, **options):
    return BernoulliMixture.of(*latent_grid(model, **options)).log_prob(EVERY)


@pytest.mark.thorough
def test_is_a_density_that_samples_of_the_prior_come_to(model):
    log_probs = log_prob(model, side=60)
    assert np.exp(log_probs).sum() == pytest.approx(1, abs=1e-5)
    nats = importance_weighted_nll(model, EVERY, samples=5000, chunk=1000)
    np.testing.assert_allclose(-log_probs, nats["nll"], atol=0.08)
    levels = (255 * EVERY).astype("uint8")
    of_levels = importance_weighted_nll(model, levels, samples=5000, chunk=1000)
    np.testing.assert_allclose(of_levels["nll"], nats["nll"], rtol=1e-5)
    finer = log_prob(model, side=120, batch_size=77)
    np.testing.assert_allclose(finer, log_probs, atol=1e-4)
    # It is not the likelihood of the means.
    independent = np.exp(log_probs) @ EVERY.reshape(16, 4)
    alone = np.where(EVERY.reshape(16, 4), independent, 1 - independent).prod(axis=1)
    assert np.abs(log_probs - np.log(alone)).max() > 0.1


def test_latents_that_say_nothing_leave_independent_pixels(model):
    bias = model.decoder.get_weights()[1]
    model.decoder.set_weights([np.zeros([2, 4]), bias])
    white = 1 / (1 + np.exp(-bias))
    expected = np.log(np.where(EVERY.reshape(16, 4), white, 1 - white)).sum(axis=1)
    np.testing.assert_allclose(log_prob(model, side=3), expected, rtol=1e-4)


DATA, LATENTS, SCALE = 4, 2, 0.5
W = np.array([[0.5, -0.3, 0.2, 0.4], [0.1, 0.6, -0.5, 0.2]])  # [latents, data]
B = np.array([0.1, -0.1, 0.0, 0.2])
# x = W^T z + b + noise: what p(x) and p(z|x) are.
COVARIANCE = W.T @ W + SCALE**2 * np.eye(DATA)
POSTERIOR = np.linalg.inv(np.eye(LATENTS) + W @ W.T / SCALE**2)
TO_MEAN = W.T @ POSTERIOR / SCALE**2


def gaussian_vae(to_mean, log_variance, beta=1.0):
    """A VAE with a linear decoder, and a linear encoder with these weights."""
    x = keras.Input((DATA,))
    mean, variance = (keras.layers.Dense(LATENTS)(x) for _ in range(2))
    encoder = keras.Model(x, [mean, variance])
    encoder.set_weights([to_mean, -B @ to_mean, np.zeros([DATA, LATENTS]), log_variance])
    z = keras.Input((LATENTS,))
    decoder = keras.Model(z, keras.layers.Dense(DATA)(z))
    decoder.set_weights([W, B])
    return VAE(encoder, decoder, likelihood=Normal(scale=SCALE), beta=beta)


@pytest.fixture
def poor():
    """A posterior that is off in mean and in variance."""
    return gaussian_vae(0.7 * TO_MEAN, np.log([0.5, 0.6]))


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, size=(5, DATA)).astype("float32")


def exact_nll(x):
    return -stats.multivariate_normal(B, COVARIANCE).logpdf(x)


def exact_negative_elbo(x):
    """-log p(x) + KL(q || p(z|x)) of the poor posterior."""
    variance = np.diag([0.5, 0.6])
    precision = np.linalg.inv(POSTERIOR)
    gap = 0.3 * (x - B) @ TO_MEAN
    volumes = np.log(np.linalg.det(POSTERIOR) / np.linalg.det(variance))
    quadratic = np.einsum("ni,ij,nj->n", gap, precision, gap)
    return exact_nll(x) + 0.5 * (np.trace(precision @ variance) + quadratic - LATENTS + volumes)


def test_many_samples_reach_the_true_likelihood(poor, x):
    result = importance_weighted_nll(poor, x, samples=20_000, chunk=2000)
    np.testing.assert_allclose(result["nll"], exact_nll(x), atol=0.02)
    np.testing.assert_allclose(-result["elbo"], exact_negative_elbo(x), atol=0.05)
    assert (exact_negative_elbo(x) - exact_nll(x) > 0.1).all()  # or the two could be mistaken
    assert (result["effective_sample_size"] > 1000).all()
    assert (result["effective_sample_size"] < 18_000).all()
    assert result["nll"].dtype == np.float64 and result["nll"].shape == (5,)


@pytest.mark.thorough
def test_one_sample_is_the_elbo_in_expectation_and_the_bound_tightens(poor, x):
    # Many copies of each example are as many draws.
    draws = 2000
    copies = np.repeat(x, draws, axis=0)
    means, errors = [], []
    for samples in (1, 3, 20):
        nll = importance_weighted_nll(poor, copies, samples, batch_size=10_000)["nll"]
        nll = nll.reshape(5, draws)
        means.append(nll.mean(axis=1))
        errors.append(nll.std(axis=1) / np.sqrt(draws))
    assert (np.abs(means[0] - exact_negative_elbo(x)) < 4 * errors[0]).all()
    assert (means[0] > means[1] + 2 * errors[1]).all() and (means[1] > means[2]).all()
    assert (means[2] > exact_nll(x) - 4 * errors[2]).all()


@pytest.mark.thorough
def test_the_true_posterior_needs_one_sample(x):
    # Diagonal only if the columns of W are orthogonal: rotate the latents to make them so.
    values, vectors = np.linalg.eigh(W @ W.T)
    turned = gaussian_vae(TO_MEAN @ vectors, -np.log1p(values / SCALE**2))
    turned.decoder.set_weights([vectors.T @ W, B])
    for samples in (1, 7):
        result = importance_weighted_nll(turned, x, samples, chunk=3)
        np.testing.assert_allclose(result["nll"], exact_nll(x), atol=1e-5)
        np.testing.assert_allclose(-result["elbo"], exact_nll(x), atol=1e-5)
        np.testing.assert_allclose(result["effective_sample_size"], samples, rtol=1e-5)


@pytest.mark.thorough
def test_streamed_equals_direct(poor, x):
    samples, chunk = 11, 4
    keys = [stateless_seed(5, number, "importance_weights") for number in range(3)]
    log_w = np.concatenate([poor.log_weights(x, chunk, key) for key in keys])[:samples]
    log_w = log_w.astype("float64")
    result = importance_weighted_nll(poor, x, samples, chunk, seed=5)
    np.testing.assert_allclose(
        result["nll"], np.log(samples) - special.logsumexp(log_w, axis=0), rtol=1e-6
    )
    w = np.exp(log_w)
    sizes = w.sum(axis=0) ** 2 / (w**2).sum(axis=0)
    np.testing.assert_allclose(result["effective_sample_size"], sizes, rtol=1e-5)
    np.testing.assert_allclose(result["elbo"], log_w.mean(axis=0), rtol=1e-6)
    # Another batch draws other latents: equal images in two batches are two estimates.
    twice = importance_weighted_nll(poor, x[[0, 0]], samples, chunk, batch_size=1, seed=5)["nll"]
    assert twice[0] != twice[1] and twice[0] == pytest.approx(result["nll"][0], abs=1)
    again = importance_weighted_nll(poor, x, samples, chunk, seed=5)
    np.testing.assert_array_equal(result["nll"], again["nll"])
    assert (result["nll"] != importance_weighted_nll(poor, x, samples, chunk, seed=6)["nll"]).all()


def test_the_summary_is_of_the_examples():
    nats = {"nll": [1.0, 2.0, 6.0], "elbo": [-2.0, -3.0, -7.0]}
    nats = {name: np.array(each) for name, each in nats.items()}
    found = nll_summary(nats | {"effective_sample_size": np.array([1.0, 2.0, 90.0])}, "vae_")
    assert found == pytest.approx(
        {
            "vae_nll": 3.0,
            "vae_nll_standard_error": (14 / 9) ** 0.5,
            "vae_negative_elbo": 4.0,
            "vae_effective_sample_size": 2.0,
        }
    )
    assert {type(value) for value in found.values()} == {float}
    assert nll_summary({"nll": nats["nll"]}).keys() == {"nll", "nll_standard_error"}
    infinite = nll_summary({"nll": np.array([np.inf, 1.0])})
    assert infinite == {"nll": np.inf, "nll_standard_error": np.inf}


class Fixed:
    """A model with given log weights, one for each sample, which counts its traces."""

    def __init__(self, values):
        self.values, self.traces = tf.constant(values, tf.float32), []

    def prepare(self, images):
        return tf.cast(images, tf.float32)

    def log_weights(self, x, samples, seed):
        self.traces.append(samples)
        number = tf.cast(seed[1], tf.int32) % (len(self.values) // samples)
        part = self.values[number * samples : (number + 1) * samples]
        return tf.tile(part[:, None], [1, tf.shape(x)[0]])


def test_one_loop_is_compiled_for_any_number_of_samples_and_examples():
    model = Fixed(np.zeros(10))
    result = importance_weighted_nll(model, np.zeros([7, 2]), samples=5000, chunk=10, batch_size=3)
    assert model.traces == [10]  # and so no more than 10 samples are held at once
    np.testing.assert_allclose(result["nll"], np.zeros(7), atol=1e-9)
    np.testing.assert_allclose(result["effective_sample_size"], 5000)


@pytest.mark.thorough
@pytest.mark.parametrize("order", [1, -1])
def test_weights_of_any_size(order):
    # They overflow or vanish as float32, the largest come last or first, and some are exactly 0.
    values = np.array([-np.inf, -np.inf, -4000.0, -3990.0, -900.0, -901.0])[::order]
    result = importance_weighted_nll(Fixed(values), np.zeros([2, 1]), samples=6, chunk=2)
    np.testing.assert_allclose(result["nll"], np.log(6) - special.logsumexp(values))
    w = np.exp([0.0, -1.0])
    np.testing.assert_allclose(result["effective_sample_size"], w.sum() ** 2 / (w**2).sum())
    none = importance_weighted_nll(Fixed([-np.inf] * 4), np.zeros([2, 1]), samples=4, chunk=2)
    assert none["nll"].tolist() == [np.inf, np.inf]
    assert none["effective_sample_size"].tolist() == [0, 0]
    with pytest.raises(FloatingPointError, match="2 of 2 images are NaN"):
        importance_weighted_nll(Fixed([0.0, np.nan]), np.zeros([2, 1]), samples=2)


def test_models_whose_answers_cannot_be_used_are_refused(poor, x):
    with pytest.raises(ValueError, match="expected numbers of at least 1"):
        importance_weighted_nll(poor, x, samples=0)
    with pytest.raises(ValueError, match="for 0 images"):
        importance_weighted_nll(poor, x[:0])
    with pytest.raises(ValueError, match=r"expected floats in \[-1, 1\]"):
        importance_weighted_nll(poor, x + 5, samples=1)
