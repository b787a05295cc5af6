import numpy as np
import pytest
import tensorflow as tf

from keras_gen.metrics import perceptual_path_length


def test_a_linear_generator_has_the_length_of_its_lines(rng):
    # |A z(t) - A z(t + e)|^2 / e^2 = |A (z_1 - z_0)|^2, whatever t and e.
    matrix = rng.normal(size=(4, 6)).astype("float32")
    start, end = rng.normal(size=(2, 50, 4))
    found = perceptual_path_length(
        lambda z: z @ matrix, lambda x: 2 * x, start, end, trim=0, batch_size=16
    )
    lengths = np.sum((2 * (end - start) @ matrix) ** 2, axis=1)
    assert found["path_length"] == pytest.approx(lengths.mean(), rel=1e-3)
    error = lengths.std(ddof=1) / np.sqrt(50)
    assert found["path_length_error"] == pytest.approx(error, rel=1e-2)
    assert found["n"] == 50
    # Without the shortest and the longest tenth.
    trimmed = perceptual_path_length(lambda z: z @ matrix, lambda x: 2 * x, start, end, trim=0.1)
    assert trimmed["path_length"] == pytest.approx(np.sort(lengths)[5:-5].mean(), rel=1e-3)


def test_great_circles_have_the_length_of_their_angle(rng):
    start, end = rng.normal(size=(2, 40, 5))
    unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (start, end)]
    angles = np.arccos(np.sum(unit[0] * unit[1], axis=1))
    calls = []

    def generate(z):
        calls.append(z.numpy())
        return 3 * z

    # On the sphere of length 1, |G(z(t)) - G(z(t + e))| / e is 3 times the angle, whatever t and
    # the lengths of the latents.
    for scale in (1, rng.uniform(0.1, 10, [40, 1])):
        found = perceptual_path_length(
            generate, tf.identity, scale * start, end, spherical=True, trim=0
        )
        assert found["path_length"] == pytest.approx(np.mean((3 * angles) ** 2), rel=1e-3)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(calls), axis=1), 1, atol=1e-6)
    # Latents on one ray are one point of the sphere.
    ray = perceptual_path_length(tf.identity, tf.identity, start, 2 * start, spherical=True)
    assert ray["path_length"] == pytest.approx(0, abs=1e-3)


def test_great_circles_lead_from_the_start_to_the_end(rng):
    # Over the quarter from x to y, t has the angle t * 90 degrees, wherever in it the path is cut.
    start, end = np.repeat([[[2.0, 0.0]], [[0.0, 5.0]]], 30, axis=1)
    calls = []

    def generate(z):
        calls.append(z.numpy())
        return z

    perceptual_path_length(generate, tf.identity, start, end, spherical=True, seed=4)
    degrees = np.rad2deg(np.arctan2(*calls[0][:30].T[::-1]))
    t = np.random.default_rng(4).uniform(size=30)
    np.testing.assert_allclose(degrees, 90 * t, atol=1e-3)


def test_a_curve_is_measured_where_its_points_are_drawn(rng):
    # G(z) = z^2 from 0 to 1: (2t)^2, of which the mean over t is 4/3.
    start, end = np.zeros([4000, 1]), np.ones([4000, 1])
    found = perceptual_path_length(tf.square, tf.identity, start, end, trim=0, batch_size=4000)
    assert abs(found["path_length"] - 4 / 3) < 4 * found["path_length_error"] < 0.1
