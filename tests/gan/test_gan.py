"""Algorithm 1 against numpy, for networks that are one dense layer each."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import make_strategy
from keras_gen.gan import GAN
from keras_gen.losses import R1
from shared import losses_of, softplus, with_sgd

LATENTS, VALUES = 2, 3  # "images" are vectors of 3 values
RATE = 0.5


class Passing(keras.layers.Layer):
    """Keeps what passes in eager steps, and counts the calls in training as a state."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.calls = self.add_weight(
            shape=(), dtype="int32", trainable=False, initializer="zeros",
            aggregation="only_first_replica",
        )  # fmt: skip

    def call(self, x, training=False):
        if hasattr(x, "numpy"):
            self.seen.append(x.numpy())
        if training:
            self.calls.assign_add(1)
        return x


def player(inputs, kernel, bias):
    """x @ kernel + bias, behind a layer that keeps what passes."""
    dense = keras.layers.Dense(len(bias))
    network = keras.Sequential([keras.Input((inputs,)), Passing(), dense])
    dense.set_weights([kernel, bias])
    return network


def gan(weights, rate=0.0, **options):
    """The model with generator W, b and discriminator w, c, and SGD for both."""
    W, b, w, c = weights
    model = GAN(player(LATENTS, W, b), player(VALUES, w, c), **options)
    return with_sgd(model, rate, rate)


def seen(network):
    """What the network was given since it was last asked."""
    passing = network.layers[0]
    found, passing.seen = list(passing.seen), []
    return found


@pytest.fixture
def weights(rng):
    shapes = (LATENTS, VALUES), (VALUES,), (VALUES, 1), (1,)
    return [rng.normal(0, 0.7, shape) for shape in shapes]


