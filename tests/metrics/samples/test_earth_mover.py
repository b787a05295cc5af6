import keras
import numpy as np
import pytest
from scipy.stats import norm

from keras_gen.gan import WGANGP
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


@pytest.mark.thorough
@pytest.mark.parametrize("deviation", [1.0, 10.0])
def test_the_critics_estimate_and_the_distance(deviation):
    """Samples at (3, 4), a critic of slope 1 between them and points at 0; in standard units."""
    generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    generator.set_weights([np.zeros((1, 2)), np.array([3.0, 4.0])])
    critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    critic.set_weights([-np.array([[0.6], [0.8]])])
    model = WGANGP(generator, critic, data="vectors", standardize=deviation != 1.0)
    still = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0)
    model.compile(d_optimizer=still[0], g_optimizer=still[1])
    model.fit(deviation * np.float32([[1, 1], [-1, -1]]), verbose=0)
    found = critic_distances(model, np.zeros((4, 2), "float32"))
    assert found == pytest.approx({"critic": 5.0, "exact": 5.0}, rel=1e-5)
