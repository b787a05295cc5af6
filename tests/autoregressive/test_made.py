"""MADE against normal distributions in closed form."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from gaussians import VALUES, excess, linear_gaussian
from keras_gen.autoregressive import MADE, sample_causal
from keras_gen.losses import Bernoulli, NormalMixture, Poisson
from keras_gen.networks import made, pixel_cnn

MEAN, DEVIATION = np.array([0.5, -1.0, 2.0]), np.array([0.6, 1.5, 0.9])
# What each value adds to the means of those after it.
WEIGHTS = np.array([[0, 0.8, -0.5], [0, 0, 1.2], [0, 0, 0]])


def moved(model, rng):
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    return model


@pytest.fixture
def linear():
    """x_d ~ N(mean_d + the sum of WEIGHTS x of those before, DEVIATION_d^2)."""
    model = MADE(made(3, 3, hidden=()), NormalMixture(1))
    kernel = np.full((3, 3, 3), 9.0)  # what is masked must not matter
    kernel[np.triu_indices(3, 1)] = 0.0
    kernel[..., 1] += np.triu(WEIGHTS, 1)
    raw = np.log(np.expm1(DEVIATION - model.likelihood.minimum_scale))
    bias = np.stack([np.zeros(3), MEAN, raw], axis=-1)
    model.network.set_weights([kernel.reshape(3, 9), bias.ravel()])
    return model


def test_density_and_samples_of_a_linear_model(linear):
    """x = (1 - W^T)^-1 (mean + DEVIATION e) is normal, and noise draws e by its quantiles."""
    mixing = np.linalg.inv(np.eye(3) - WEIGHTS.T)
    covariance = mixing @ np.diag(DEVIATION**2) @ mixing.T
    distribution = stats.multivariate_normal(mixing @ MEAN, covariance)
    points = distribution.rvs(6, random_state=0).astype("float32")
    np.testing.assert_allclose(linear.log_prob(points), distribution.logpdf(points), rtol=1e-4)
    uniform = np.random.default_rng(0).uniform(0.01, 0.99, (6, 3, 2)).astype("float32")
    for temperature in (1.0, 0.5):
        error = temperature * DEVIATION * special.ndtri(uniform[..., 1])
        drawn = linear.from_noise(tf.constant(uniform), temperature)
        np.testing.assert_allclose(drawn, (MEAN + error) @ mixing.T, rtol=1e-3, atol=1e-4)
    drawn = linear.sample(4000, seed=1, batch_size=4000)
    assert drawn.shape == (4000, 3) and drawn.dtype == np.float32
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.35)
    np.testing.assert_allclose(drawn.mean(axis=0), mixing @ MEAN, atol=0.2)


@pytest.mark.thorough
@pytest.mark.parametrize("hidden", [(), (5,), (7, 6)])
def test_parameters_depend_on_all_values_before_and_no_others(hidden, rng):
    network = moved(made(4, 2, hidden, activation="tanh"), rng)
    x = tf.constant(rng.normal(size=(3, 4)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        parameters = network(x)
    slopes = np.abs(tape.batch_jacobian(parameters, x)).max(axis=0).reshape(4, 2, 4)
    depends = (slopes > 0).all(axis=1)
    np.testing.assert_array_equal(depends, np.tri(4, 4, -1, dtype=bool))


def test_binary_vectors_sum_to_1_and_are_drawn_as_often(rng):
    network = moved(made(3, 1, hidden=(4,), activation="tanh"), rng)
    model = MADE(network, Bernoulli())
    vectors = np.array(list(np.ndindex(2, 2, 2)), "float32")
    p = np.exp(model.log_prob(vectors))
    assert p.sum() == pytest.approx(1, abs=1e-5)
    noise = model.noise(4000, [1, 2])
    drawn = model.from_noise(noise).numpy().astype(int)
    found = np.bincount(drawn @ [4, 2, 1], minlength=8) / 4000
    np.testing.assert_allclose(found, p, atol=0.035)

    def draw(logits, uniform):
        return model.likelihood.draw(logits, uniform[:, None])[:, 0]

    for cached in (True, False):
        again = sample_causal(network, draw, noise, cached=cached)
        np.testing.assert_array_equal(again, drawn)


def test_other_networks_are_refused():
    x = keras.Input((2,))
    sees_all = keras.Model(x, keras.layers.Dense(6)(x))
    with pytest.raises(
        ValueError, match=r"not causal: its outputs .* at \(channel\) = \(0,\) depend"
    ):
        MADE(sees_all, NormalMixture(1))
    images = pixel_cnn((4, 4, 1), 1, filters=2, blocks=1, levels=2)
    with pytest.raises(
        ValueError, match=r"shape \(4, 4, 1\): expected a network that accepts vectors"
    ):
        MADE(images, "bernoulli")
    with pytest.raises(
        ValueError, match=r"likelihood is Poisson.*cannot be sampled value by value"
    ):
        MADE(made(3, 1), Poisson())
    with pytest.raises(ValueError, match="expected at least 2 values"):
        made(1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("hidden, mixtures", [((), 1), ((32,), 2)])
def test_a_known_normal_distribution_is_learned_to_its_entropy(hidden, mixtures):
    keras.utils.set_random_seed(0)
    points, distribution = linear_gaussian(40_000)
    model = MADE(made(VALUES, 3 * mixtures, hidden, "tanh"), NormalMixture(mixtures))
    rate = keras.optimizers.schedules.CosineDecay(0.02, 1200)
    model.compile(keras.optimizers.Adam(rate), steps_per_execution=75)
    model.fit(points[:30_000], batch_size=200, epochs=8, verbose=0)
    assert -0.001 < excess(model, points[30_000:], distribution) < 0.02
