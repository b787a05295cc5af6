"""Flow matching between Gaussians, whose velocity and likelihood are known, and its pairings."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from diffusion_networks import best_network, linear
from keras_gen.core import training_step
from keras_gen.diffusion import FlowMatching
from keras_gen.diffusion.flow_matching import optimal_pairing
from keras_gen.diffusion.ode_likelihood import ode_log_prob
from keras_gen.diffusion.paths import CosinePath
from keras_gen.networks import time_mlp
from shared import losses_of, step_noise

MEAN, DEVIATION = 0.7, 0.4


def velocity(x, t):
    """Of points between N(MEAN, DEVIATION^2) at time 0 and N(0, 1) at time 1, on straight lines.

    Points at time t are normal with mean (1 - t) MEAN and variance v: a point keeps its place in
    units of the deviation, so that it moves with the mean and the logarithm of the deviation.
    """
    variance = (1 - t) ** 2 * DEVIATION**2 + t**2
    growth = (t - (1 - t) * DEVIATION**2) / variance
    return -MEAN + growth * (x - (1 - t) * MEAN)


@pytest.mark.thorough
@pytest.mark.parametrize("values", [2, 6])
def test_the_likelihood_of_normal_data(rng, values):
    """By the exact divergence, and by an estimate of that of a linear velocity."""
    x = MEAN + DEVIATION * rng.normal(size=(5, values))
    # A direction of this length estimates the divergence of a multiple of the identity exactly.
    probe = rng.normal(size=(5, values))
    probe *= np.sqrt(values) / np.linalg.norm(probe, axis=1, keepdims=True)
    found = ode_log_prob(velocity, tf.constant(x), tf.constant(probe), steps=30)
    place = (x - MEAN) / DEVIATION
    expected = -(0.5 * place**2 + math.log(DEVIATION) + 0.5 * math.log(2 * math.pi)).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    coarse = ode_log_prob(velocity, tf.constant(x), tf.constant(probe), steps=4)
    assert abs(coarse - expected).numpy().max() > 100 * abs(found - expected).numpy().max()


@pytest.mark.parametrize("values", [2, 6])
def test_a_velocity_that_is_the_same_everywhere(values):
    """It has no slope, and moves points by 1."""
    x = tf.zeros([1, values])
    (found,) = ode_log_prob(lambda x, t: tf.ones_like(x), x, tf.ones_like(x))
    assert found.numpy() == pytest.approx(-0.5 * values * (1 + math.log(2 * math.pi)), rel=1e-5)


def test_images_count_by_levels(rng):
    """Standard normal points are where they are at all times: nats of a level's width."""
    model = FlowMatching(best_network(CosinePath(0.0), "velocity", (2, 2, 1)), CosinePath(0.0))
    images = rng.integers(0, 256, (3, 2, 2, 1), "uint8")
    x = (images / 127.5 - 1).reshape(3, 4)
    expected = -(0.5 * x**2 + 0.5 * math.log(2 * math.pi)).sum(axis=1) + 4 * math.log(2 / 255)
    np.testing.assert_allclose(model.log_prob(images), expected, atol=0.03)


@pytest.mark.parametrize("pairing", ["independent", "optimal"])
def test_the_loss_is_eq_23(rng, pairing):
    network = time_mlp((3,), width=4, blocks=1, frequencies=0)
    model = FlowMatching(network, pairing=pairing, data="vectors", seed=4)
    model.compile()
    x = rng.normal(size=(4, 3)).astype("float32")
    t = (np.arange(4) + step_noise(model, "times", [4], False, "uniform")) / 4
    noise = step_noise(model, "noise", [4, 3], False)
    if pairing == "optimal":
        orders = itertools.permutations(range(4))
        noise = noise[list(min(orders, key=lambda o: ((x - noise[list(o)]) ** 2).sum()))]
    x_t = (1 - t[:, None]) * x + t[:, None] * noise
    output = network([x_t, t.astype("float32")]).numpy()
    expected = ((noise - x - output) ** 2).mean()
    assert losses_of(model, x)["loss"] == pytest.approx(expected, rel=1e-4)


def test_the_best_pairing_of_numbers_is_by_size(rng):
    """So of equal distributions nothing has to move far, and no two paths cross."""
    x = rng.normal(size=(50, 1)).astype("float32")
    noise = rng.normal(size=(50, 1)).astype("float32")
    dealt = optimal_pairing(tf.constant(noise), tf.constant(x)).numpy()
    np.testing.assert_array_equal(np.argsort(dealt[:, 0]), np.argsort(x[:, 0]))
    np.testing.assert_array_equal(np.sort(dealt, axis=0), np.sort(noise, axis=0))


@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_examples_far_from_0_have_the_best_pairing(rng, offset):
    x = (rng.normal(size=(30, 1)) + offset).astype("float32")
    paired = optimal_pairing(tf.constant(rng.normal(size=(30, 1)), tf.float32), tf.constant(x))
    costs = np.square(x - offset - paired).sum()
    best = np.square(np.sort(x - offset, axis=0) - np.sort(paired, axis=0)).sum()
    assert costs == pytest.approx(best, rel=1e-4)


def test_pairing_leaves_independent_noise_alone():
    model = FlowMatching.for_vectors(2, width=4, blocks=1)
    noise = tf.constant([[1.0, 2.0]])
    with training_step(model):
        assert model.paired(noise, -noise) is noise


@pytest.mark.slow
def test_it_learns_two_points():
    """A wrong sign, time or path would not come near them."""
    points = np.array([[-1.0, 1.0], [1.5, -0.5]], "float32")
    model = FlowMatching.for_vectors(2, width=32, blocks=2, seed=0)
    model.compile("adam")
    model.fit(np.repeat(points, 128, axis=0), batch_size=64, epochs=150, verbose=0)
    drawn = model.sample(200, seed=0, steps=40, solver="heun")
    distances = np.linalg.norm(drawn[:, None] - points, axis=-1)
    assert np.median(distances.min(axis=1)) < 0.15
    nearest = distances.argmin(axis=1).mean()
    assert 0.35 < nearest < 0.65


def test_what_is_refused():
    model = FlowMatching.for_vectors(2, width=4, blocks=1, standardize=False)
    with pytest.raises(ValueError, match=r"steps is 0: expected an integer in \[1, 1000\]"):
        model.sample(2, steps=0)
    with pytest.raises(ValueError, match="solver is 'rk4': expected one of ddim, ancestral"):
        model.sample(2, solver="rk4")


def test_xla_is_refused_with_an_optimal_pairing():
    model = FlowMatching.for_vectors(2, width=4, blocks=1, pairing="optimal")
    with pytest.raises(ValueError, match="jit_compile is True and pairing is 'optimal', which XLA"):
        model.compile(jit_compile=True)
    model.compile()


@pytest.mark.thorough
@pytest.mark.parametrize("factor", [0.0, 0.7, -1.2])
def test_straightness_of_paths_that_are_known(factor):
    """x(t) = x(1) exp(factor (t - 1)); 0 for those that do not move."""
    model = FlowMatching(linear(factor), data="vectors")
    t = np.linspace(0, 1, 2001)
    end = np.exp(-factor)
    along = (1 - end - factor * np.exp(factor * (t - 1))) ** 2
    expected = 2 * along.mean()  # of two values of variance 1
    assert model.straightness(20_000, steps=500) == pytest.approx(expected, rel=0.04, abs=1e-9)
