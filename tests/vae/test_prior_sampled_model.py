"""The naive estimate against numpy and against log p(x), for a linear Gaussian decoder."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import Normal
from keras_gen.metrics import importance_weighted_nll
from keras_gen.vae import PriorSampledModel
from shared import step_noise

DATA, LATENTS, SCALE, RATE = 3, 2, 0.5, 0.01


@pytest.fixture
def weights(rng):
    """W, b of the decoder."""
    return [rng.normal(0, 0.5, (LATENTS, DATA)), rng.normal(0, 0.3, DATA)]


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


def naive(weights, rate=0.0, likelihood=None, **options):
    z = keras.Input((LATENTS,))
    decoder = keras.Model(z, keras.layers.Dense(DATA)(z))
    decoder.set_weights(weights)
    model = PriorSampledModel(decoder, likelihood=likelihood or Normal(scale=SCALE), **options)
    model.compile(keras.optimizers.SGD(rate))
    return model


def latents(model, n, training):
    """Those of the next step, [k, batch, latents]."""
    noise = step_noise(model, "latents", [n, model.samples, LATENTS], training)
    return np.moveaxis(noise, 1, 0).astype("float64")


def log_likelihoods(weights, x, z):
    """log p(x|z), [k, batch]."""
    W, b = weights
    squares = ((x - z @ W - b) / SCALE) ** 2 + np.log(2 * np.pi * SCALE**2)
    return -0.5 * squares.sum(axis=-1)


def exact(weights, x):
    """log p(x) of N(b, W'W + scale^2)."""
    W, b = weights
    covariance = W.T @ W + SCALE**2 * np.eye(DATA)
    distance = np.einsum("ni,ij,nj->n", x - b, np.linalg.inv(covariance), x - b)
    return -0.5 * (distance + np.linalg.slogdet(2 * np.pi * covariance)[1])


@pytest.mark.parametrize("training", [False, True])
def test_the_loss_is_the_estimate(training, weights, x):
    model = naive(weights, samples=6)
    w = np.exp(log_likelihoods(weights, x, latents(model, len(x), training)))
    nll = -np.log(w.mean(axis=0)).mean()
    size = (w.sum(axis=0) ** 2 / (w**2).sum(axis=0)).mean()
    assert 1 < size < 5
    logs = (model.train_step if training else model.test_step)(tf.constant(x))
    found = {name: float(value) for name, value in logs.items()}
    expected = {"loss": nll, "nll_loss": nll, "effective_sample_size": size}
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_step_weighs_the_slopes_of_the_samples(weights, x):
    W, b = weights
    model = naive(weights, RATE, samples=4)
    z = latents(model, len(x), training=True)
    w = np.exp(log_likelihoods(weights, x, z))
    by_output = (w / w.sum(axis=0))[..., None] * (x - z @ W - b) / SCALE**2 / len(x)
    model.train_step(tf.constant(x))
    new_W, new_b = model.decoder.get_weights()
    np.testing.assert_allclose(new_W, W + RATE * np.einsum("kni,knj->ij", z, by_output), atol=1e-6)
    np.testing.assert_allclose(new_b, b + RATE * by_output.sum(axis=(0, 1)), atol=1e-6)


def test_the_nll_by_importance_sampling_takes_it(weights, x):
    nats = importance_weighted_nll(naive(weights), x, samples=2000, seed=1)
    np.testing.assert_allclose(nats["nll"], -exact(weights, x), atol=0.1)


def test_it_samples_and_decodes_and_has_no_codes(weights, x):
    model = naive(weights)
    z = np.array([[0.5, -1.0], [0.0, 0.0]], "float32")
    levels = np.clip(np.round((z @ weights[0] + weights[1] + 1) * 127.5), 0, 255)
    np.testing.assert_array_equal(model.decode(z), levels)
    assert model.sample(3, seed=0).shape == (3, DATA)
    assert not hasattr(model, "encode") and not hasattr(model, "reconstruct")
    with pytest.raises(ValueError, match=r"Latents have shape \(2, 3\): expected \[batch, 2\]"):
        model.decode(np.zeros([2, 3], "float32"))
