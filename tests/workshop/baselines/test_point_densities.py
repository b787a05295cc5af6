"""A histogram and boosted trees as densities of points."""

import numpy as np

from keras_gen.data import checkerboard
from keras_gen.workshop.baselines import point_densities

LIMIT = 6.0  # of the square over which densities are integrated
SIDE = 400


def test_densities_have_a_mass_of_one_and_are_near_the_known_density():
    board = checkerboard()
    train, held_out, test = (board.sample(n, seed) for n, seed in ((5000, 0), (2000, 1), (2000, 2)))
    axis = (np.arange(SIDE) + 0.5) * 2 * LIMIT / SIDE - LIMIT
    plane = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    divergences = {}
    for name, log_density in point_densities(train, held_out).items():
        mass = np.exp(log_density(plane)).sum() * (2 * LIMIT / SIDE) ** 2
        np.testing.assert_allclose(mass, 1, atol=0.02)
        divergences[name] = (board.log_density(test) - log_density(test)).mean()
    assert -0.01 < divergences["histogram"] < 0.03  # its bins match the squares
    assert 0 < divergences["trees"] < 0.25


def test_points_outside_the_box_have_the_density_of_one_point_of_a_gaussian(rng):
    train = rng.normal(size=(999, 2))
    far = np.array([[5.0, 0.0]])
    difference = far - train.mean(axis=0)
    covariance = np.cov(train.T)
    exponent = -0.5 * (difference @ np.linalg.inv(covariance) * difference).sum()
    expected = exponent - np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(covariance)[1] - np.log(1000)
    for log_density in point_densities(train, train[:100]).values():
        np.testing.assert_allclose(log_density(far), expected, rtol=1e-6)


def test_points_on_an_edge_belong_to_the_bin_that_counted_them(rng):
    """Integers lie on edges of 2, 4, ..., 64 bins: each cell has the share of its points."""
    train = rng.binomial(2, 0.3, (300, 2)).astype(float)
    points, counts = np.unique(train, axis=0, return_counts=True)
    densities = np.exp(point_densities(train, train)["histogram"](points))
    np.testing.assert_allclose(densities / densities.sum(), counts / 300, atol=0.001)
