"""IWAE's bound and gradient against numpy, for linear Gaussian networks with known log p(x)."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from keras_gen.losses import Normal
from keras_gen.vae import IWAE
from linear_vae import DATA, LATENTS, networks
from shared import losses_of, step_noise

SCALE, RATE = 0.5, 0.01
both = pytest.mark.parametrize("estimator", ("standard", "dreg"))


@pytest.fixture
def weights(rng):
    """A, a of the mean; c, the log variance; W, b of the decoder."""
    shapes = [(DATA, LATENTS), (LATENTS,), (LATENTS,), (LATENTS, DATA), (DATA,)]
    return [rng.normal(0, 0.5, shape) for shape in shapes]


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


def iwae(weights, rate=0.0, **options):
    A, a, c, W, b = weights
    model = IWAE(*networks([A, a, 0 * A, c, W, b]), likelihood=Normal(scale=SCALE), **options)
    model.compile(keras.optimizers.SGD(rate))
    return model


def drawn(model, weights, x, training):
    """The noise [k, batch, latents] of the next step, and the latents that it makes."""
    A, a, c, *_ = weights
    noise = step_noise(model, "latents", [len(x), model.samples, LATENTS], training)
    epsilon = np.moveaxis(noise, 1, 0).astype("float64")
    return epsilon, x @ A + a + np.exp(c / 2) * epsilon


def log_normal(x, mean, deviation):
    squares = ((x - mean) / deviation) ** 2 + np.log(2 * np.pi * deviation**2)
    return -0.5 * squares.sum(axis=-1)


def log_weights(weights, x, z):
    """log p(x, z) - log q(z|x), [k, batch]."""
    A, a, c, W, b = weights
    posterior = log_normal(z, x @ A + a, np.exp(c / 2))
    return log_normal(z, 0.0, np.ones(1)) + log_normal(x, z @ W + b, np.full(1, SCALE)) - posterior


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("samples", [1, 7])
def test_the_loss_is_equation_8(samples, training, weights, x):
    model = iwae(weights, samples=samples)
    _, z = drawn(model, weights, x, training)
    log_w = log_weights(weights, x, z)
    bound = np.log(np.mean(np.exp(log_w), axis=0)).mean()
    logs = (model.train_step if training else model.test_step)(tf.constant(x))
    found = {name: float(value) for name, value in logs.items()}
    expected = {"loss": -bound, "bound_loss": -bound, "elbo": log_w.mean()}
    assert found == pytest.approx(expected, rel=1e-4)
    # Of one sample the bound is the ELBO that the sample gives; of more it is above.
    assert (bound - log_w.mean() > 0.05) == (samples > 1)


def encoder_slopes(weights, x, epsilon, z, estimator):
    """By which mean and log variance raise the bound, [batch, latents] each."""
    *_, c, W, b = weights
    w, deviation = np.exp(log_weights(weights, x, z)), np.exp(c / 2)
    part = (w / w.sum(axis=0))[..., None]
    by_z = (x - z @ W - b) / SCALE**2 @ W.T - z
    if estimator == "dreg":
        # Of fixed parameters: -log q(z|x) rises by epsilon / deviation.
        part, by_z = part**2, by_z + epsilon / deviation
    # Else log q(z|x) depends on the noise and the deviation alone.
    by_log_variance = by_z * epsilon * deviation / 2 + (0.5 if estimator == "standard" else 0)
    return (part * by_z).sum(axis=0), (part * by_log_variance).sum(axis=0)


@both
def test_a_step_follows_the_estimator(estimator, weights, x):
    """Eq. (14): slopes of the log weights, each by its part of the sum; of DReG by its square."""
    A, a, c, W, b = weights
    model = iwae(weights, RATE, samples=4, estimator=estimator)
    epsilon, z = drawn(model, weights, x, training=True)
    log_w = log_weights(weights, x, z)
    part = np.exp(log_w - special.logsumexp(log_w, axis=0))[..., None]
    assert part.max() > 0.5
    by_output = (x - z @ W - b) / SCALE**2
    by_mean, by_log_variance = encoder_slopes(weights, x, epsilon, z, estimator)
    slopes = {
        "A": x.T @ by_mean, "a": by_mean.sum(0), "C": x.T @ by_log_variance,
        "c": by_log_variance.sum(0), "W": np.einsum("kni,knj->ij", part * z, by_output),
        "b": (part * by_output).sum(axis=(0, 1)),
    }  # fmt: skip
    logs = losses_of(model, x, training=True)
    bound = (special.logsumexp(log_w, axis=0) - np.log(4)).mean()
    expected = {"loss": -bound, "bound_loss": -bound, "elbo": log_w.mean()}
    assert logs == pytest.approx(expected, rel=1e-4)
    after = [*model.encoder.get_weights(), *model.decoder.get_weights()]
    for (name, slope), old, new in zip(slopes.items(), [A, a, 0 * A, c, W, b], after, strict=True):
        np.testing.assert_allclose(new, old + RATE * slope / len(x), atol=1e-6, err_msg=name)
