"""The first GAN on a line: the best discriminator, and 1/2 where model and data are equal."""

import keras
import numpy as np
import pytest
from scipy.stats import norm

from keras_gen.data import points_around
from keras_gen.gan import GAN
from keras_gen.networks import mlp_decoder

STEPS = 500


def affine(mean, std):
    """A generator of that normal distribution."""
    generator = mlp_decoder((1,), latent_dim=1, hidden=())
    generator.set_weights([np.full((1, 1), std), np.full(1, mean)])
    return generator


def quadratic():
    """A logit that is linear in x and x^2, as log p / q of two normal distributions is."""
    x = keras.Input((1,))
    features = keras.layers.Concatenate()([x, keras.layers.Multiply()([x, x])])
    logits = keras.layers.Dense(1, kernel_initializer="zeros")(features)
    return keras.Model(x, logits, name="discriminator")


def trained(model, data, rates, steps=STEPS, batch=512):
    d_rate, g_rate = (keras.optimizers.schedules.PolynomialDecay(r, steps) for r in rates)
    model.compile(
        d_optimizer=keras.optimizers.Adam(d_rate, 0.5),
        g_optimizer=keras.optimizers.SGD(g_rate),
        steps_per_execution=50,
    )
    model.fit(data.stream(batch * model.discriminator_steps), steps_per_epoch=steps, verbose=0)
    return model


def said(model, x):
    logits = model.discriminator(x.astype("float32")[:, None], training=False)
    return 1 / (1 + np.exp(-np.asarray(logits)[:, 0]))


@pytest.mark.thorough
def test_against_a_generator_at_rest_the_discriminator_becomes_the_best_one():
    """Goodfellow et al. (2014), proposition 1: D = p / (p + q), of N(1, 0.25) and N(-0.5, 1)."""
    data = points_around(np.ones((1, 1)), 0.5, 20_000)
    model = GAN(affine(-0.5, 1.0), quadratic(), "minimax", data="vectors")
    trained(model, data, (0.2, 0.0))
    x = np.linspace(-4.0, 4.0, 401)
    p, q = norm.pdf(x, 1.0, 0.5), norm.pdf(x, -0.5, 1.0)
    best = p / (p + q)
    # Averaged over data and model; 1/2 everywhere is 0.33 away.
    weights = (p + q) / (p + q).sum()
    assert weights @ np.abs(said(model, x) - best) < 0.02 < 0.3 < weights @ np.abs(0.5 - best)
