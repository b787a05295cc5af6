"""Lengths of paths of a linear generator, whose Jacobian is its matrix."""

import numpy as np
import tensorflow as tf

from keras_gen.losses import path_lengths


def linear(rng, layers=2, dim=3, side=2):
    matrix = rng.normal(size=(layers * dim, side * side)).astype("float32")

    def generate(styles):
        return tf.reshape(tf.reshape(styles, [-1, layers * dim]) @ matrix, [-1, side, side, 1])

    return generate, matrix


def test_is_the_length_of_the_jacobians_product(rng):
    generate, matrix = linear(rng)
    styles = tf.constant(rng.normal(size=(5, 2, 3)), tf.float32)
    y = rng.normal(size=(5, 2, 2, 1)).astype("float32")
    found = path_lengths(generate, styles, tf.constant(y))
    slopes = (y.reshape(5, 4) / 2) @ matrix.T
    expected = np.sqrt((slopes**2).sum(axis=1) / 2)  # the mean over two layers
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_gradient_by_the_generator_agrees_with_finite_differences(rng):
    w = tf.Variable(rng.normal(size=(3, 4)).astype("float64"))
    styles = tf.constant(rng.normal(size=(2, 1, 3)))
    y = tf.constant(rng.normal(size=(2, 2, 2, 1)), tf.float32)

    def loss():
        made = lambda s: tf.reshape(tf.tanh(tf.reshape(s, [-1, 3]) @ w), [-1, 2, 2, 1])  # noqa: E731
        return tf.reduce_sum(path_lengths(made, styles, y))

    with tf.GradientTape() as tape:
        value = loss()
    slope, step = tape.gradient(value, w).numpy(), 1e-2
    for place in ((0, 0), (2, 3)):
        start, ends = w.numpy(), []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            w.assign(moved)
            ends.append(float(loss()))
        w.assign(start)
        np.testing.assert_allclose(slope[place], (ends[0] - ends[1]) / (2 * step), rtol=1e-2)


def test_a_generator_that_ignores_its_styles_has_a_gradient():
    w = tf.Variable(tf.zeros([3, 4]))
    with tf.GradientTape() as tape:
        lengths = path_lengths(
            lambda s: tf.reshape(s[:, 0] @ w, [-1, 2, 2, 1]),
            tf.ones([2, 1, 3]),
            tf.ones([2, 2, 2, 1]),
        )
    np.testing.assert_allclose(lengths, 1e-6, rtol=1e-3)
    assert np.isfinite(tape.gradient(lengths, w)).all()
