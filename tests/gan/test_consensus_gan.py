"""Consensus optimization of games whose fields and their slopes are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.gan import ConsensusGAN
from keras_gen.metrics import update_field
from keras_gen.networks import dirac_networks, mlp_decoder, mlp_encoder
from shared import with_sgd

RATE, ZEROS = 0.1, np.zeros((2, 1), "float32")


def dirac(cls=ConsensusGAN, objective="wasserstein", rate=RATE, start=(1.0, 1.0), **options):
    model = cls(*dirac_networks(*start), objective=objective, data="vectors", **options)
    return with_sgd(model, rate, rate)


def test_the_field_of_the_bilinear_game_by_hand(rng):
    """D loses psi theta, G loses -psi theta: v = (-psi, theta) and L = |(theta, psi)|^2 / 2."""
    points = rng.normal(size=(4, 2))
    theta, psi = points.T
    for gamma in (0.0, 0.6):
        expected = -RATE * np.stack([-psi + gamma * theta, theta + gamma * psi], axis=1)
        field = update_field(dirac(gamma=gamma), ZEROS, points)
        np.testing.assert_allclose(field, expected, atol=1e-6)


def networks():
    keras.utils.set_random_seed(1)
    return (
        mlp_decoder((2,), latent_dim=2, hidden=(3,), name="generator"),
        mlp_encoder((2,), latent_dim=1, hidden=(3,), name="discriminator"),
    )


def step_of(gamma, x, objective="non_saturating", strategy=None, **options):
    """How one step of rate 1 moves all weights."""
    with (strategy or tf.distribute.get_strategy()).scope():
        model = ConsensusGAN(*networks(), objective, gamma=gamma, seed=5, data="vectors", **options)
        with_sgd(model, 1.0, 1.0)
    before = flat(model)
    model.fit(x, batch_size=len(x), shuffle=False, verbose=0)
    return flat(model) - before


def flat(model):
    weights = [*model.generator.get_weights(), *model.discriminator.get_weights()]
    return np.concatenate([w.ravel() for w in weights]).astype("float64")


@pytest.fixture
def x(rng):
    return rng.normal(size=(6, 2)).astype("float32")


@pytest.mark.thorough
@pytest.mark.parametrize("objective,penalty", [("non_saturating", None), ("hinge", "r1")])
def test_slopes_are_those_of_finite_differences(objective, penalty, x):
    """Of L = |v|^2 / 2 over all weights of both networks, from the field v of gamma = 0."""
    model = ConsensusGAN(*networks(), objective, penalty, gamma=0.0, seed=5, data="vectors")
    with_sgd(model, 1.0, 1.0)
    here, h = flat(model), 3e-3
    offsets = h * np.eye(len(here))
    field = update_field(model, x, np.concatenate([here + offsets, here - offsets]))
    above, below = np.split(np.sum(field**2, axis=1) / 2, 2)
    expected = (above - below) / (2 * h)
    found = step_of(0.0, x, objective, penalty=penalty) - step_of(
        1.0, x, objective, penalty=penalty
    )
    assert np.abs(expected).max() > 0.05
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


@pytest.mark.thorough
def test_float16_steps_as_float32_does(x):
    expected = step_of(2.0, x)
    keras.config.set_dtype_policy("mixed_float16")
    with tf.distribute.get_strategy().scope():
        model = ConsensusGAN(*networks(), gamma=2.0, seed=5, data="vectors")
    scaled = [keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), initial_scale=s)
              for s in (256.0, 1024.0)]  # fmt: skip
    model.compile(d_optimizer=scaled[0], g_optimizer=scaled[1])
    before = flat(model)
    model.train_step(tf.constant(x))
    np.testing.assert_allclose(flat(model) - before, expected, atol=0.02 * np.abs(expected).max())
