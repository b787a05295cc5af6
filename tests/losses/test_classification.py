"""The bound of the mutual information, where it is known."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import code_information


def numbers(found):
    return {name: values.numpy() for name, values in found.items()}


def test_a_noisy_channel_has_log_2_less_its_entropy():
    """A bit that is flipped with probability e, and Q that knows it: the bound is tight."""
    e = 0.2
    logits = np.log([[1 - e, e], [1 - e, e], [e, 1 - e], [e, 1 - e]])
    codes = tf.one_hot([0, 1, 1, 0], 2)
    found = numbers(code_information(codes, tf.constant(logits, tf.float32), [2]))
    information = np.average(found["information"], weights=[1 - e, e, 1 - e, e])
    entropy = -e * np.log(e) - (1 - e) * np.log(1 - e)
    assert information == pytest.approx(np.log(2) - entropy, rel=1e-5)
    np.testing.assert_array_equal(found["continuous"], 0)


def test_q_that_knows_nothing_and_q_that_knows_all():
    codes = tf.concat([tf.one_hot([2], 3), tf.one_hot([1], 4)], axis=1)
    nothing = numbers(code_information(codes, tf.zeros([1, 7]), (3, 4)))
    assert nothing["information"] == pytest.approx(0, abs=1e-6)
    everything = numbers(code_information(codes, 100 * codes, (3, 4)))
    assert everything["information"] == pytest.approx(np.log(12), rel=1e-6)


def test_numbers_are_normal_around_their_means():
    codes = tf.constant([[1.0, 0.5, -1.0]])
    raw = np.log(np.expm1(0.3))  # of which the softplus is 0.3
    found = tf.constant([[0.0, 0.25, -1.0, raw, raw]], tf.float32)
    values = numbers(code_information(codes, found, [1]))
    scale = 0.3 + 1e-3
    expected = 2 * (0.5 * np.log(2 * np.pi) + np.log(scale)) + 0.5 * (0.25 / scale) ** 2
    assert values["continuous"] == pytest.approx(expected, rel=1e-4)
    assert values["information"] == pytest.approx(2 * np.log(2) - expected, rel=1e-4)
    # Of a scale that is given, Q tells the means alone.
    values = numbers(code_information(codes, found[:, :3], [1], scale=2.0))
    expected = 2 * (0.5 * np.log(2 * np.pi) + np.log(2.0)) + 0.5 * (0.25 / 2.0) ** 2
    assert values["continuous"] == pytest.approx(expected, rel=1e-4)
