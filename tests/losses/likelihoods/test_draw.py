"""Values that uniform noise draws: as often as their probabilities say."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import Bernoulli, Categorical, DiscretizedLogistic, Normal, Poisson

N = 1000
EVEN = (np.arange(N, dtype="float32") + 0.5) / N


def shares(values, grid):
    return np.array([(np.abs(values - value) < 1e-4).mean() for value in grid])


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_evenly_spread_noise_draws_black_and_white_by_the_logit(temperature):
    logits = tf.fill([N, 1], 0.8)
    drawn = Bernoulli().draw(logits, EVEN[:, None, None], temperature).numpy()
    assert drawn.mean() == pytest.approx(1 / (1 + np.exp(-0.8 / temperature)), abs=1 / N)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_evenly_spread_noise_draws_levels_by_their_probabilities(temperature):
    p = np.array([0.5, 0, 0.2, 0.3])
    with np.errstate(divide="ignore"):
        logits = tf.constant(np.log(p), tf.float32)
    logits = tf.broadcast_to(logits, [N, 4])
    drawn = Categorical(4).draw(logits, EVEN[:, None, None], temperature).numpy()[:, 0]
    expected = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
    np.testing.assert_allclose(shares(drawn, range(4)), expected, atol=1 / N)
    assert (np.diff(drawn) >= 0).all()


def test_the_largest_noise_draws_the_last_level():
    """Sums of probabilities end at 1 up to rounding, and the largest noise is as near to it."""
    logits = tf.random.stateless_normal([N, 256], [0, 0])
    noise = tf.fill([N, 1, 1], 1 - 2**-24)
    assert Categorical(256).draw(logits, noise).numpy().max() == 255


def test_channels_are_drawn_each_by_its_own_parameters():
    logits = tf.constant([[[9.0, 0, 0, 0, 9, 0]]])
    drawn = Categorical(3).draw(logits, tf.fill([1, 1, 2, 1], 0.5))
    np.testing.assert_array_equal(drawn, [[[0, 1]]])


def test_a_mixture_of_logistics_draws_its_bins():
    likelihood = DiscretizedLogistic(bins=5, mixtures=2)
    params = tf.constant([0.4, -0.4, -0.7, 0.6, -1.2, -0.5])
    grid = np.linspace(-1, 1, 5, dtype="float32")
    each = tf.broadcast_to(params, [5, 6])
    masses = np.exp(likelihood.log_prob(each, grid[:, None]).numpy())
    assert masses.sum() == pytest.approx(1, abs=1e-5)
    # Pairs of numbers that are spread evenly over the square.
    side = 60
    even = (np.arange(side, dtype="float32") + 0.5) / side
    pairs = np.stack(np.meshgrid(even, even), axis=-1).reshape(-1, 1, 2)
    drawn = likelihood.draw(tf.broadcast_to(params, [side**2, 6]), pairs).numpy()
    np.testing.assert_allclose(shares(drawn, grid), masses, atol=0.02)
    narrow = likelihood.draw(tf.broadcast_to(params, [side**2, 6]), pairs, 0.1).numpy()
    assert len(np.unique(narrow.round(3))) < 5


def test_a_normal_draws_its_quantiles():
    params = tf.broadcast_to([[3.0, 2.0]], [N, 2])
    normal = Normal(scale=None)
    drawn = normal.draw(params, EVEN[:, None, None]).numpy()[:, 0]
    scale = float(tf.nn.softplus(2.0)) + 1e-3
    np.testing.assert_allclose(drawn.mean(), 3.0, atol=1e-3)
    np.testing.assert_allclose(drawn.std(), scale, rtol=1e-2)
    cold = normal.draw(params, EVEN[:, None, None], 0.5).numpy()[:, 0]
    np.testing.assert_allclose(cold - 3.0, 0.5 * (drawn - 3.0), atol=1e-5)
    ends = normal.draw(params[:2], tf.constant([[[0.0]], [[1 - 2**-24]]])).numpy()
    assert np.isfinite(ends).all()


def test_others_say_that_they_draw_no_value_by_itself():
    with pytest.raises(NotImplementedError, match="Poisson draws no value by itself"):
        Poisson().draw(tf.zeros([1, 1]), tf.zeros([1, 1, 1]))
