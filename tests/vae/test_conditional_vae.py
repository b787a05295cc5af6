"""The conditional VAE's bound against the density of a linear model, and its conditions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from instances.vae import label_prior
from keras_gen.core import training_step
from keras_gen.losses import UnboundedNormal, kl_normal
from keras_gen.metrics import importance_weighted_nll
from keras_gen.networks import (
    conditional_vae_networks,
    mlp_decoder,
    mlp_encoder,
    with_codes,
    with_labels,
)
from keras_gen.vae import ConditionalVAE

CLASSES, SCALE = 3, 0.5


def linear(classes=CLASSES, prior=True, **options):
    """x = W z + V c + noise, with any linear q(z|x,c)."""
    keras.utils.set_random_seed(1)
    encoder = mlp_encoder((2 + classes,), 1, hidden=(), heads=("mean", "log_variance"))
    decoder = mlp_decoder((2,), 1 + classes, hidden=())
    likelihood = UnboundedNormal(scale=SCALE)
    networks = with_labels(encoder, classes), with_labels(decoder, classes)
    if prior:
        prior = label_prior(classes, 1)
        means, log_variances = [[0.5], [-1.0], [0.0]], [[-1.0], [0.0], [0.5]]
        prior.set_weights([np.array(means), np.array(log_variances)])
    return ConditionalVAE(*networks, classes, likelihood, prior=prior or None, **options)


@pytest.mark.thorough
@pytest.mark.parametrize("prior", [True, False])
def test_importance_weights_give_the_density_of_a_linear_model(rng, prior):
    model = linear(prior=prior)
    x = rng.normal(size=(6, 2)).astype("float32")
    labels = np.arange(6) % CLASSES
    kernel, bias = model.decoder.get_weights()
    expected = []
    for row, label in zip(x, labels, strict=True):
        mean, variance = 0.0, 1.0
        if prior:
            mean, variance = (float(each[0, 0]) for each in model.prior(np.array([label])))
            variance = np.exp(variance)
        center = mean * kernel[0] + kernel[1 + label] + bias
        covariance = variance * np.outer(kernel[0], kernel[0]) + SCALE**2 * np.eye(2)
        expected.append(stats.multivariate_normal(center, covariance).logpdf(row))
    log_weights = model.log_weights(tf.constant(x), 20_000, [0, 1], tf.constant(labels))
    found = tf.reduce_logsumexp(log_weights, axis=0) - np.log(20_000)
    np.testing.assert_allclose(found, expected, atol=0.1)
    estimate = importance_weighted_nll(model, x, 4000, conditions=labels)["nll"]
    np.testing.assert_allclose(-estimate, expected, atol=0.1)
    # Eq. (4): the bound lies below, and by KL divergences at that.
    assert (model.log_prob(x, labels) < np.array(expected) + 0.5).all()
    assert model.log_prob(x, labels).mean() < np.mean(expected)


def test_the_terms_are_those_of_eq_5(rng):
    model = linear(beta=0.5)
    model.compile()
    x = rng.normal(size=(6, 2)).astype("float32")
    labels = np.arange(6) % CLASSES
    with training_step(model):
        terms = model.terms(model.prepare_batch((x, labels)))
    expected = kl_normal(*model.encode(x, labels), *model.prior(labels))
    np.testing.assert_allclose(terms["kl"], expected, rtol=1e-5)
    loss = terms["reconstruction"] + 0.5 * terms["kl"]
    np.testing.assert_allclose(model.weighted(terms), loss, rtol=1e-5)
    seed = tf.constant([0, 1], tf.int64)
    z, posterior = model.drawn(model.encoded(x, labels), seed, 3)
    density = -model.reconstruction(z, x, labels)  # log p(x|z,c)
    for sign, (mean, log_variance) in ((1, model.prior(labels)), (-1, posterior)):
        normal = stats.norm(mean, np.exp(0.5 * log_variance))
        density += sign * normal.logpdf(z).sum(axis=-1)
    np.testing.assert_allclose(model.log_weights(x, 3, seed, labels), density, rtol=1e-4)


@pytest.mark.thorough
def test_samples_are_of_the_class_that_is_asked_for():
    model = linear()
    drawn = model.sample(4, seed=1, label=2)
    labels = np.array([0, 1, 2, 2])
    mixed = model.sample(4, seed=1, label=labels)
    np.testing.assert_allclose(mixed[2:], drawn[2:], rtol=1e-6)
    assert (np.abs(mixed[:2] - drawn[:2]).max(axis=1) > 1e-3).all()
    assert len(np.unique(model.sample(64, seed=1).round(3), axis=0)) > 50
    codes, _ = model.encode(mixed, labels)
    np.testing.assert_allclose(
        model.decode(codes, labels), model.reconstruct(mixed, labels), rtol=1e-5
    )
    path = model.interpolate(mixed[:2], mixed[2:], steps=3, labels=labels[:2])
    np.testing.assert_allclose(path[:, 0], model.reconstruct(mixed[:2], labels[:2]), rtol=1e-5)


@pytest.mark.thorough
def test_vectors_are_conditions_in_their_own_units(rng):
    """y = 3 + 100 c: samples given c are near that, in the units of both."""
    conditions = rng.normal(50, 10, (400, 1))
    rows = 3 + 100 * conditions + rng.normal(0, 1, (400, 1))
    model = ConditionalVAE.for_vectors(1, conditions=1, latent_dim=1, hidden=(8,))
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(rows, conditions, batch_size=50, epochs=20, verbose=0)
    drawn = model.sample(200, seed=1, condition=[[60.0]])
    assert abs(drawn.mean() - 6003) < 300 and rows.std() > 800
    each = model.sample(2, seed=1, condition=[[40.0], [60.0]])
    assert each[1, 0] - each[0, 0] > 1000
    with pytest.raises(TypeError, match="sample requires condition: pass this condition by name"):
        model.sample(2)


@pytest.mark.thorough
def test_images_are_conditions_of_what_is_not_known_of_them(rng):
    """The rest of an image is black or white, and the known pixel says which."""
    networks = conditional_vae_networks((2, 1, 1), (1, 1, 1), latent_dim=1, hidden=(8,))
    model = ConditionalVAE(**networks, classes=None)
    model.compile(keras.optimizers.Adam(0.03))
    known = 255 * rng.integers(0, 2, (200, 1, 1, 1)).astype("uint8")
    rest = np.repeat(known, 2, axis=1)
    model.fit(rest, known, batch_size=50, epochs=25, verbose=0)
    drawn = model.sample(4, seed=1, condition=known[:4])
    assert drawn.dtype == "uint8"
    np.testing.assert_allclose(drawn, rest[:4], atol=40)
    as_floats = known[:4] / np.float32(255)
    np.testing.assert_array_equal(model.sample(4, seed=1, condition=as_floats), drawn)
    assert (
        model.log_prob(rest[:4], known[:4]).min() > model.log_prob(rest[:4], 255 - known[:4]).max()
    )
    with pytest.raises(ValueError, match=r"Conditions have shape \(4, 1\): expected"):
        model.log_prob(rest[:4], known[:4, :, 0, 0])


def test_conditions_that_do_not_fit():
    with pytest.raises(ValueError, match="There are 1 conditions for 2 images: expected one cond"):
        importance_weighted_nll(linear(), np.zeros([2, 2], "float32"), conditions=np.zeros(1, int))
    with pytest.raises(ValueError, match="classes is None and conditions is None: expected"):
        ConditionalVAE.for_vectors(3)
    encoder = with_labels(mlp_encoder((4,), 1, (2,), heads=("mean", "log_variance")), 2)
    decoder = with_labels(mlp_decoder((4,), 3, (2,)), 2)
    with pytest.raises(ValueError, match=r"encoder accepts conditions of shape \(\): .* classes"):
        ConditionalVAE(encoder, decoder, None, "unbounded_normal")
    other = with_codes(mlp_decoder((4,), 3, (2,)), 2)
    with pytest.raises(ValueError, match=r"decoder accepts c of shape \(2,\): expected \(\)"):
        ConditionalVAE(encoder, other, 2, "unbounded_normal")
