"""Distributions of the plane: their densities sum to 1, and points follow them."""

import numpy as np
import pytest

from keras_gen.data import checkerboard, rings, two_moons

SETS = {"moons": two_moons, "rings": rings, "checkerboard": checkerboard}
SIDE, CELLS, PARTS = 4.0, 16, 20  # half of the square, its cells and the parts of each, by side


def grid():
    """The middles of all parts of the cells, `[cells * parts, cells * parts, 2]`."""
    parts = CELLS * PARTS
    middles = SIDE * (2 * (np.arange(parts) + 0.5) / parts - 1)
    return np.stack(np.meshgrid(middles, middles, indexing="ij"), axis=-1)


@pytest.mark.thorough
@pytest.mark.parametrize("name", SETS)
def test_densities_are_those_of_the_points(name):
    distribution = SETS[name]()
    points = grid()
    density = np.exp(distribution.log_density(points.reshape(-1, 2)))
    part = (2 * SIDE / len(points)) ** 2
    masses = density.reshape(CELLS, PARTS, CELLS, PARTS).sum(axis=(1, 3)) * part
    assert masses.sum() == pytest.approx(1, abs=1e-4)
    n = 100_000
    drawn = distribution.sample(n, seed=1)
    assert drawn.shape == (n, 2) and drawn.dtype == np.float32
    edges = np.linspace(-SIDE, SIDE, CELLS + 1)
    found = np.histogram2d(*drawn.T, bins=[edges, edges])[0] / n
    assert np.abs(found - masses).max() < 5 * np.sqrt(masses.max() / n)
    assert np.isfinite(distribution.log_density(drawn)).all()
    np.testing.assert_array_equal(distribution.sample(5, seed=2), distribution.sample(5, seed=2))


def test_shapes():
    """Moons are their own image turned by half a circle; rings have radii; boards have squares."""
    points = np.random.default_rng(0).normal(size=(50, 2))
    moons = two_moons(radius=1.0, std=0.3)
    np.testing.assert_allclose(moons.log_density(points), moons.log_density(-points))
    radii = np.linalg.norm(rings((1.0, 4.0), std=0.01).sample(1000), axis=1)
    assert np.minimum(abs(radii - 1), abs(radii - 4)).max() < 0.05
    assert abs((radii < 2).mean() - 0.5) < 0.08
    board = checkerboard(squares=2, side=3.0)
    inside = board.log_density(np.array([[-1, -1], [1, 1], [-1, 1], [3, 3], [3.1, 1]]))
    np.testing.assert_allclose(inside, [-np.log(18)] * 2 + [-np.inf, -np.log(18), -np.inf])
