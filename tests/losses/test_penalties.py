import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import R1, GradientPenalty, penalties

RNG = np.random.default_rng(0)
REAL, FAKE = (tf.constant(RNG.normal(size=(4, 6, 6, 3)), tf.float32) for _ in range(2))
EPSILON = tf.constant(RNG.uniform(size=(4, 1, 1, 1)), tf.float32)


@pytest.mark.parametrize("weight", [10.0, 0.5])
def test_a_linear_critic_pays_its_distance_to_unit_norm(rng, weight):
    w = rng.normal(size=(6, 6, 3)).astype("float32")
    value = GradientPenalty(weight)(lambda x: tf.einsum("bhwc,hwc->b", x, w), REAL, FAKE, EPSILON)
    np.testing.assert_allclose(value, [weight * (np.linalg.norm(w) - 1) ** 2] * 4, rtol=1e-4)


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


def test_it_trains_a_keras_critic_to_unit_slope():
    slope = keras.layers.Dense(1, kernel_initializer=keras.initializers.RandomNormal(seed=1))
    critic = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Flatten(), slope])
    optimizer = keras.optimizers.SGD(0.1)
    for _ in range(20):
        with tf.GradientTape() as tape:
            loss = GradientPenalty(1.0)(critic, REAL, FAKE, EPSILON)
        kernel = critic.trainable_variables[0]
        optimizer.apply([tape.gradient(loss, kernel.value)], [kernel])
    np.testing.assert_allclose(np.linalg.norm(kernel), 1.0, atol=0.02)


def test_r1_is_the_squared_slope_at_real_examples():
    def critic(x):  # of slope 2 x
        return tf.reduce_sum(tf.square(x), axis=[1, 2, 3])

    expected = 0.5 * 3.0 * np.square(2 * REAL).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(R1(3.0)(critic, REAL, FAKE, EPSILON), expected, rtol=1e-5)


def test_a_critic_that_mixes_examples_is_refused():
    layers = [keras.Input((6, 6, 3)), keras.layers.BatchNormalization(name="mixing")]
    with pytest.raises(ValueError, match="'mixing' of critic mixes them: build it without"):
        GradientPenalty().check(keras.Sequential(layers, name="critic"))


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
    assert penalties.get(None) is None


def test_clear_errors():
    with pytest.raises(ValueError, match="gradient, r1"):
        penalties.get("r2")
    with pytest.raises(ValueError, match="at least 0"):
        GradientPenalty(-1.0)
    with pytest.raises(ValueError, match="one number for each example"):
        GradientPenalty()(None, REAL, FAKE, EPSILON[:, 0, 0, 0])
    with pytest.raises(ValueError, match="one shape"):
        GradientPenalty()(None, REAL, FAKE[:, :3], EPSILON)
