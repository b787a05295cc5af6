"""Penalties of critics whose slopes are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import (
    DRAGAN,
    R1,
    R2,
    Consistency,
    GradientPenalty,
    JensenShannonRegularizer,
    penalties,
)
from keras_gen.networks import mlp_encoder

RNG = np.random.default_rng(0)
REAL, FAKE = (tf.constant(RNG.normal(size=(4, 6, 6, 3)), tf.float32) for _ in range(2))
EPSILON = tf.constant(RNG.uniform(size=(4, 1, 1, 1)), tf.float32)


@pytest.mark.parametrize("weight", [10.0, 0.5])
def test_a_linear_critic_pays_its_distance_to_unit_norm(rng, weight):
    w = rng.normal(size=(6, 6, 3)).astype("float32")
    value = GradientPenalty(weight)(lambda x: tf.einsum("bhwc,hwc->b", x, w), REAL, FAKE, EPSILON)
    np.testing.assert_allclose(value, [weight * (np.linalg.norm(w) - 1) ** 2] * 4, rtol=1e-4)


@pytest.mark.parametrize("slope,cost", [(-0.5, 0.0), (0.9, 0.0), (-3.0, 8.0), (1.5, 0.5)])
def test_one_sided_it_costs_slopes_above_1_alone(slope, cost):
    penalty, x = GradientPenalty(2.0, one_sided=True), tf.ones([3, 1])
    np.testing.assert_allclose(penalty(lambda x: slope * x, x, 0 * x, x), [cost] * 3, rtol=1e-5)


def test_the_gradient_is_taken_between_the_batches():
    # D(x) = |x|^2 / 2 has the gradient x itself.
    def critic(x):
        return tf.reduce_sum(tf.square(x), axis=[1, 2, 3]) / 2

    between = (EPSILON * REAL + (1 - EPSILON) * FAKE).numpy().reshape(4, -1)
    np.testing.assert_allclose(
        GradientPenalty(1.0)(critic, REAL, FAKE, EPSILON),
        (np.linalg.norm(between, axis=1) - 1) ** 2,
        rtol=1e-4,
    )


def test_a_map_of_logits_counts_as_its_mean():
    def critic(x):
        return x[:, :2, :2, 0]

    value = GradientPenalty(1.0)(critic, REAL, FAKE, EPSILON)
    np.testing.assert_allclose(value, [(0.5 - 1) ** 2] * 4, rtol=1e-5)


def test_a_critic_that_ignores_its_input_pays_the_whole_weight_and_has_finite_gradients():
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        loss = GradientPenalty()(
            lambda x: weight * tf.reduce_sum(x, axis=[1, 2, 3]), REAL, FAKE, EPSILON
        )
    np.testing.assert_allclose(loss, [10.0] * 4, rtol=1e-4)
    assert np.isfinite(tape.gradient(loss, weight))


@pytest.mark.parametrize(("penalty", "examples"), [(R1(3.0), REAL), (R2(3.0), FAKE)])
def test_r1_and_r2_are_the_squared_slope_at_real_examples_and_at_fakes(penalty, examples):
    def critic(x):  # of slope 2 x
        return tf.reduce_sum(tf.square(x), axis=[1, 2, 3])

    expected = 0.5 * 3.0 * np.square(2 * examples).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(penalty(critic, REAL, FAKE, EPSILON), expected, rtol=1e-5)


@pytest.mark.parametrize("std", [0.0, 0.5])
def test_dragan_is_around_real_examples(std):
    def critic(x):  # of slope x
        return tf.reduce_sum(tf.square(x), axis=[1, 2, 3]) / 2

    noise = tf.constant(RNG.normal(size=REAL.shape), tf.float32)
    around = np.reshape(REAL + std * noise, (4, -1))
    np.testing.assert_allclose(
        DRAGAN(2.0, std=std)(critic, REAL, FAKE, noise),
        2 * (np.linalg.norm(around, axis=1) - 1) ** 2,
        rtol=1e-4,
    )


def gaussian(mean, variance, x):
    return np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


def test_the_jensen_shannon_regularizer_is_what_noise_does_to_the_best_discriminator():
    """The derivative of its loss by the variance of noise on data and model, at none.

    P = N(-0.5, 0.5) and Q = N(0.5, 1); noise adds to both variances.
    """
    x = np.linspace(-9.0, 9.0, 6001)
    step = x[1] - x[0]

    def critic(values):  # log p / q
        return values**2 / -1.0 - values - 0.25 + (values - 0.5) ** 2 / 2 + np.log(2) / 2

    def loss(variance):
        p, q = gaussian(-0.5, 0.5 + variance, x), gaussian(0.5, 1.0 + variance, x)
        v = critic(x)
        return step * np.sum(p * np.logaddexp(0, -v) + q * np.logaddexp(0, v))

    p, q = gaussian(-0.5, 0.5, x), gaussian(0.5, 1.0, x)
    np.testing.assert_allclose(critic(x), np.log(p / q), atol=1e-9)
    column = tf.constant(x[:, None], tf.float32)
    regularizer = JensenShannonRegularizer(weight=1.0)
    # At examples of one kind, the other's logit where it costs nothing.
    of_real = regularizer(critic_like(critic, "real"), column, column, None)
    of_fake = regularizer(critic_like(critic, "fake"), column, column, None)
    found = step * np.sum(p * of_real.numpy() + q * of_fake.numpy())
    slope = (loss(1e-4) - loss(-1e-4)) / 2e-4
    assert slope > 0.1
    np.testing.assert_allclose(found, slope, rtol=1e-3)


def critic_like(critic, kind):
    """The critic when it is called for that kind; of the other, real first, no slope."""
    calls = iter(("real", "fake"))

    def judge(values):
        return critic(values[:, 0]) if next(calls) == kind else 0.0 * values[:, 0]

    return judge


@pytest.mark.parametrize(
    "penalty", [R1(2.0), R2(2.0), GradientPenalty(2.0), DRAGAN(2.0), JensenShannonRegularizer(2.0)]
)
def test_gradients_by_the_weights_are_those_of_differences(penalty):
    critic = mlp_encoder((2,), latent_dim=1, hidden=(5,))
    real, fake = (tf.constant(RNG.normal(size=(6, 2)), tf.float32) for _ in range(2))
    shape = (6, 2) if penalty.noise_per_value else (6, 1)
    noise = tf.constant(RNG.uniform(size=shape), tf.float32)
    variables = critic.trainable_variables
    directions = [tf.constant(RNG.normal(size=v.shape), tf.float32) for v in variables]

    def value():
        return tf.reduce_mean(penalty(critic, real, fake, noise))

    with tf.GradientTape() as tape:
        loss = value()
    slopes = tape.gradient(loss, [v.value for v in variables], unconnected_gradients="zero")
    expected = sum(float(tf.reduce_sum(s * d)) for s, d in zip(slopes, directions, strict=True))
    before, ends = critic.get_weights(), []
    for h in (5e-3, -5e-3):
        critic.set_weights([w + h * d for w, d in zip(before, directions, strict=True)])
        ends.append(float(value()))
    assert abs(expected) > 1e-2
    assert (ends[0] - ends[1]) / 1e-2 == pytest.approx(expected, rel=2e-3, abs=1e-3)


def test_a_bfloat16_critic_gives_float32():
    def critic(x):
        return tf.cast(tf.reduce_sum(x, axis=[1, 2, 3]), tf.bfloat16)

    value = GradientPenalty(1.0)(critic, REAL, FAKE, EPSILON)
    assert value.dtype == tf.float32
    np.testing.assert_allclose(value, [(np.sqrt(108.0) - 1) ** 2] * 4, rtol=1e-3)


def test_config_round_trip_and_names():
    penalty = GradientPenalty(weight=3.0)
    assert penalties.get(keras.saving.serialize_keras_object(penalty)) == penalty
    assert penalties.get("gradient") == GradientPenalty(10.0)
    assert penalties.get(keras.saving.serialize_keras_object(DRAGAN(std=0.1))) == DRAGAN(std=0.1)
    assert penalties.get(None) is None


SHAPE = (5, 6, 1)


def transformed(image, pixels):
    """All images that the image may become, flipped or not, by down, right and flip."""
    found = {}
    for flip in (0, 1):
        padded = np.pad(image[:, ::-1] if flip else image, [[pixels] * 2] * 2 + [[0, 0]], "reflect")
        height, width, _ = image.shape
        for down in range(-pixels, pixels + 1):
            for right in range(-pixels, pixels + 1):
                rows, columns = pixels - down, pixels - right
                found[down, right, flip] = padded[rows : rows + height, columns : columns + width]
    return found


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_every_transformation_is_as_likely(pixels, rng):
    image, weights = rng.normal(size=SHAPE), rng.normal(size=SHAPE).astype("float32")
    expected = transformed(image, pixels)
    count = 2 * (2 * pixels + 1) ** 2
    assert len(expected) == count
    epsilon = (np.arange(count, dtype="float32") + 0.5).reshape(-1, 1, 1, 1) / count
    real = tf.constant(np.tile(image[None], [count, 1, 1, 1]), tf.float32)

    def critic(x):
        return tf.einsum("bhwc,hwc->b", x, weights)

    paid = Consistency(3.0, pixels=pixels)(critic, real, None, tf.constant(epsilon))
    differences = [np.sum(weights * (image - other)) for other in expected.values()]
    np.testing.assert_allclose(np.sort(paid), np.sort(3 * np.square(differences)), atol=1e-3)


def test_uniform_numbers_stay_within_the_transformations():
    ends = tf.constant([[0.0], [np.nextafter(np.float32(1), np.float32(0))]])[:, :, None, None]
    seen = []

    def critic(x):
        seen.append(x.numpy())
        return x[:, 0, 0, 0]

    rng = np.random.default_rng(0)
    real = tf.constant(rng.normal(size=(2, *SHAPE)), tf.float32)
    Consistency(pixels=2)(critic, real, None, ends)
    first, last = seen[1]
    np.testing.assert_array_equal(first, transformed(real[0].numpy(), 2)[-2, -2, 0])
    np.testing.assert_array_equal(last, transformed(real[1].numpy(), 2)[2, 2, 1])


def test_maps_of_logits_count_as_their_mean(rng):
    real = tf.constant(rng.normal(size=(2, *SHAPE)), tf.float32)
    value = Consistency(1.0, pixels=0)(lambda x: x[..., 0], real, None, tf.constant([0.1, 0.9]))
    flipped = np.mean((real - real[:, :, ::-1]) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(value, [0, flipped[1]], rtol=1e-5)


def test_names_and_configurations_of_consistency():
    assert penalties.get("consistency") == Consistency(10.0, 1, 4)
    penalty = Consistency(pixels=2)
    assert penalties.get(keras.saving.serialize_keras_object(penalty)) == penalty
    penalty.check(keras.Sequential([keras.Input([3, None, 1]), keras.layers.BatchNormalization()]))
