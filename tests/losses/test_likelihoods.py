"""Likelihoods against scipy, their draws, and what holds for all of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.core import noise
from keras_gen.losses import (
    Bernoulli,
    Categorical,
    ColumnNormal,
    DiscretizedLogistic,
    Multinomial,
    Normal,
    NormalMixture,
    Poisson,
    UnboundedNormal,
    likelihoods,
)
from shared import softplus

SHAPE = (3, 4, 4, 2)
ALL = [
    Bernoulli(),
    Categorical(3),
    DiscretizedLogistic(8, minimum_log_scale=-5.0),
    DiscretizedLogistic(mixtures=2),
    Multinomial(9),
    Normal(),
    Normal(0.25),
    Normal(None, minimum_scale=0.1),
    NormalMixture(3, minimum_scale=0.1),
    Poisson(),
    UnboundedNormal(minimum_scale=0.1),
    ColumnNormal(minimum_scale=0.1),
]


@pytest.mark.parametrize("likelihood", ALL, ids=repr)
def test_leading_sample_axes_give_one_value_a_sample_and_example(rng, likelihood):
    x = tf.constant(rng.uniform(size=SHAPE), tf.float32)
    shape = (*SHAPE[:-1], SHAPE[-1] * likelihood.params_per_value)
    params = tf.constant(rng.normal(size=(5, *shape)), tf.float32)
    value = likelihood.log_prob(params, x)
    assert value.shape == (5, 3)
    for sample in range(5):
        np.testing.assert_allclose(value[sample], likelihood.log_prob(params[sample], x), rtol=1e-5)
    assert likelihood.mean(params).shape == (5, *SHAPE)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Normal(0.5), Normal(None), Poisson()])
def test_samples_have_the_stated_moments_and_follow_the_seed(likelihood):
    n = 20_000
    row = [[1.0, 0.5]] if likelihood.params_per_value == 2 else [[1.0]]
    params = tf.tile(tf.constant(row), [n, 1])
    draw = likelihood.sample(params, [1, 2]).numpy()
    assert draw.shape == (n, 1) and draw.dtype == np.float32
    np.testing.assert_array_equal(draw, likelihood.sample(params, [1, 2]))
    assert (draw != likelihood.sample(params, [1, 3]).numpy()).any()
    mean = likelihood.mean(params).numpy()[0, 0]
    if isinstance(likelihood, Bernoulli):
        assert set(np.unique(draw)) == {0.0, 1.0}
        deviation = np.sqrt(mean * (1 - mean))
    elif isinstance(likelihood, Poisson):
        assert mean == pytest.approx(np.e) and set(np.unique(draw)) >= {0.0, 1.0, 2.0}
        deviation = np.sqrt(mean)
    else:
        deviation = likelihood.scale or softplus(0.5) + likelihood.minimum_scale
    assert abs(draw.mean() - mean) < 5 * deviation / np.sqrt(n)
    assert abs(draw.std() - deviation) < 5 * deviation / np.sqrt(n)


def test_low_precision_params_are_computed_in_float32(rng):
    logits = tf.cast(tf.constant(rng.normal(size=(2, 28, 28, 1))), tf.bfloat16)
    x = tf.ones([2, 28, 28, 1])
    value = Bernoulli().log_prob(logits, x)
    assert value.dtype == tf.float32
    np.testing.assert_array_equal(value, Bernoulli().log_prob(tf.cast(logits, tf.float32), x))
    assert Normal().mean(logits).dtype == tf.float32


@pytest.mark.parametrize("likelihood", ALL, ids=repr)
def test_config_round_trip(likelihood):
    assert likelihoods.get(keras.saving.serialize_keras_object(likelihood)) == likelihood


@pytest.mark.parametrize(
    ("name", "likelihood", "params_per_value", "found_range", "levels"),
    [
        ("bernoulli", Bernoulli(), 1, (0, 1), None),
        ("categorical", Categorical(256), 256, (0, 255), 256),
        ("discretized_logistic", DiscretizedLogistic(256, 1, -7.0), 2, (-1, 1), None),
        ("column_normal", ColumnNormal(minimum_scale=0.03), 2, (-np.inf, np.inf), None),
        ("multinomial", Multinomial(draws=1), 1, (0, np.inf), None),
        ("normal", Normal(scale=1.0), 1, (-1, 1), None),
        ("normal_mixture", NormalMixture(10, 1e-3), 30, (-np.inf, np.inf), None),
        ("poisson", Poisson(), 1, (0, np.inf), None),
        ("unbounded_normal", UnboundedNormal(scale=None), 2, (-np.inf, np.inf), None),
    ],
)
def test_names_and_kinds_of_data(name, likelihood, params_per_value, found_range, levels):
    assert likelihoods.get(name) == likelihood
    assert likelihood.params_per_value == params_per_value
    assert likelihood.range == found_range and likelihood.levels == levels


@pytest.mark.thorough
@pytest.mark.parametrize("likelihood", [Categorical(3), DiscretizedLogistic(mixtures=2)])
def test_a_batch_of_unknown_size_keeps_its_other_axes(likelihood):
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 6])])
    def draw(params):
        for value in (likelihood.mean(params), likelihood.sample(params, [1, 2])):
            shapes.append(value.shape.as_list())
        return value

    channels = 6 // likelihood.params_per_value
    assert draw(tf.zeros([2, 4, 4, 6])).shape == (2, 4, 4, channels)
    assert shapes == [[None, 4, 4, channels]] * 2


@pytest.mark.parametrize("kind", [Normal, DiscretizedLogistic])
def test_a_scale_may_be_an_integer(kind):
    values = np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)
    whole, real = (kind(scale=scale).log_prob(values, values) for scale in (1, 1.0))
    np.testing.assert_array_equal(whole, real)


EVENLY = 1000
EVEN = (np.arange(EVENLY, dtype="float32") + 0.5) / EVENLY


def shares(values, grid):
    return np.array([(np.abs(values - value) < 1e-4).mean() for value in grid])


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_evenly_spread_noise_draws_black_and_white_by_the_logit(temperature):
    logits = tf.fill([EVENLY, 1], 0.8)
    drawn = Bernoulli().draw(logits, EVEN[:, None, None], temperature).numpy()
    assert drawn.mean() == pytest.approx(1 / (1 + np.exp(-0.8 / temperature)), abs=1 / EVENLY)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_evenly_spread_noise_draws_levels_by_their_probabilities(temperature):
    p = np.array([0.5, 0, 0.2, 0.3])
    with np.errstate(divide="ignore"):
        logits = tf.constant(np.log(p), tf.float32)
    logits = tf.broadcast_to(logits, [EVENLY, 4])
    drawn = Categorical(4).draw(logits, EVEN[:, None, None], temperature).numpy()[:, 0]
    expected = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
    np.testing.assert_allclose(shares(drawn, range(4)), expected, atol=1 / EVENLY)
    assert (np.diff(drawn) >= 0).all()


def test_the_largest_noise_draws_the_last_outcome_that_is_possible():
    """Sums of probabilities end at 1 up to rounding, and the largest noise is as near to it."""
    outcomes = tf.range(256.0)
    logits = tf.random.stateless_normal([EVENLY, 256], [0, 0])
    noise = tf.fill([EVENLY, 1], 1 - 2**-23)
    likelihood = Categorical(256)
    assert likelihood.draw(logits, noise[:, None]).numpy().max() == 255
    logits = tf.where(outcomes < 200, logits, -200.0)
    assert likelihood.draw(logits, noise[:, None]).numpy().max() < 200
    params = tf.concat([logits, tf.broadcast_to(outcomes, logits.shape), 0 * logits - 9], axis=1)
    pairs = tf.concat([noise, tf.fill([EVENLY, 1], 0.5)], axis=1)[:, None]
    assert NormalMixture(256).draw(params, pairs).numpy().max() < 200


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
    params = tf.broadcast_to([[3.0, 2.0]], [EVENLY, 2])
    normal = Normal(scale=None)
    drawn = normal.draw(params, EVEN[:, None, None]).numpy()[:, 0]
    scale = float(tf.nn.softplus(2.0)) + 1e-3
    np.testing.assert_allclose(drawn.mean(), 3.0, atol=1e-3)
    np.testing.assert_allclose(drawn.std(), scale, rtol=1e-2)
    cold = normal.draw(params, EVEN[:, None, None], 0.5).numpy()[:, 0]
    np.testing.assert_allclose(cold - 3.0, 0.5 * (drawn - 3.0), atol=1e-5)
    ends = normal.draw(params[:2], tf.constant([[[0.0]], [[1 - 2**-24]]])).numpy()
    assert np.isfinite(ends).all()


@pytest.mark.parametrize("x", [0.0, 0.25, 1.0])
def test_bernoulli_and_its_slope_are_the_closed_forms_for_shares_too(x):
    logits = np.array([-100.0, -30.0, -2.0, 0.0, 0.5, 30.0, 100.0])
    params = tf.constant(logits[:, None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(params)
        values = Bernoulli().log_prob(params, tf.fill([7, 1], x))
    np.testing.assert_allclose(
        values,
        -x * np.logaddexp(0, -logits) - (1 - x) * np.logaddexp(0, logits),
        rtol=1e-5,
        atol=1e-6,
    )
    slopes = x - np.exp(-np.logaddexp(0, -logits))
    np.testing.assert_allclose(tape.gradient(values, params)[:, 0], slopes, atol=1e-6)


@pytest.mark.parametrize("pixels", [784, 101])  # 101 is prime
def test_bernoulli_sums_many_pixels_and_differentiates_data_too(pixels):
    logits = tf.concat([tf.zeros([2, 3, pixels - 1]), tf.fill([2, 3, 1], 200.0)], axis=-1)
    x = tf.fill([3, pixels], 0.25)
    with tf.GradientTape() as tape:
        tape.watch([logits, x])
        values = Bernoulli().log_prob(logits, x)
    np.testing.assert_allclose(values, np.full((2, 3), (1 - pixels) * np.log(2) - 150), rtol=1e-6)
    by_logits, by_x = tape.gradient(values, [logits, x])
    np.testing.assert_allclose(by_logits, x - tf.sigmoid(logits), atol=1e-6)
    np.testing.assert_allclose(by_x, tf.reduce_sum(logits, axis=0))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_categorical_against_numpy(rng, dtype):
    logits = 3 * rng.normal(size=(*SHAPE, 5))
    x = rng.integers(0, 5, size=SHAPE)
    log_probabilities = special.log_softmax(logits, axis=-1)
    wanted = np.take_along_axis(log_probabilities, x[..., None], -1).sum(axis=(1, 2, 3, 4))
    value = Categorical(5).log_prob(logits.reshape(3, 4, 4, 10), x.astype(dtype))
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    mean = (np.exp(log_probabilities) * np.arange(5)).sum(axis=-1)
    np.testing.assert_allclose(Categorical(5).mean(logits.reshape(3, 4, 4, 10)), mean, rtol=1e-5)


def test_values_and_gradients_are_finite_at_extreme_logits():
    logits = tf.constant([[1e4, 0.0, -1e4]] * 3)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = Categorical(3).log_prob(logits, tf.constant([[0], [1], [2]]))
    np.testing.assert_allclose(value, [0.0, -1e4, -2e4])
    np.testing.assert_allclose(tape.gradient(value, logits), [[0, 0, 0], [-1, 1, 0], [-1, 0, 1]])


def test_noise_chooses_the_level_of_highest_sum(rng):
    logits, gumbel = rng.normal(size=(2, 3, 2, 4)).astype("float32")
    likelihood = Categorical(4)
    params = logits.reshape(3, 8)
    drawn = likelihood.sample_from(params, gumbel)
    assert drawn.shape == (3, 2) and drawn.dtype == tf.float32
    np.testing.assert_array_equal(drawn, (logits + gumbel).argmax(axis=-1))
    np.testing.assert_array_equal(
        likelihood.sample(params, [1, 2]),
        likelihood.sample_from(params, noise.gumbel([3, 2, 4], [1, 2])),
    )


def test_poisson_against_scipy(rng):
    log_rates, x = rng.normal(size=SHAPE), rng.integers(0, 9, size=SHAPE)
    wanted = stats.poisson(np.exp(log_rates)).logpmf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(Poisson().log_prob(log_rates, x), wanted, rtol=1e-5)


def test_multinomial_against_scipy_without_the_coefficient(rng):
    logits, x = rng.normal(size=(3, 7)), rng.integers(0, 5, size=(3, 7))
    x[2] = 0  # a document without words
    fractions = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    coefficient = special.gammaln(x.sum(axis=1) + 1) - special.gammaln(x + 1).sum(axis=1)
    wanted = stats.multinomial.logpmf(x, x.sum(axis=1), fractions) - coefficient
    value = Multinomial().log_prob(logits, x)
    np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
    # The coefficient counts the orders in which the same words may come.
    word = tf.constant([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        Multinomial().log_prob(logits[:1], 3 * word), 3 * np.log(fractions[0, 1:2]), rtol=1e-5
    )


def test_multinomial_draws_as_many_words_as_it_says(rng):
    likelihood = Multinomial(draws=5)
    logits = tf.constant(rng.normal(size=(2, 3, 4)), tf.float32)
    draw = likelihood.sample(logits, [1, 2])
    np.testing.assert_array_equal(tf.reduce_sum(draw, axis=-1), np.full((2, 3), 5.0))
    np.testing.assert_allclose(likelihood.mean(logits), 5 * tf.nn.softmax(logits), rtol=1e-6)
    one = tf.tile(logits[:1, :1], [1, 4000, 1])
    draws = Multinomial().sample(one, [3, 4]).numpy()[0]
    fractions = tf.nn.softmax(logits[0, 0]).numpy()
    error = np.sqrt(fractions * (1 - fractions) / len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - fractions) < 5 * error)
    np.testing.assert_array_equal(draws, Multinomial().sample(one, [3, 4])[0])


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_normal_against_scipy(rng, scale):
    mean, x = rng.normal(size=(2, *SHAPE))
    wanted = stats.norm(mean, scale).logpdf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(Normal(scale).log_prob(mean, x), wanted, rtol=1e-4)


def test_normal_with_learned_scale_against_scipy(rng):
    likelihood = Normal(scale=None, minimum_scale=0.01)
    assert likelihood.params_per_value == 2 and Normal().params_per_value == 1
    mean, raw, x = rng.normal(size=(3, *SHAPE))
    wanted = stats.norm(mean, softplus(raw) + 0.01).logpdf(x).sum(axis=(1, 2, 3))
    params = np.concatenate([mean, raw], axis=-1)
    np.testing.assert_allclose(likelihood.log_prob(params, x), wanted, rtol=1e-4)
    np.testing.assert_allclose(likelihood.mean(params), mean, rtol=1e-6)


LOGITS, MEANS, RAW = np.array([0.0, 1.0, -1.0]), np.array([-2.0, 0.5, 4.0]), [-1.0, 0.3, 1.5]
WEIGHTS = special.softmax(LOGITS)
SCALES = np.logaddexp(0, RAW) + 1e-3
ROW = np.concatenate([LOGITS, MEANS, RAW]).astype("float32")


def rows(n):
    return tf.constant(np.tile(ROW, [n, 1]))


def cumulative(x):
    return stats.norm.cdf((x[:, None] - MEANS) / SCALES) @ WEIGHTS


def test_mixture_densities_are_weighted_sums():
    x = np.linspace(-9, 20, 2901).astype("float32")
    found = np.exp(NormalMixture(3).log_prob(rows(len(x)), x[:, None]).numpy().astype("float64"))
    wanted = stats.norm.pdf((x[:, None] - MEANS) / SCALES) / SCALES @ WEIGHTS
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-12)
    assert found.sum() * 0.01 == pytest.approx(1, abs=1e-4)
    assert NormalMixture(3).mean(rows(1)).numpy() == pytest.approx(WEIGHTS @ MEANS)


def test_evenly_spread_noise_draws_values_by_their_density():
    side = 100
    even = (np.arange(side, dtype="float32") + 0.5) / side
    pairs = np.stack(np.meshgrid(even, even), axis=-1).reshape(-1, 1, 2)
    drawn = np.sort(NormalMixture(3).draw(rows(side**2), pairs).numpy()[:, 0])
    wanted = (np.arange(side**2) + 0.5) / side**2
    np.testing.assert_allclose(cumulative(drawn), wanted, atol=0.01)
    cold = NormalMixture(3).draw(rows(side**2), pairs, 1e-3).numpy()
    np.testing.assert_allclose(cold, MEANS[1], atol=0.02)  # the most probable part's mean
    ends = NormalMixture(3).draw(rows(2), np.array([[[0, 0]], [[1 - 2**-24] * 2]], "float32"))
    assert np.isfinite(ends).all()


def test_samples_of_a_mixture_follow_their_density_and_the_seed():
    likelihood = NormalMixture(3)
    drawn = likelihood.sample(rows(5000), [1, 2]).numpy()[:, 0]
    np.testing.assert_array_equal(drawn, likelihood.sample(rows(5000), [1, 2])[:, 0])
    assert stats.kstest(drawn, cumulative).pvalue > 1e-3


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
