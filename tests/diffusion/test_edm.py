"""EDM of normal data, whose denoiser is its network of zeros."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.diffusion import EDM, CosinePath
from keras_gen.diffusion.ode_likelihood import ode_log_prob
from keras_gen.networks import time_mlp
from shared import losses_of, step_noise

DEVIATION = 0.5


def zeros(values=3, **options):
    """The best model of N(0, DEVIATION^2): what it skips is the mean of x given x_t."""
    network = time_mlp((values,), width=4, blocks=1, frequencies=0)
    network.set_weights([0 * w for w in network.get_weights()])
    return EDM(network, deviation=DEVIATION, data="vectors", **options)


def test_an_untrained_network_has_loss_1_at_every_deviation(rng):
    model = zeros(values=1)
    x = tf.constant(DEVIATION * rng.normal(size=(40_000, 1)), tf.float32)
    with training_step(model):
        losses = model.terms({"x": x})["denoising"].numpy()
        t = np.exp(-1.2 + 1.2 * model.normal("deviations", [len(x)]).numpy())
    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 99)):
        some = losses[(t >= low) & (t < high)]
        assert some.mean() == pytest.approx(1, abs=float(5 * some.std() / len(some) ** 0.5))


def test_the_loss_is_equation_8(rng):
    network = time_mlp((3,), width=4, blocks=1, frequencies=0)
    model = EDM(network, deviation=0.7, log_mean=-0.5, log_deviation=0.9, data="vectors", seed=4)
    model.compile()
    x = rng.normal(size=(5, 3)).astype("float32")
    drawn = step_noise(model, "deviations", [5], training=True)
    noise = step_noise(model, "noise", [5, 3], training=True)
    t = np.exp(-0.5 + 0.9 * drawn)[:, None]
    total = t**2 + 0.7**2
    values = network([(x + t * noise) / np.sqrt(total), np.log(t[:, 0]) / 4]).numpy()
    denoised = 0.7**2 / total * (x + t * noise) + t * 0.7 / np.sqrt(total) * values
    expected = np.mean(total / (t * 0.7) ** 2 * (denoised - x) ** 2)
    assert losses_of(model, x, training=True)["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.thorough
def test_samples_have_the_deviation_of_the_data_and_an_error_of_second_order():
    model = zeros()

    def drawn(steps):
        return model.sample(200, seed=1, steps=steps)

    exact = drawn(600)
    assert exact.std() == pytest.approx(DEVIATION, rel=0.1)
    few, more = (np.abs(drawn(steps) - exact).max() for steps in (36, 72))
    assert 3.5 < few / more < 5 and few < 0.03


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_the_velocity_keeps_scaled_points_on_their_rays(place, rng):
    """Points of normal data are x_t, a multiple of sqrt(t^2 + sigma_data^2), over sqrt(t^2 + 1)."""
    model = zeros()

    def log_length(place):
        t, _ = model.probability_path.deviation(1 - place)
        return 0.5 * np.log((t**2 + DEVIATION**2) / (t**2 + 1))

    slope = (log_length(place + 1e-5) - log_length(place - 1e-5)) / 2e-5
    points = rng.normal(size=(4, 3)).astype("float32")
    found = model.velocity(points, tf.constant(place))
    np.testing.assert_allclose(found, slope * points, rtol=1e-3, atol=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("values", [2, 6])
def test_the_likelihood_of_normal_data(rng, values):
    x = (DEVIATION * rng.normal(size=(4, values))).astype("float32")
    place = x / DEVIATION
    nats = (0.5 * place**2 + math.log(DEVIATION) + 0.5 * math.log(2 * math.pi)).sum(axis=1)
    # A direction of this length estimates the divergence of a multiple of the identity exactly.
    probe = rng.normal(size=(4, values)).astype("float32")
    probe *= np.sqrt(values) / np.linalg.norm(probe, axis=1, keepdims=True)
    found = ode_log_prob(zeros(values).velocity, tf.constant(x), tf.constant(probe), steps=30)
    np.testing.assert_allclose(found, -nats, atol=0.01)
    # The model's own directions are of this length: normal ones would err by nats.
    if values > 4:
        np.testing.assert_allclose(zeros(values).log_prob(x), -nats, atol=0.1)


def test_other_paths_are_refused():
    with pytest.raises(ValueError, match="expected a KarrasPath, whose time is the standard"):
        zeros(probability_path=CosinePath())
