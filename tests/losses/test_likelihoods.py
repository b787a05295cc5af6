import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.losses import Bernoulli, Multinomial, Normal, Poisson, likelihoods

SHAPE = (3, 4, 4, 2)


def softplus(x):
    return np.logaddexp(0.0, x)


def test_bernoulli_against_scipy(rng):
    logits = 3 * rng.normal(size=SHAPE)
    x = rng.integers(0, 2, size=SHAPE)
    wanted = stats.bernoulli(1 / (1 + np.exp(-logits))).logpmf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(Bernoulli().log_prob(logits, x), wanted, rtol=1e-5)


def test_bernoulli_is_exact_and_differentiable_at_extreme_logits():
    logits = tf.constant([[200.0], [200.0], [-200.0], [-200.0], [1e4]])
    x = tf.constant([[1.0], [0.0], [1.0], [0.0], [0.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = Bernoulli().log_prob(logits, x)
    np.testing.assert_allclose(value, [0.0, -200.0, -200.0, 0.0, -1e4])
    np.testing.assert_allclose(tape.gradient(value, logits), [[0.0], [-1.0], [1.0], [0.0], [-1.0]])


def test_bernoulli_of_grey_data_is_the_mean_over_their_binarisation():
    logits, grey = tf.constant([[0.7]]), tf.constant([[0.3]])
    likelihood = Bernoulli()
    white = likelihood.log_prob(logits, tf.ones([1, 1]))
    black = likelihood.log_prob(logits, tf.zeros([1, 1]))
    np.testing.assert_allclose(
        likelihood.log_prob(logits, grey), 0.3 * white + 0.7 * black, rtol=1e-6
    )


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


def test_the_learned_scale_never_falls_below_its_minimum():
    likelihood = Normal(scale=None, minimum_scale=0.5)
    params = tf.constant([[0.0, -1000.0]])
    np.testing.assert_allclose(
        likelihood.log_prob(params, tf.zeros([1, 1])), [stats.norm(0, 0.5).logpdf(0)], rtol=1e-6
    )


def test_poisson_against_scipy(rng):
    log_rates, x = rng.normal(size=SHAPE), rng.integers(0, 9, size=SHAPE)
    wanted = stats.poisson(np.exp(log_rates)).logpmf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(Poisson().log_prob(log_rates, x), wanted, rtol=1e-5)


def test_multinomial_against_scipy_without_the_coefficient(rng):
    logits, x = rng.normal(size=(3, 7)), rng.integers(0, 5, size=(3, 7))
    x[2] = 0  # a document without words
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    coefficient = special.gammaln(x.sum(axis=1) + 1) - special.gammaln(x + 1).sum(axis=1)
    wanted = stats.multinomial.logpmf(x, x.sum(axis=1), shares) - coefficient
    value = Multinomial().log_prob(logits, x)
    np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
    # The coefficient counts the orders in which the same words may come.
    word = tf.constant([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        Multinomial().log_prob(logits[:1], 3 * word), 3 * np.log(shares[0, 1:2]), rtol=1e-5
    )


def test_multinomial_draws_as_many_words_as_it_says(rng):
    likelihood = Multinomial(draws=5)
    logits = tf.constant(rng.normal(size=(2, 3, 4)), tf.float32)
    draw = likelihood.sample(logits, [1, 2])
    np.testing.assert_array_equal(tf.reduce_sum(draw, axis=-1), np.full((2, 3), 5.0))
    np.testing.assert_allclose(likelihood.mean(logits), 5 * tf.nn.softmax(logits), rtol=1e-6)
    one = tf.tile(logits[:1, :1], [1, 4000, 1])
    draws = Multinomial().sample(one, [3, 4]).numpy()[0]
    shares = tf.nn.softmax(logits[0, 0]).numpy()
    error = np.sqrt(shares * (1 - shares) / len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - shares) < 5 * error)
    np.testing.assert_array_equal(draws, Multinomial().sample(one, [3, 4])[0])


@pytest.mark.parametrize(
    "likelihood", [Bernoulli(), Normal(0.5), Normal(None), Poisson(), Multinomial()]
)
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


def test_ranges():
    assert Bernoulli().range == (0.0, 1.0)
    assert Normal().range == (-1.0, 1.0)
    assert Poisson().range == Multinomial().range == (0.0, np.inf)


@pytest.mark.parametrize(
    "likelihood",
    [
        Bernoulli(),
        Normal(),
        Normal(0.25),
        Normal(None, minimum_scale=0.1),
        Poisson(),
        Multinomial(9),
    ],
)
def test_config_round_trip(likelihood):
    assert likelihoods.get(keras.saving.serialize_keras_object(likelihood)) == likelihood


@pytest.mark.parametrize("bad", ["gaussian", None, 1.0])
def test_a_bad_likelihood_is_a_clear_error(bad):
    with pytest.raises(ValueError, match="bernoulli, multinomial, normal, poisson"):
        likelihoods.get(bad)


@pytest.mark.parametrize("arguments", [{"scale": 0.0}, {"scale": -1.0}, {"minimum_scale": 0.0}])
def test_a_bad_scale_is_a_clear_error(arguments):
    with pytest.raises(ValueError, match="positive"):
        Normal(**arguments)


@pytest.mark.parametrize(("name", "kind"), [("poisson", Poisson), ("multinomial", Multinomial)])
def test_names_of_counts(name, kind):
    assert likelihoods.get(name) == kind()


def test_a_bad_number_of_draws_is_a_clear_error():
    with pytest.raises(ValueError, match="draws=0: pass 1 or more"):
        Multinomial(draws=0)


@pytest.mark.parametrize(
    ("likelihood", "shape"), [(Bernoulli(), (4, 8, 8)), (Normal(None), (4, 8, 8, 3))]
)
def test_mismatched_shapes_do_not_broadcast(likelihood, shape):
    with pytest.raises(ValueError, match="let the network end with shape"):
        likelihood.log_prob(tf.zeros(shape), tf.zeros([4, 8, 8, 3]))