def images(rng, n=4):
    return rng.uniform(-1, 1, (n, VALUES)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# The losses of discriminator and generator of logits of real images and of fakes; eq. (1), sec. 3
# of Goodfellow et al., and RSGAN.
LOSSES = {
    "minimax": (lambda r, f: softplus(-r) + softplus(f), lambda r, f: -softplus(f)),
    "non_saturating": (lambda r, f: softplus(-r) + softplus(f), lambda r, f: softplus(-f)),
    "relativistic": (lambda r, f: softplus(f - r), lambda r, f: softplus(r - f)),
}
# Their derivatives, the discriminator's by both logits, and the generator's by that of the fake.
SLOPES = {
    "minimax": (lambda r, f: (-sigmoid(-r), sigmoid(f)), lambda r, f: -sigmoid(f)),
    "non_saturating": (lambda r, f: (-sigmoid(-r), sigmoid(f)), lambda r, f: -sigmoid(-f)),
    "relativistic": (
        lambda r, f: (-sigmoid(f - r), sigmoid(f - r)), lambda r, f: -sigmoid(r - f)
    ),
}  # fmt: skip


def assert_weights(network, *expected):
    for variable, values in zip(network.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(variable, values, atol=1e-6)


@pytest.mark.parametrize("objective", LOSSES)
def test_losses_on_held_out_images(objective, weights, rng):
    W, b, w, c = weights
    model, x = gan(weights, objective=objective), images(rng)
    logs = losses_of(model, x)
    for_d, for_g = (z @ W + b for z in seen(model.generator))
    real, fake, other = (v @ w + c for v in (x, for_d, for_g))
    d_loss, g_loss = LOSSES[objective]
    assert np.abs(for_d - for_g).min() > 0
    expected = {"d_loss": d_loss(real, fake).mean(), "g_loss": g_loss(real, other).mean()}
    if objective != "relativistic":
        expected |= {"real_accuracy": (real > 0).mean(), "fake_accuracy": (fake < 0).mean()}
    assert logs == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("objective", LOSSES)
def test_a_step_is_algorithm_1(objective, weights, rng):
    """The discriminator takes its step first, and the generator plays against its new weights."""
    (W, b, w, c), x = weights, images(rng)
    model = gan(weights, RATE, objective=objective)
    logs = losses_of(model, x, training=True)
    z, other_z = seen(model.generator)
    (d_loss, g_loss), (d_slopes, g_slope) = LOSSES[objective], SLOPES[objective]

    made = z @ W + b
    real, fake = x @ w + c, made @ w + c
    assert logs["d_loss"] == pytest.approx(d_loss(real, fake).mean(), rel=1e-5)
    by_real, by_fake = (slope / len(x) for slope in d_slopes(real, fake))
    w = w - RATE * (x.T @ by_real + made.T @ by_fake)
    c = c - RATE * (by_real.sum(0) + by_fake.sum(0))
    assert_weights(model.discriminator, w, c)

    made = other_z @ W + b
    real, fake = x @ w + c, made @ w + c
    assert logs["g_loss"] == pytest.approx(g_loss(real, fake).mean(), rel=1e-5)
    by_made = g_slope(real, fake) / len(x) @ w.T
    W, b = W - RATE * other_z.T @ by_made, b - RATE * by_made.sum(0)
    assert_weights(model.generator, W, b)


PARTS = {
    6: [[0, 3], [1, 4], [2, 5]],
    5: [[0, 3], [1, 4], [2, 0]],  # short of one: the first is used again
}


@pytest.mark.parametrize("n", PARTS)
def test_the_k_updates_take_every_kth_example(n, weights, rng):
    # A relativistic generator also receives real examples, from the last part.
    model = gan(weights, RATE, objective="relativistic", discriminator_steps=3)
    x = images(rng, n)
    model.train_step(tf.constant(x))
    *shown, last_fake, last_real = seen(model.discriminator)
    latents = seen(model.generator)
    assert len(shown) == 6 and len(latents) == 4
    for part, real in zip(PARTS[n], shown[::2], strict=True):
        np.testing.assert_array_equal(real, x[part])
    np.testing.assert_array_equal(last_real, x[PARTS[n][-1]])
    # Each update has fakes of its own, as many as real examples.
    assert len({z.tobytes() for z in latents}) == 4
    assert {len(z) for z in [*latents, *shown, last_fake]} == {len(PARTS[n][0])}
    assert model.d_optimizer.iterations.numpy() == 3
    assert model.g_optimizer.iterations.numpy() == 1


# Of a linear discriminator the slope is its kernel, everywhere.
PENALTIES = {
    "gradient": (lambda w: 10 * (np.linalg.norm(w) - 1) ** 2,
                 lambda w: 20 * (np.linalg.norm(w) - 1) * w / np.linalg.norm(w)),
    "r1": (lambda w: 5 * np.sum(w**2), lambda w: 10 * w),
}  # fmt: skip


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_are_part_of_the_loss(name, weights, rng):
    weights[2] *= 2  # or it would be near the slope that the gradient penalty asks for
    W, b, w, c = weights
    rate = 0.01
    model, x = gan(weights, rate, penalty=name), images(rng)
    penalty, slope = PENALTIES[name]
    for training in (False, True):
        logs = losses_of(model, x, training=training)
        made = seen(model.generator)[0] @ W + b
        real, fake = x @ w + c, made @ w + c
        loss = (softplus(-real) + softplus(fake)).mean()
        assert logs["d_loss"] == pytest.approx(loss + penalty(w), rel=1e-5)
        assert penalty(w) > 0.1
    by_real, by_fake = -sigmoid(-real) / len(x), sigmoid(fake) / len(x)
    w_after = w - rate * (x.T @ by_real + made.T @ by_fake + slope(w))
    assert_weights(model.discriminator, w_after, c - rate * (by_real.sum(0) + by_fake.sum(0)))


@pytest.mark.thorough
@pytest.mark.parametrize("strategy", ["default", "mirrored"])
def test_a_lazy_penalty_counts_as_often_as_it_is_due(strategy, weights, rng):
    W, b, w, c = weights
    constant = [0 * W, b, w, c]  # whose images do not depend on the noise
    x = images(rng, 4)
    with make_strategy(strategy).scope():
        model = gan(constant, penalty=R1(weight=2.0, every=3))
    data = tf.data.Dataset.from_tensor_slices(x).batch(4, drop_remainder=True)
    losses = model.fit(data, epochs=5, verbose=0).history["d_loss"]
    loss = (softplus(-(x @ w + c)) + softplus(b @ w + c)).mean()
    np.testing.assert_allclose(losses, loss + np.array([3, 0, 0, 3, 0]) * np.sum(w**2), rtol=1e-5)
    if strategy == "default":
        evaluated = losses_of(model, x)["d_loss"]  # where it is always due
        np.testing.assert_allclose(evaluated, loss + np.sum(w**2), rtol=1e-5)


def test_a_penalty_changes_no_state_of_the_discriminator(weights, rng):
    model = gan(weights, penalty="gradient")
    model.train_step(tf.constant(images(rng)))
    # Once for real images, for fakes, and for the fakes of the generator's turn.
    assert model.discriminator.layers[0].calls.numpy() == 3
