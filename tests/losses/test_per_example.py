import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses.per_example import log_sigmoid, softplus

POINTS = [-1e4, -100.0, -20.0, -1.5, 0.0, 1e-3, 1.5, 20.0, 100.0, 1e4]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softplus_and_its_first_two_derivatives_are_the_closed_forms(dtype):
    x = np.array(POINTS)
    sigmoid = np.exp(-np.logaddexp(0, -x))
    tolerance = dict(rtol=1e-5, atol=1e-7) if dtype == "float32" else dict(rtol=1e-12, atol=1e-15)
    points = tf.constant(POINTS, dtype)
    with tf.GradientTape() as outer:
        outer.watch(points)
        with tf.GradientTape() as inner:
            inner.watch(points)
            values = softplus(points)
        slopes = inner.gradient(values, points)
    curvatures = outer.gradient(slopes, points)
    np.testing.assert_allclose(values, np.logaddexp(0, x), **tolerance)
    np.testing.assert_allclose(slopes, sigmoid, **tolerance)
    wanted = sigmoid * np.exp(-np.logaddexp(0, x))
    np.testing.assert_allclose(curvatures, wanted, atol=1e-7, rtol=1e-5)
    np.testing.assert_allclose(log_sigmoid(points), -np.logaddexp(0, -x), **tolerance)


def test_softplus_is_the_same_compiled_by_xla():
    points = tf.constant(POINTS)

    @tf.function(jit_compile=True)
    def values_and_slopes():
        with tf.GradientTape() as tape:
            tape.watch(points)
            values = softplus(points)
        return values, tape.gradient(values, points)

    values, slopes = values_and_slopes()
    np.testing.assert_allclose(values, softplus(points), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(slopes, tf.sigmoid(points), rtol=1e-5, atol=1e-7)
