"""Points, series, and grids of factors whose distribution is known."""

import itertools

import numpy as np
import pytest
from scipy import stats

from keras_gen.data import (
    Factors,
    Oscillations,
    checkerboard,
    points_around,
    rings,
    stacked_digits,
    two_moons,
)
from keras_gen.metrics import gaussian_modes, grid_centers


def test_points_lie_around_all_centers():
    centers = grid_centers(3)
    points = points_around(centers, std=0.05, n=9000, seed=1).arrays()
    assert points.shape == (9000, 2) and points.dtype == np.float32
    report = gaussian_modes(points, centers, std=0.05)
    # 1 - exp(-4.5) of them lie within three deviations.
    assert report["modes"] == 9 and abs(report["high_quality_fraction"] - 0.989) < 0.005
    assert report["reverse_kl"] < 0.005
    offsets = points[:, None] - centers
    nearest = np.abs(offsets).sum(-1).argmin(1)
    assert np.std(offsets[np.arange(9000), nearest], axis=0) == pytest.approx([0.05] * 2, rel=0.03)


def test_each_channel_is_a_digit_of_its_own():
    labels = np.arange(10)
    images = np.broadcast_to(labels[:, None, None, None], (10, 2, 3, 1)).astype("uint8")
    stacked, modes = stacked_digits(images, labels, n=4000)
    assert stacked.shape == (4000, 2, 3, 3) and stacked.dtype == np.uint8
    assert not np.ptp(stacked, axis=(1, 2)).any()  # an image shows its label
    np.testing.assert_array_equal(stacked[:, 0, 0].astype(int) @ [100, 10, 1], modes)
    # A mode is missed by 4,000 draws with probability exp(-4).
    assert abs(len(np.unique(modes)) - 982) < 20


def test_series_are_noisy_sines_and_their_derivatives():
    swings = Oscillations(steps=64, amplitude=2.0, frequencies=(2.0, 2.0), noise=1e-6)
    series = swings.sample(5, seed=1)
    assert series.dtype == "float32" and series.shape == (5, 64, 2)
    position, speed = series[..., 0], series[..., 1]
    np.testing.assert_allclose(position[:, 32:], position[:, :32], atol=1e-3)  # two swings
    np.testing.assert_allclose(position**2 + (speed / (4 * np.pi)) ** 2, 4.0, rtol=1e-3)
    slopes = (position[:, 2:] - position[:, :-2]) * 32
    np.testing.assert_allclose(slopes, speed[:, 1:-1], atol=0.3)


def test_the_density_is_the_mean_over_frequencies_and_phases(rng):
    """By Monte Carlo, of series so short that many frequencies and phases explain them."""
    swings = Oscillations(steps=2, amplitude=3.0, noise=0.5)
    series = swings.sample(4, seed=1)
    frequencies, phases = rng.uniform(1, 3, 50_000), rng.uniform(0, 2 * np.pi, 50_000)
    angles = 2 * np.pi * frequencies * np.array([[0.0], [0.5]]) + phases
    means = 3.0 * np.stack([np.sin(angles), 2 * np.pi * frequencies * np.cos(angles)], axis=-1)
    deviations = [1.5, 1.5 * 6 * np.pi]
    given = stats.norm.logpdf(series[:, :, None], means, deviations).sum(axis=(1, 3))
    expected = np.log(np.exp(given).mean(axis=1))
    np.testing.assert_allclose(swings.log_density(series), expected, atol=0.05)


def test_the_grid_is_fine_enough():
    swings = Oscillations()
    series = swings.sample(5, seed=2)
    coarser = swings.log_density(series, frequencies=192, phases=192)
    np.testing.assert_allclose(swings.log_density(series), coarser, atol=1e-3)


SETS = {"moons": two_moons, "rings": rings, "checkerboard": checkerboard}
SIDE, CELLS, PARTS = 4.0, 16, 8  # half of the square, its cells and the parts of each, by side


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
    assert np.isfinite(distribution.log_density(drawn[:1000])).all()
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


def test_values_enumerate_the_grid():
    factors = Factors({"a": 2, "b": 3, "c": 4})
    assert len(factors) == 24
    everything = factors.values(np.arange(24))
    assert everything.tolist() == [
        list(row) for row in itertools.product(range(2), range(3), range(4))
    ]


def test_samples_are_uniform_and_independent(rng):
    factors = Factors({"a": 2, "b": 3})
    rows = factors.sample(60_000, rng)
    counts = np.bincount(np.ravel_multi_index(rows.T, factors.sizes), minlength=6)
    # Each of six combinations 10,000 times, standard deviation 91.
    assert np.abs(counts - 10_000).max() < 500
    assert factors.sample(3, np.random.default_rng(1)).tolist() == (
        factors.sample(3, np.random.default_rng(1)).tolist()
    )


def test_the_fixed_factor_is_fixed_and_the_others_are_not(rng):
    factors = Factors({"a": 4, "b": 5})
    rows = factors.sample_with_fixed(1, np.full(2000, 3), rng)
    assert (rows[:, 1] == 3).all()
    assert np.abs(np.bincount(rows[:, 0]) / 2000 - 0.25).max() < 0.05


def test_each_row_may_fix_a_factor_of_its_own(rng):
    factors = Factors({"a": 4, "b": 5})
    rows = factors.sample_with_fixed(np.array([0, 1, 0]), np.array([3, 4, 0]), rng)
    assert (rows[0, 0], rows[1, 1], rows[2, 0]) == (3, 4, 0)
