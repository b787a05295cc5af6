"""The likelihood by a grid of latents: a density, and what many samples come to."""

import itertools

import keras
import numpy as np
import pytest

from keras_gen.metrics import importance_weighted_nll, latent_grid
from keras_gen.networks import mlp_decoder
from keras_gen.vae import PriorSampledModel
from keras_gen.workshop.baselines import BernoulliMixture

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


def test_errors(model):
    with pytest.raises(ValueError, match="side is 1: at least 2 points"):
        latent_grid(model, side=1)
    z = keras.Input((3,))
    other = PriorSampledModel(keras.Model(z, keras.layers.Dense(4)(z)))
    with pytest.raises(ValueError, match=r"latents of shape \(3,\): a grid needs 2"):
        latent_grid(other)
