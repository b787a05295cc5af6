"""Paths between latents against what circles and lines are."""

import numpy as np
import pytest

from keras_gen.core.interpolation import great_circle, line, path, slerp


@pytest.mark.parametrize("path", [line, slerp])
def test_lead_from_the_start_to_the_end(path, rng):
    start, end = rng.normal(size=(2, 5, 4))
    np.testing.assert_allclose(path(start, end, 0.0), start, atol=1e-12)
    np.testing.assert_allclose(path(start, end, 1.0), end, atol=1e-12)
    # The way back is the way.
    np.testing.assert_allclose(path(start, end, 0.3), path(end, start, 0.7), atol=1e-12)


def test_slerp_of_equal_lengths_keeps_the_length_and_the_speed(rng):
    start, end = rng.normal(size=(2, 5, 4))
    start, end = (3 * z / np.linalg.norm(z, axis=1, keepdims=True) for z in (start, end))
    path = np.stack([slerp(start, end, t) for t in np.linspace(0, 1, 9)])
    np.testing.assert_allclose(np.linalg.norm(path, axis=-1), 3)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape))
    # The line is shorter in its middle.
    assert (np.linalg.norm(line(start, end, 0.5), axis=1) < 2.99).all()
    # Shoemake's formula.
    angle = np.arccos(np.sum(start * end, axis=1, keepdims=True) / 9)
    formula = (np.sin(0.75 * angle) * start + np.sin(0.25 * angle) * end) / np.sin(angle)
    np.testing.assert_allclose(slerp(start, end, 0.25), formula)


def test_slerp_of_unequal_lengths(rng):
    start, end = np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]])
    np.testing.assert_allclose(slerp(start, end, 0.5), [[np.sqrt(2), np.sqrt(2)]])
    ray = slerp(start, 5 * start, 0.25)
    np.testing.assert_allclose(ray, 2 * start)


def test_between_no_pairs_are_no_points():
    for spherical in (False, True):
        nothing = np.zeros([0, 2, 3])
        assert path(nothing, nothing, 4, spherical).shape == (0, 4, 2, 3)


def test_no_one_great_circle():
    for end in (np.zeros([1, 2]), np.array([[-2.0, 0.0]])):
        with pytest.raises(ValueError, match="1 of 1 pairs of latents that no one great circle"):
            great_circle(np.array([[1.0, 0.0]]), end, 0.5)
