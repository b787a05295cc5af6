"""What holds for every likelihood."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import (
    Bernoulli,
    Categorical,
    DiscretizedLogistic,
    LogNormal,
    Multinomial,
    Normal,
    Poisson,
    UnboundedNormal,
    likelihoods,
)

SHAPE = (3, 4, 4, 2)
ALL = [
    Bernoulli(),
    Categorical(3),
    DiscretizedLogistic(8, minimum_log_scale=-5.0),
    DiscretizedLogistic(mixtures=2),
    LogNormal(),
    LogNormal(0.5),
    Multinomial(9),
    Normal(),
    Normal(0.25),
    Normal(None, minimum_scale=0.1),
    Poisson(),
    UnboundedNormal(minimum_scale=0.1),
]


def softplus(x):
    return np.logaddexp(0.0, x)


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


def test_ranges():
    assert Bernoulli().range == (0.0, 1.0)
    assert Normal().range == (-1.0, 1.0)
    assert UnboundedNormal().range == (-np.inf, np.inf)
    assert Poisson().range == LogNormal().range == Multinomial().range == (0.0, np.inf)


def test_only_whole_numbers_up_to_a_highest_have_levels():
    levels = [likelihood.levels for likelihood in ALL]
    assert levels == [3 if isinstance(likelihood, Categorical) else None for likelihood in ALL]


@pytest.mark.parametrize("likelihood", ALL, ids=repr)
def test_config_round_trip(likelihood):
    assert likelihoods.get(keras.saving.serialize_keras_object(likelihood)) == likelihood


def test_every_likelihood_has_a_name():
    assert {type(likelihood) for likelihood in ALL} == set(likelihoods.LIKELIHOODS.values())


@pytest.mark.parametrize("bad", ["gaussian", None, 1.0])
def test_a_bad_likelihood_is_a_clear_error(bad):
    with pytest.raises(ValueError, match=r"bernoulli, categorical, .*, normal, poisson"):
        likelihoods.get(bad)


@pytest.mark.parametrize(
    ("likelihood", "shape"),
    [(Bernoulli(), (4, 8, 8)), (Normal(None), (4, 8, 8, 3)), (Categorical(4), (4, 8, 8, 4))],
)
def test_mismatched_shapes_do_not_broadcast(likelihood, shape):
    with pytest.raises(ValueError, match="let the network end with shape"):
        likelihood.log_prob(tf.zeros(shape), tf.zeros([4, 8, 8, 3]))
