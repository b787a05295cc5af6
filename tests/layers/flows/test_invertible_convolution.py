"""The invertible 1x1 convolution and its LU decomposition."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers.flows import InvertibleConvolution


def built(channels=6, **options):
    layer = InvertibleConvolution(**options)
    layer.build((None, 2, 3, channels))
    return layer


@pytest.mark.parametrize("lu", [False, True])
def test_it_starts_as_a_rotation(lu):
    matrix = built(lu=lu, seed=4).matrix().numpy().astype("float64")
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(6), atol=1e-5)
    assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(matrix, built(lu=lu, seed=4).matrix())
    assert np.abs(matrix - built(lu=lu, seed=5).matrix()).max() > 0.1


def test_both_forms_are_one_map(rng):
    """They start from one rotation, and stay equal where the weights are set to be."""
    plain, factors = built(seed=1), built(lu=True, seed=1)
    x = tf.constant(rng.normal(size=(4, 2, 3, 6)), tf.float32)
    np.testing.assert_allclose(plain.matrix(), factors.matrix(), atol=1e-6)
    for weight in (factors.lower, factors.upper, factors.log_s):
        weight.assign_add(rng.normal(0, 0.3, weight.shape))
    # Eq. (10): W = P L (U + diag(s)), by the definitions of its parts.
    lower = np.tril(factors.lower, -1) + np.eye(6)
    upper = np.triu(factors.upper, 1) + np.diag(factors.sign * np.exp(factors.log_s))
    permutation = np.eye(6)[np.array(factors.order)]
    plain.kernel.assign(permutation @ lower @ upper)
    for one, other in zip(plain(x)[:2], factors(x)[:2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(factors.inverse(plain(x)[0]), x, atol=1e-4)


def test_it_is_one_matrix_at_every_pixel(rng):
    layer = built(channels=3)
    layer.kernel.assign(kernel := rng.normal(size=(3, 3)))
    x = rng.normal(size=(2, 2, 3, 3)).astype("float32")
    y, log_det, _ = layer(x)
    np.testing.assert_allclose(y[1, 0, 2], kernel @ x[1, 0, 2], rtol=1e-5)
    expected = 2 * 3 * np.linalg.slogdet(kernel)[1]  # eq. (9)
    np.testing.assert_allclose(log_det, [expected] * 2, rtol=1e-5)


def test_what_is_trained():
    assert [w.name for w in built().trainable_variables] == ["kernel"]
    assert [w.name for w in built(lu=True).trainable_variables] == ["lower", "upper", "log_s"]


@pytest.mark.parametrize("lu", [False, True])
def test_gradients_pull_to_larger_determinants(lu, rng):
    """That of log |det W| is the inverse, transposed, for the plain form, and 1 for each log s."""
    layer = built(lu=lu)
    x = tf.constant(rng.normal(size=(1, 2, 3, 6)), tf.float32)

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            log_det = layer(x)[1][0]
        return tape.gradient(log_det, layer.log_s.value if lu else layer.kernel.value)

    expected = np.ones(6) if lu else np.linalg.inv(layer.matrix()).T
    np.testing.assert_allclose(gradients(), 6 * expected, rtol=1e-4, atol=1e-4)


@pytest.mark.thorough
def test_the_determinant_is_one_for_xla_too(rng):
    """Which has no operation for determinants themselves."""
    layer = InvertibleConvolution(lu=False)
    x = tf.constant(rng.normal(size=(2, 3)), "float32")
    layer.build(x.shape)
    layer.kernel.assign(rng.normal(size=(3, 3)))

    def log_det_and_slope():
        with tf.GradientTape() as tape:
            log_det = layer(x)[1]
            total = tf.reduce_sum(log_det)
        return log_det, tape.gradient(total, layer.kernel.value)

    kernel = layer.kernel.numpy().astype("float64")
    expected = np.linalg.slogdet(kernel)[1], 2 * np.linalg.inv(kernel).T
    for function in (log_det_and_slope, tf.function(log_det_and_slope, jit_compile=True)):
        log_det, slope = function()
        np.testing.assert_allclose(log_det, [expected[0]] * 2, rtol=1e-4)
        np.testing.assert_allclose(slope, expected[1], rtol=1e-3, atol=1e-4)
