"""The first GAN on a line: the best discriminator, and 1/2 where model and data are equal."""

import keras
import numpy as np
import pytest
from scipy.stats import norm

from keras_gen.core.schedules import Exponential
from keras_gen.data import points_around
from keras_gen.gan import GAN, InstanceNoiseGAN
from keras_gen.losses import R1, JensenShannonRegularizer
from keras_gen.networks import mlp_decoder, mlp_encoder

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


@pytest.mark.slow
@pytest.mark.parametrize("steps_of_d", [1, 3])
def test_the_game_ends_where_the_discriminator_says_one_half(steps_of_d):
    """Theorem 1: at model = data; N(1, 0.25) is learned from N(-0.5, 1)."""
    data = points_around(np.ones((1, 1)), 0.5, 50_000)
    model = GAN(affine(-0.5, 1.0), quadratic(), "minimax", R1(0.1), steps_of_d, data="vectors")
    trained(model, data, (0.02, 0.2), steps=3000, batch=1024)
    samples = model.sample(20_000, seed=0, batch_size=20_000)
    assert samples.mean() == pytest.approx(1.0, abs=0.03)
    assert samples.std() == pytest.approx(0.5, abs=0.03)
    assert np.abs(said(model, np.linspace(0.0, 2.0, 50)) - 0.5).max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("name,low,high", [
    ("plain", 1.7, 2.1), ("noise", 0.0, 0.15), ("regularizer", 1.7, 2.1),
])  # fmt: skip
def test_what_is_apart_meets_by_noise_alone_where_the_loss_saturates(name, low, high):
    """Data at -1 and model at 1, both 0.05 wide: how far their means are apart in the end.

    The regularizer is weighted by how unsure D is, and so does not hold one that is sure.
    """
    data = points_around(-np.ones((1, 1)), 0.05, 20_000)
    method, options = {
        "plain": (GAN, {}),
        "noise": (InstanceNoiseGAN, dict(std=Exponential(1.0, 0.1, 1000))),
        "regularizer": (GAN, dict(penalty=JensenShannonRegularizer(0.5))),
    }[name]
    keras.utils.set_random_seed(0)
    critic = mlp_encoder((1,), latent_dim=1, hidden=(32, 32), name="discriminator")
    options |= dict(objective="minimax", discriminator_steps=5, data="vectors")
    model = method(affine(1.0, 0.05), critic, **options)
    optimizers = keras.optimizers.Adam(1e-2, 0.5), keras.optimizers.SGD(0.05)
    model.compile(d_optimizer=optimizers[0], g_optimizer=optimizers[1], steps_per_execution=50)
    model.fit(data.stream(5 * 64), steps_per_epoch=1000, verbose=0)
    assert low <= abs(model.sample(5000, seed=0, batch_size=5000).mean() + 1.0) <= high
