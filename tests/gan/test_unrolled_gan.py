"""Unrolled steps of a Dirac GAN: one number theta against the slope psi of a discriminator."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.gan import UnrolledGAN
from shared import one_dense, with_sgd

THETA, PSI, REAL = 0.7, 0.4, -0.3
ETA, D_RATE, G_RATE = 0.6, 0.2, 0.1


def dirac(objective="wasserstein", **options):
    """G(z) = theta, whatever z, and D(x) = psi x."""
    networks = one_dense([[0.0]], [THETA]), one_dense([[PSI]])
    return with_sgd(UnrolledGAN(*networks, objective, **options), D_RATE, G_RATE)


def train(model):
    """One step on real examples that are all the same; the new theta and psi, and the losses."""
    logs = model.train_step(tf.fill([4, 1], REAL))
    theta = model.generator.get_weights()[1].item()
    return theta, model.discriminator.get_weights()[0].item(), logs


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_unrolled_steps_of_a_linear_game(steps):
    """D loses psi theta - psi real, so that each step takes eta (theta - real) from psi."""
    theta, psi, logs = train(dirac(unrolled_steps=steps, unrolled_rate=ETA))
    # The discriminator takes one step, eq. (12), of its own rate, whatever is unrolled.
    after = PSI - D_RATE * (THETA - REAL)
    assert psi == pytest.approx(after, rel=1e-5)
    ahead = after - steps * ETA * (THETA - REAL)
    assert float(logs["g_loss"]) == pytest.approx(-ahead * THETA, rel=1e-5)
    # The derivative of -(after - K eta (theta - real)) theta; with `ahead` held, -ahead.
    slope = -after + steps * ETA * (2 * THETA - REAL)
    assert theta == pytest.approx(THETA - G_RATE * slope, rel=1e-5)
    assert abs(slope - -ahead) == pytest.approx(steps * ETA * THETA, rel=1e-5)


@pytest.mark.parametrize("steps", [1, 2])
def test_unrolled_steps_of_a_curved_game(steps):
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def g_loss(theta, psi):
        for _ in range(steps):  # of softplus(-psi real) + softplus(psi theta)
            psi = psi - ETA * (-sigmoid(-psi * REAL) * REAL + sigmoid(psi * theta) * theta)
        return np.logaddexp(0, -psi * theta)

    theta, psi, logs = train(dirac(objective="non_saturating", unrolled_steps=steps,
                                   unrolled_rate=ETA))  # fmt: skip
    after = PSI - D_RATE * (-sigmoid(-PSI * REAL) * REAL + sigmoid(PSI * THETA) * THETA)
    assert psi == pytest.approx(after, rel=1e-5)
    assert float(logs["g_loss"]) == pytest.approx(g_loss(THETA, after), rel=1e-5)
    slope = (g_loss(THETA + 1e-5, after) - g_loss(THETA - 1e-5, after)) / 2e-5
    assert theta == pytest.approx(THETA - G_RATE * slope, rel=1e-5)


def test_evaluation_looks_ahead_too():
    model = dirac(unrolled_steps=2, unrolled_rate=ETA)
    logs = model.test_step(tf.fill([4, 1], REAL))
    ahead = PSI - 2 * ETA * (THETA - REAL)
    assert float(logs["g_loss"]) == pytest.approx(-ahead * THETA, rel=1e-5)
    assert float(logs["d_loss"]) == pytest.approx(PSI * (THETA - REAL), rel=1e-5)
    assert model.discriminator.get_weights()[0].item() == pytest.approx(PSI)
