import numpy as np
import pytest
from scipy.stats import norm

from keras_gen.metrics import critic_distances, earth_movers_distance


def test_points_on_a_line_are_sorted(rng):
    a, b = rng.normal(size=(50, 1)), 2 * rng.normal(size=(50, 1)) + 1
    expected = np.abs(np.sort(a[:, 0]) - np.sort(b[:, 0])).mean()
    assert earth_movers_distance(a, b) == pytest.approx(expected)
    # Another number of points: each of 50 is two halves.
    assert earth_movers_distance(np.repeat(a, 2, axis=0), b) == pytest.approx(expected)


def test_normal_distributions_of_one_dimension():
    """Of N(m, s) and N(0, 1) it is the mean of |m + (s - 1) z|."""
    quantiles = norm.ppf((np.arange(20_000) + 0.5) / 20_000)[:, None]
    found = earth_movers_distance(0.5 + 2.0 * quantiles, quantiles)
    folded = np.sqrt(2 / np.pi) * np.exp(-(0.5**2) / 2) + 0.5 * (1 - 2 * norm.cdf(-0.5))
    assert found == pytest.approx(folded, rel=1e-3)


def test_moves_of_the_plane_are_the_shortest(rng):
    # No point has to go further than to the nearest, and every point of b is the nearest of one.
    a = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2)
    lengths = rng.uniform(0, 0.4, size=36)
    angles = rng.uniform(0, 2 * np.pi, size=36)
    b = a + lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert earth_movers_distance(a, b[rng.permutation(36)]) == pytest.approx(lengths.mean())
    # A shift moves the mean, than which no move can be shorter.
    assert earth_movers_distance(a, a + np.array([3.0, 4.0])) == pytest.approx(5.0)


def test_clear_errors():
    with pytest.raises(ValueError, match="found 3 and 4 points of 2 dimensions: pass as many"):
        earth_movers_distance(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="features"):
        earth_movers_distance(np.zeros((3, 1)), np.zeros((3, 2)))


class Model:
    """Samples at (3, 4), and a critic of slope 1 between them and points at 0."""

    def sample(self, n, seed):
        return np.tile(np.array([3.0, 4.0]), (n, 1))

    def discriminator(self, x, training):
        return -(x @ np.array([[0.6], [0.8]]))


def test_the_critics_estimate_and_the_distance():
    found = critic_distances(Model(), np.zeros((4, 2)))
    assert found == pytest.approx({"critic": 5.0, "exact": 5.0})
