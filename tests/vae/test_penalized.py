"""The VAEs of Normal latents with another loss: each loss against numpy, of linear networks."""

import keras
import numpy as np
import pytest

from keras_gen.core.schedules import Linear
from keras_gen.losses import Normal, decomposed_kl
from keras_gen.vae import DIPVAE, VAE, BetaTCVAE, CapacityVAE
from linear_vae import DATA, networks, random_weights
from shared import losses_of, step_noise

SCALE = 0.5


@pytest.fixture
def weights(rng):
    return random_weights(rng)


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (6, DATA)).astype("float32")


def built(cls, weights, *arguments, rate=0.0, **options):
    model = cls(*networks(weights), *arguments, likelihood=Normal(scale=SCALE), **options)
    model.compile(keras.optimizers.SGD(rate))
    return model


def inferred(weights, x):
    A, a, C, c, *_ = weights
    mean, log_variance = x @ A + a, x @ C + c
    return (
        mean,
        log_variance,
        0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1),
    )


def elbo_of(model, x, training=False):
    """That of the VAE with the same networks and seed."""
    other = VAE(model.encoder, model.decoder, likelihood=model.likelihood, seed=model.seed)
    other.compile(keras.optimizers.SGD(0.0))
    return -losses_of(other, x, training=training)["loss"]


# Capacity -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [False, True])
def test_the_capacity_is_each_examples(training, weights, x):
    *_, kl = inferred(weights, x)
    middle = float(np.median(kl))
    model = built(CapacityVAE, weights, gamma=3.0, capacity=Linear(middle, 5.0, steps=10))
    capacity = middle if training else 5.0
    distance = np.abs(kl - capacity).mean()
    if training:  # of the mean of the batch it would be another
        assert abs(distance - abs(kl.mean() - capacity)) > 0.05
    logs = losses_of(model, x, training=training)
    assert logs["capacity_loss"] == pytest.approx(distance, rel=1e-4)
    assert logs["kl"] == pytest.approx(kl.mean(), rel=1e-4)
    assert logs["loss"] == pytest.approx(logs["reconstruction_loss"] + 3 * distance, rel=1e-4)
    assert logs["elbo"] == pytest.approx(-logs["reconstruction_loss"] - kl.mean(), rel=1e-4)


# beta-TCVAE ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stratified", [False, True])
def test_the_parts_have_their_weights(stratified, weights, x):
    schedule = Linear(2.0, 7.0, steps=4)
    options = dict(alpha=0.5, beta=schedule, gamma=1.5, stratified=stratified)
    model = built(BetaTCVAE, weights, 50, **options)
    for training, beta in ((True, 2.0), (False, 7.0)):
        mean, log_variance, kl = inferred(weights, x)
        noise = step_noise(model, "latents", mean.shape, training)
        z = mean + np.exp(log_variance / 2) * noise
        parts = decomposed_kl(z, mean, log_variance, 50, stratified)
        logs = losses_of(model, x, training=training)
        total = logs["reconstruction_loss"]
        for name, weight in zip(parts, (0.5, beta, 1.5), strict=True):
            value = float(np.mean(parts[name]))
            assert logs[f"{name}_loss"] == pytest.approx(value, abs=1e-4)
            total += weight * value
        assert logs["loss"] == pytest.approx(total, rel=1e-4)
        assert logs["elbo"] == pytest.approx(-logs["reconstruction_loss"] - kl.mean(), rel=1e-4)


def test_data_sets_below_the_batch_are_refused(weights, x):
    model = built(BetaTCVAE, weights, 5)
    message = (
        r"^The batch has 6 examples, but dataset_size is 5: expected a dataset_size of at least"
    )
    with pytest.raises(ValueError, match=message):
        model.fit(x, batch_size=6, verbose=0)


# DIP-VAE ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("type", "ratio"), [("I", 10.0), ("II", 1.0)])
def test_the_covariance_is_held_to_the_identity(type, ratio, weights, x):
    mean, log_variance, kl = inferred(weights, x)
    covariance = np.cov(mean.T, bias=True)
    if type == "II":
        covariance += np.diag(np.exp(log_variance).mean(axis=0))
    off, diagonal = 2 * covariance[0, 1] ** 2, ((np.diag(covariance) - 1) ** 2).sum()
    for given, weight in ((None, 3 * ratio), (Linear(0.0, 5.0, steps=2), 5.0)):
        options = dict(off_diagonal_weight=3.0, diagonal_weight=given)
        model = built(DIPVAE, weights, type=type, **options)
        logs = losses_of(model, x)
        total = logs["reconstruction_loss"] + kl.mean() + 3 * off + weight * diagonal
        assert logs["off_diagonal_loss"] == pytest.approx(off, rel=1e-3)
        assert logs["diagonal_loss"] == pytest.approx(diagonal, rel=1e-3)
        assert logs["loss"] == pytest.approx(total, rel=1e-4)
        assert logs["elbo"] == pytest.approx(elbo_of(model, x), rel=1e-4)
