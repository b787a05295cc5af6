"""What holds for every likelihood."""

import keras
import numpy as np
import pytest
import tensorflow as tf

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


@pytest.mark.parametrize("likelihood", ALL, ids=repr)
def test_config_round_trip(likelihood):
    assert likelihoods.get(keras.saving.serialize_keras_object(likelihood)) == likelihood


@pytest.mark.parametrize("bad", ["gaussian", None, 1.0])
def test_a_bad_likelihood_is_a_clear_error(bad):
    with pytest.raises(ValueError, match=r"bernoulli, .*, normal, normal_mixture, poisson"):
        likelihoods.get(bad)


@pytest.mark.parametrize(
    ("likelihood", "shape"),
    [(Bernoulli(), (4, 8, 8)), (Normal(None), (4, 8, 8, 3)), (Categorical(4), (4, 8, 8, 4))],
)
def test_mismatched_shapes_do_not_broadcast(likelihood, shape):
    with pytest.raises(ValueError, match="let the network end with shape"):
        likelihood.log_prob(tf.zeros(shape), tf.zeros([4, 8, 8, 3]))


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


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Categorical, dict(classes=1), "classes must be at least 2, found 1"),
        (DiscretizedLogistic, dict(mixtures=0), "mixtures must be at least 1, found 0"),
        (
            DiscretizedLogistic,
            dict(minimum_log_scale=np.nan),
            "minimum_log_scale must be at most 40.0, found nan",
        ),
        (DiscretizedLogistic, dict(scale=0.0), "scale must be above 0, found 0"),
        (Normal, dict(minimum_scale=0.0), "minimum_scale must be above 0, found 0"),
        (Multinomial, dict(draws=0), "draws must be at least 1, found 0"),
        (Normal, dict(scale=-1.0), "scale must be above 0, found -1"),
    ],
)
def test_bad_arguments_are_clear_errors(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


def test_numbers_of_classes_bins_and_draws_are_integers():
    for kind, name in (
        (Categorical, "classes"),
        (DiscretizedLogistic, "bins"),
        (Multinomial, "draws"),
    ):
        with pytest.raises(TypeError, match=rf"{name} must be an integer .*found 2\.5"):
            kind(2.5)


@pytest.mark.parametrize("kind", [Normal, DiscretizedLogistic])
def test_a_scale_may_be_an_integer(kind):
    values = np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)
    whole, real = (kind(scale=scale).log_prob(values, values) for scale in (1, 1.0))
    np.testing.assert_array_equal(whole, real)
