import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.losses import DiscretizedLogistic

LOG_SCALES = [-7.0, -3.0, -1.0, 0.5, 3.0]


def grid(bins):
    return np.linspace(-1.0, 1.0, bins).astype("float32")


def all_probabilities(likelihood, row):
    """Of each value on the grid under one row of parameters."""
    params = np.tile(np.asarray(row, "float32"), [likelihood.bins, 1])
    return np.exp(likelihood.log_prob(params, grid(likelihood.bins)[:, None]).numpy())


def exact_masses(bins, mean, scale):
    """Differences of the distribution function in float64, with the tails in the outer bins."""
    edges = (grid(bins)[:-1].astype("float64") + grid(bins)[1:]) / 2
    return np.diff(stats.logistic(mean, scale).cdf(edges), prepend=0.0, append=1.0)


@pytest.mark.thorough
@pytest.mark.parametrize("bins", [2, 5, 256])
@pytest.mark.parametrize("log_scale", LOG_SCALES)
@pytest.mark.parametrize("mean", [-3.0, 0.1, 1.0])
def test_probabilities_are_those_of_the_bins_and_sum_to_one(bins, log_scale, mean):
    probabilities = all_probabilities(DiscretizedLogistic(bins), [mean, log_scale])
    # At the least scale, rounding of x moves the argument of the sigmoid by 1e-4.
    np.testing.assert_allclose(probabilities.sum(), 1.0, atol=1e-4)
    wanted = exact_masses(bins, mean, np.exp(log_scale))
    np.testing.assert_allclose(probabilities, wanted, rtol=1e-3, atol=1e-4)


def test_a_fixed_scale_is_the_networks():
    fixed, returned = DiscretizedLogistic(scale=0.1), DiscretizedLogistic()
    assert (fixed.params_per_value, returned.params_per_value) == (1, 2)
    means = np.linspace(-1.2, 1.2, 24).astype("float32").reshape(2, 12)
    params = np.stack([means, np.full_like(means, np.log(0.1))], axis=-1).reshape(2, 24)
    x = grid(256)[np.arange(24).reshape(2, 12) * 10]
    wanted = returned.log_prob(params, x)
    np.testing.assert_allclose(fixed.log_prob(means, x), wanted, rtol=1e-5)
    np.testing.assert_allclose(fixed.mean(means), returned.mean(params), rtol=1e-4)
    seed = tf.constant([1, 2])
    np.testing.assert_array_equal(fixed.sample(means, seed), returned.sample(params, seed))
    with pytest.raises(ValueError, match="pass a scale with one logistic"):
        DiscretizedLogistic(scale=0.1, mixtures=2)


def test_mixtures_are_weighted_sums():
    likelihood = DiscretizedLogistic(mixtures=3)
    logits, means, log_scales = [0.0, 1.0, -1.0], [-0.5, 0.2, 0.9], [-2.0, -4.0, -1.0]
    probabilities = all_probabilities(likelihood, logits + means + log_scales)
    parts = [exact_masses(256, m, np.exp(s)) for m, s in zip(means, log_scales, strict=True)]
    np.testing.assert_allclose(probabilities, special.softmax(logits) @ parts, rtol=1e-4)
    np.testing.assert_allclose(probabilities.sum(), 1.0, rtol=1e-5)


def test_masses_too_small_for_float32_are_exact():
    # The survival function keeps its digits in the upper tail.
    scale, half = np.exp(-4.0), 1 / 255
    x = grid(256)[[200, 230, 250]].astype("float64")
    tail = stats.logistic(-3.0, scale).sf
    wanted = np.log(tail(x - half) - tail(x + half))
    assert (wanted < np.log(np.finfo("float32").tiny)).all()
    value = DiscretizedLogistic().log_prob(np.tile([-3.0, -4.0], [3, 1]), x[:, None])
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    mirrored = DiscretizedLogistic().log_prob(np.tile([3.0, -4.0], [3, 1]), -x[:, None])
    np.testing.assert_allclose(mirrored, wanted, rtol=1e-5)


@pytest.mark.parametrize("bins", [2, 256])
@pytest.mark.parametrize("log_scale", [-1e4, -7.0, 0.0, 39.0, 1e4])
def test_values_and_gradients_are_finite_at_extremes(bins, log_scale):
    means, x = np.meshgrid([-1e4, -1.0, 0.0, 1.0, 1e4], grid(bins)[[0, bins // 2, -1]])
    rest = np.ones_like(means.ravel())
    rows = [1e4 * rest, -1e4 * rest, means.ravel(), 0 * rest, log_scale * rest, 0 * rest]
    params = tf.constant(np.stack(rows, axis=-1), tf.float32)
    likelihood = DiscretizedLogistic(bins, mixtures=2)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(params)
        value = likelihood.log_prob(params, x.reshape(-1, 1))
        mean = likelihood.mean(params)
    assert np.isfinite(value).all() and (np.abs(mean) <= 1).all()
    assert np.isfinite(tape.gradient(value, params)).all()
    assert np.isfinite(tape.gradient(mean, params)).all()


def test_far_from_the_data_a_mean_is_pulled_back_at_full_strength():
    params = tf.constant([[100.0, -2.0], [-100.0, -2.0]])
    with tf.GradientTape() as tape:
        tape.watch(params)
        value = DiscretizedLogistic().log_prob(params, np.full([2, 1], 1 / 255))
    slopes = tape.gradient(value, params)[:, 0]
    np.testing.assert_allclose(slopes, [-np.exp(2.0), np.exp(2.0)], rtol=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("log_scale", LOG_SCALES)
@pytest.mark.parametrize("mean", [-3.0, -1.0, -0.3, 0.0, 0.3, 1.0, 3.0])
def test_the_mean_is_that_of_all_values(mean, log_scale):
    likelihood = DiscretizedLogistic()
    expected = exact_masses(256, mean, np.exp(log_scale)) @ grid(256)
    # Rounding to the grid can move the mean by half a bin, where the scale is smaller than that.
    tolerance = 1e-4 if log_scale > -5 else 1 / 255
    value = likelihood.mean([[mean, log_scale]])
    np.testing.assert_allclose(value, [[expected]], atol=tolerance)


def test_samples_lie_on_the_grid_as_often_as_their_probabilities_say():
    n, likelihood = 20_000, DiscretizedLogistic(bins=6, mixtures=2)
    row = [0.5, 0.0, -0.7, 0.8, -2.0, -1.0]
    params = np.tile(np.array(row, "float32"), [n, 1])
    drawn = likelihood.sample(params, [1, 2])
    assert drawn.shape == (n, 1) and drawn.dtype == tf.float32
    assert np.abs(drawn).max() == 1.0
    np.testing.assert_array_equal(drawn, likelihood.sample(params, [1, 2]))
    near = np.isclose(drawn.numpy(), grid(6), atol=1e-6)
    assert near.any(axis=1).all()
    wanted = all_probabilities(likelihood, row)
    error = np.sqrt(wanted * (1 - wanted) / n)
    assert (np.abs(near.mean(axis=0) - wanted) < 5 * error).all()
