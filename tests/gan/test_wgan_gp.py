"""WGAN-GP's eq. (3) and algorithm 1 against numpy."""

import keras
import numpy as np
import pytest

from keras_gen.gan import WGANGP
from shared import losses_of, step_noise, with_sgd

LATENTS, VALUES = 2, 3
LAMBDA, RATE = 4.0, 0.05


@pytest.fixture
def weights(rng):
    """W, b of the generator and w, c of the critic."""
    shapes = (LATENTS, VALUES), (VALUES,), (VALUES, 1), (1,)
    return [rng.normal(0, 0.7, shape) for shape in shapes]


def wgan(weights, activation=None, rate=0.0, **options):
    """A linear generator, and as critic a function of a linear map."""
    W, b, w, c = weights
    generator = keras.Sequential([keras.Input((LATENTS,)), keras.layers.Dense(VALUES)])
    critic = keras.Sequential([keras.Input((VALUES,)), keras.layers.Dense(1, activation)])
    generator.set_weights([W, b])
    critic.set_weights([w, c])
    model = WGANGP(generator, critic, penalty_weight=LAMBDA, **options)
    return with_sgd(model, rate, rate)


def images(rng, n=4):
    return rng.uniform(-1, 1, (n, VALUES)).astype("float32")


def normal(model, use, n, training=True):
    """The latents of one use in the next step."""
    return step_noise(model, use, [n, LATENTS], training).astype("float64")


def test_losses_are_those_of_equation_3(weights, rng):
    W, b, w, c = weights
    model, x = wgan(weights), images(rng)
    for_d = normal(model, "discriminator 0", 4, False) @ W + b
    for_g = normal(model, "generator", 4, False) @ W + b
    distance = (x @ w + c).mean() - (for_d @ w + c).mean()
    penalty = LAMBDA * (np.linalg.norm(w) - 1) ** 2
    expected = {
        "d_loss": -distance + penalty,
        "g_loss": -(for_g @ w + c).mean(),
        "penalty_loss": penalty,
        "wasserstein_distance": distance,
    }
    assert losses_of(model, x) == pytest.approx(expected, rel=1e-4)


def test_the_penalty_is_between_real_images_and_fakes(weights, rng):
    """The slope of (w x + c)^2 is 2 (w x + c) w: another one at each point between the two."""
    W, b, w, c = weights
    model, x = wgan(weights, keras.ops.square), images(rng)
    fake = normal(model, "discriminator 0", 4, False) @ W + b
    mix = model.uniform("discriminator 0/penalty", [4, 1]).numpy()
    norms = np.linalg.norm(2 * ((mix * x + (1 - mix) * fake) @ w + c) * w.T, axis=1)
    assert np.ptp(norms) > 0.1
    found = losses_of(model, x)["penalty_loss"]
    assert found == pytest.approx(LAMBDA * np.mean((norms - 1) ** 2), rel=1e-4)


def test_a_step_is_algorithm_1(weights, rng):
    """n_critic updates on every n-th image, the penalty's slopes among their gradients."""
    W, b, w, c = weights
    model, x = wgan(weights, rate=RATE, discriminator_steps=2), images(rng, 6)
    latents = [normal(model, f"discriminator {k}", 3) for k in range(2)]
    z = normal(model, "generator", 3)
    logs = losses_of(model, x, training=True)
    for part, noise in zip((x[::2], x[1::2]), latents, strict=True):
        fake, norm = noise @ W + b, np.linalg.norm(w)
        distance = (part @ w).mean() - (fake @ w).mean()
        penalty = LAMBDA * (norm - 1) ** 2
        slope = fake.mean(0) - part.mean(0)
        w = w - RATE * (slope[:, None] + LAMBDA * 2 * (norm - 1) * w / norm)
    expected = dict(d_loss=penalty - distance, wasserstein_distance=distance, penalty_loss=penalty)
    assert {name: logs[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    # The bias adds the same to real images and fakes, and so stays.
    for found, value in zip(model.discriminator.get_weights(), (w, c), strict=True):
        np.testing.assert_allclose(found, value, atol=1e-6)
    assert logs["g_loss"] == pytest.approx(-((z @ W + b) @ w + c).mean(), rel=1e-4)
    by_fake = np.repeat(-w.T, 3, axis=0) / 3
    expected = W - RATE * z.T @ by_fake, b - RATE * by_fake.sum(0)
    for found, value in zip(model.generator.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, value, atol=1e-6)
