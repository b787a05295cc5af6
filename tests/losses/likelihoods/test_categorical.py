import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from keras_gen.core import noise
from keras_gen.losses import Categorical

SHAPE = (3, 4, 4, 2)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_against_numpy(rng, dtype):
    logits = 3 * rng.normal(size=(*SHAPE, 5))
    x = rng.integers(0, 5, size=SHAPE)
    log_probabilities = special.log_softmax(logits, axis=-1)
    wanted = np.take_along_axis(log_probabilities, x[..., None], -1).sum(axis=(1, 2, 3, 4))
    value = Categorical(5).log_prob(logits.reshape(3, 4, 4, 10), x.astype(dtype))
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    mean = (np.exp(log_probabilities) * np.arange(5)).sum(axis=-1)
    np.testing.assert_allclose(Categorical(5).mean(logits.reshape(3, 4, 4, 10)), mean, rtol=1e-5)


def test_probabilities_of_all_levels_sum_to_one(rng):
    params = tf.constant(np.tile(5 * rng.normal(size=256), [256, 1]), tf.float32)
    value = Categorical().log_prob(params, tf.range(256)[:, None])
    np.testing.assert_allclose(np.exp(value).sum(), 1.0, rtol=1e-5)


def test_values_and_gradients_are_finite_at_extreme_logits():
    logits = tf.constant([[1e4, 0.0, -1e4]] * 3)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = Categorical(3).log_prob(logits, tf.constant([[0], [1], [2]]))
    np.testing.assert_allclose(value, [0.0, -1e4, -2e4])
    np.testing.assert_allclose(tape.gradient(value, logits), [[0, 0, 0], [-1, 1, 0], [-1, 0, 1]])


def test_noise_chooses_the_level_of_highest_sum(rng):
    logits, gumbel = rng.normal(size=(2, 3, 2, 4)).astype("float32")
    likelihood = Categorical(4)
    params = logits.reshape(3, 8)
    drawn = likelihood.sample_from(params, gumbel)
    assert drawn.shape == (3, 2) and drawn.dtype == tf.float32
    np.testing.assert_array_equal(drawn, (logits + gumbel).argmax(axis=-1))
    np.testing.assert_array_equal(
        likelihood.sample(params, [1, 2]),
        likelihood.sample_from(params, noise.gumbel([3, 2, 4], [1, 2])),
    )


def test_samples_are_as_frequent_as_the_softmax_says():
    n, logits = 20_000, np.array([[0.0, 1.0, -2.0], [2.0, -1.0, 2.0]], "float32")
    drawn = Categorical(3).sample(np.tile(logits.reshape(1, 6), [n, 1]), [1, 2]).numpy()
    frequencies = (drawn[..., None] == np.arange(3)).mean(axis=0)
    wanted = special.softmax(logits, axis=-1)
    assert (np.abs(frequencies - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / n)).all()
    # One channel tells nothing about the other.
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 5 / np.sqrt(n)
