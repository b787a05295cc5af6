"""The bound of an IWAE of layers against its factorization, for linear networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from hierarchies import DATA, SCALE, linear, log_normal, outputs
from keras_gen.losses import Normal
from keras_gen.losses.likelihood_bounds import importance_weighted_nats
from keras_gen.metrics import importance_weighted_nll
from keras_gen.vae import IWAE, HierarchicalIWAE
from shared import losses_of, step_noise

DIMS = (3, 2)


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


def hierarchical(dims=DIMS, rate=0.0, **options):
    below = [DATA, *dims]
    model = HierarchicalIWAE(
        bottom_up=[linear([below[i]], [dim, dim]) for i, dim in enumerate(dims)],
        top_down=[linear([dims[i + 1]], [dim, dim]) for i, dim in enumerate(dims[:-1])],
        decoder=linear([dims[0]], [DATA]),
        likelihood=Normal(scale=SCALE),
        **options,
    )
    model.compile(keras.optimizers.SGD(rate))
    return model


def log_weights(model, x, noise):
    """log p(x, z) - log q(z|x) of two layers drawn upwards, by noise [..., z1 and z2]."""
    below, log_w = np.broadcast_to(x, (*noise.shape[:-1], DATA)), 0.0
    z = []
    for network, part in zip(model.bottom_up, np.split(noise, [DIMS[0]], axis=-1), strict=True):
        mean, log_variance = outputs(network, below)
        z.append(mean + np.exp(log_variance / 2) * part)
        log_w -= log_normal(z[-1], mean, log_variance)
        below = z[-1]
    log_w += log_normal(z[1], 0.0, 0.0) + log_normal(z[0], *outputs(model.top_down[0], z[1]))
    return log_w + log_normal(x, *outputs(model.decoder, z[0]), 2 * np.log(SCALE))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("samples", [1, 7])
def test_the_loss_is_equation_8(samples, training, x):
    model = hierarchical(samples=samples)
    noise = step_noise(model, "latents", [5, samples, sum(DIMS)], training)
    log_w = log_weights(model, x, np.moveaxis(noise, 1, 0).astype("float64"))
    bound = (special.logsumexp(log_w, axis=0) - np.log(samples)).mean()
    expected = {"loss": -bound, "bound_loss": -bound, "elbo": log_w.mean()}
    assert losses_of(model, x, training=training) == pytest.approx(expected, rel=1e-4)
    assert (bound - log_w.mean() > 0.01) == (samples > 1)


@pytest.mark.parametrize("training", [False, True])
def test_one_layer_is_an_iwae(training, x):
    model = hierarchical((2,), rate=0.1, samples=4, seed=3)
    networks = [keras.models.clone_model(n) for n in (model.bottom_up[0], model.decoder)]
    for copy, network in zip(networks, (model.bottom_up[0], model.decoder), strict=True):
        copy.set_weights(network.get_weights())
    iwae = IWAE(*networks, likelihood=Normal(scale=SCALE), samples=4, seed=3)
    iwae.compile(keras.optimizers.SGD(0.1))
    logs = [losses_of(each, x, training=training) for each in (model, iwae)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)
    for network, copy in zip((model.bottom_up[0], model.decoder), networks, strict=True):
        for a, b in zip(network.get_weights(), copy.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(model.log_prob(x), iwae.log_prob(x), rtol=1e-4)
    np.testing.assert_allclose(model.encode(x), iwae.encode(x)[0], rtol=1e-4, atol=1e-5)


def test_the_bound_tightens_towards_log_p(x):
    """Of variances that do not depend on the layer above, with which p(x) is a Normal."""
    model = hierarchical()
    network = model.top_down[0]
    kernel, bias, _, log_variance = network.get_weights()
    network.set_weights([kernel, bias, np.zeros_like(kernel), log_variance])
    of_z1 = kernel.T @ kernel + np.diag(np.exp(log_variance))
    # Inferred is the prior, but wider, so that no weight is rare and large.
    marginals = ((bias, np.diag(of_z1)), (np.zeros(2), np.ones(2)))
    for below, (mean, variance) in zip(model.bottom_up, marginals, strict=True):
        nothing = np.zeros_like(below.get_weights()[0])
        below.set_weights([nothing, mean, nothing, np.log(1.5 * variance)])
    W, b = model.decoder.get_weights()
    covariance = W.T @ of_z1 @ W + SCALE**2 * np.eye(DATA)
    truth = stats.multivariate_normal(bias @ W + b, covariance).logpdf(x)
    nats = importance_weighted_nll(model, x, samples=20_000, chunk=2000)
    np.testing.assert_allclose(-nats["nll"], truth, atol=0.05)
    copies, bounds = np.repeat(x, 500, axis=0), []
    for samples in (1, 5, 50):
        model.samples = samples
        log_w = model.log_weights(tf.constant(copies), samples, [1, 2])
        bounds.append(-float(tf.reduce_mean(importance_weighted_nats(log_w))))
    assert bounds == sorted(bounds) and bounds[0] < bounds[-1] - 0.05
    assert bounds[-1] < truth.mean() + 0.02


def test_lower_layers_are_drawn_from_the_prior(x):
    model = hierarchical()
    codes = model.encode(x)
    means = [outputs(model.bottom_up[0], x)[0]]
    means.append(outputs(model.bottom_up[1], means[0])[0])
    np.testing.assert_allclose(codes, np.concatenate(means, axis=1), rtol=1e-4, atol=1e-5)
    noise = np.zeros_like(codes)
    mean = outputs(model.decoder, outputs(model.top_down[0], means[1])[0])[0]
    levels = np.clip(np.round((mean + 1) * 127.5), 0, 255)
    assert np.abs(model.redraw(codes, noise, 1).astype("float64") - levels).max() <= 1
