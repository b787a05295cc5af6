"""Algorithm 2 step by step, and what the discriminator finds out about the latents."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.core.schedules import Linear
from keras_gen.losses import Normal, permuted_dimensions
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.vae import VAE, FactorVAE
from shared import losses_of, softplus, step_noise, with_sgd

SHAPE = (3,)


def factor_vae(rate=0.0, d_rate=0.0, seed=0, hidden=(6,), **options):
    keras.utils.set_random_seed(1)
    model = FactorVAE(
        mlp_encoder(SHAPE, 2, hidden=(), heads=("mean", "log_variance")),
        mlp_decoder(SHAPE, 2, hidden=()),
        mlp_encoder((2,), 1, hidden=hidden, activation="leaky_relu", name="discriminator"),
        likelihood=Normal(scale=0.5),
        seed=seed,
        **options,
    )
    return with_sgd(model, rate, d_rate)


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (8, *SHAPE)).astype("float32")


def test_the_losses_are_those_of_algorithm_2(x):
    model = factor_vae(gamma=Linear(3.0, 8.0, steps=4))
    half, other = x[0::2], x[1::2]
    mean, log_variance = (v.numpy() for v in model.encoder(half))
    z = mean + np.exp(log_variance / 2) * step_noise(model, "latents", [4, 2])
    others = [v.numpy() for v in model.encoder(other)]
    others = others[0] + np.exp(others[1] / 2) * step_noise(model, "others", [4, 2])
    with training_step(model):
        shuffled = permuted_dimensions(others, model.stateless_seed("shuffling")).numpy()
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(others, axis=0))
    real, fake = (model.discriminator(v).numpy()[:, 0] for v in (z, shuffled))
    d_loss = 0.5 * (softplus(-real) + softplus(fake)).mean()
    accuracy = np.concatenate([real > 0, fake < 0]).mean()
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1).mean()
    vae = VAE(model.encoder, model.decoder, likelihood=Normal(scale=0.5))
    vae.compile()
    reconstruction = float(np.mean(vae.reconstruction(tf.constant(z), half)))
    assert losses_of(model, x, training=True) == pytest.approx(
        {
            "loss": reconstruction + kl + 3.0 * real.mean(),
            "reconstruction_loss": reconstruction,
            "kl_loss": kl,
            "total_correlation_loss": real.mean(),
            "elbo": -reconstruction - kl,
            "d_loss": d_loss,
            "d_accuracy": accuracy,
        },
        rel=1e-4,
        abs=1e-5,
    )
    held_out = losses_of(model, x)
    names = ("reconstruction_loss", "kl_loss", "total_correlation_loss")
    total = sum(w * held_out[n] for w, n in zip((1, 1, 8), names, strict=True))
    assert held_out["loss"] == pytest.approx(total, rel=1e-4)
    assert held_out.keys() == set(model.loss_names)


def test_a_step_takes_the_vae_along_the_slope_of_equation_2(x):
    """With the discriminator as it is; its gradient reaches the encoder through the latents."""
    rate, gamma = 0.05, 5.0
    model = factor_vae(rate, 0.1, gamma=gamma)
    half = tf.constant(x[0::2])
    noise = step_noise(model, "latents", [4, 2])
    kernel = model.encoder.trainable_variables[0]
    slopes = {}
    for weight in (0.0, gamma):
        with tf.GradientTape() as tape:
            mean, log_variance = model.encoder(half)
            z = mean + tf.exp(0.5 * log_variance) * noise
            kl = 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_variance) - log_variance - 1, axis=1)
            loss = model.reconstruction(z, half) + kl + weight * model.discriminator(z)[:, 0]
            loss = tf.reduce_mean(loss)
        slopes[weight] = tape.gradient(loss, kernel.value).numpy()
    before = kernel.numpy()
    losses_of(model, x, training=True)
    np.testing.assert_allclose(kernel.numpy(), before - rate * slopes[gamma], atol=1e-6)
    assert np.abs(slopes[gamma] - slopes[0.0]).max() > 0.01
