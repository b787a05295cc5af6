"""Densities of flows against numpy, for affine layers with known weights."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaussians import VALUES, excess, linear_gaussian
from keras_gen.core import NonFiniteLossError, noise
from keras_gen.flows import Flow
from keras_gen.flows.flow import change_of_variables
from keras_gen.layers.flows import ActNorm, AffineCoupling, Chain, InvertibleConvolution, Logit
from keras_gen.networks import coupling_flow

MEAN, SLOPE, BIAS = np.array([0.5, -1.0]), np.array([2.0, 0.4]), np.array([0.3, 0.1])


def chain(values, *layers):
    flow = Chain(layers)
    flow.build((None, values))
    return flow


def affine(**options):
    """z = SLOPE * (x - MEAN) + BIAS, half of the logarithm of the slope stored, half trained."""
    layer = ActNorm()
    model = Flow(chain(2, layer), **options)
    layer.log_scale.assign(np.log(SLOPE) * 2)
    layer.log_deviation.assign(np.log(SLOPE))
    layer.bias.assign(BIAS)
    layer.mean.assign(MEAN)
    layer.initialized.assign(1)
    model.compile(keras.optimizers.SGD(0.0))
    return model


def log_normal(z):
    return -0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=-1)


@pytest.fixture
def points(rng):
    return rng.normal(size=(6, 2)).astype("float32")


def test_density_of_an_affine_flow(points):
    """N(x; MEAN - BIAS / SLOPE, 1 / SLOPE^2): eq. (2) is the change of variables."""
    model = affine()
    z = SLOPE * (points - MEAN) + BIAS
    log_p = log_normal(z) + np.log(SLOPE).sum()
    np.testing.assert_allclose(model.log_prob(points), log_p, rtol=1e-5)
    np.testing.assert_allclose(model.score(points), -log_p, rtol=1e-5)
    np.testing.assert_allclose(model.encode(points), z, rtol=1e-5)
    np.testing.assert_allclose(model.decode(z.astype("float32")), points, atol=1e-5)
    for step in (model.test_step, model.train_step):
        model.reset_metrics()
        logs = {name: float(value) for name, value in step(tf.constant(points)).items()}
        expected = pytest.approx(-log_p.mean(), rel=1e-5)
        assert logs == {"loss": expected, "nll_loss": expected}


def test_moving_latents_of_an_affine_flow_moves_examples(points):
    """Where latents are linear in the data, both have the same arithmetic."""
    having, lacking = points[:2] + 3, points[2:]
    moved = affine().manipulate(points, having, lacking, amounts=(-0.5, 0, 2))
    direction = having.mean(axis=0) - lacking.mean(axis=0)
    for number, amount in enumerate((-0.5, 0, 2)):
        expected = points + amount * direction
        np.testing.assert_allclose(moved[:, number], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_density_of_an_affine_coupling(flip, points):
    """One value scales and shifts the other: exp(tanh(a u + b)) v + c u + d, eqs. (4) to (6)."""
    a, b, c, d = 0.7, -0.3, 0.5, 0.2
    inputs = keras.Input((2,))
    heads = [keras.layers.Dense(2) for _ in range(2)]
    layer = AffineCoupling(keras.Model(inputs, [head(inputs) for head in heads]), flip=flip)
    model = Flow(chain(2, layer))
    stays, moves = (1, 0) if flip else (0, 1)
    for head, (slope, offset) in zip(heads, [(a, b), (c, d)], strict=True):
        kernel, bias = np.full((2, 2), 9.0), np.full(2, 9.0)  # the rest must not matter
        kernel[stays, moves], bias[moves] = slope, offset
        kernel[moves, moves] = 9.0
        head.set_weights([kernel, bias])
    u, v = points[:, stays], points[:, moves]
    log_scale = np.tanh(a * u + b)
    z = points.astype("float64")
    z[:, moves] = np.exp(log_scale) * v + c * u + d
    np.testing.assert_allclose(model.encode(points), z, rtol=1e-4)
    np.testing.assert_allclose(model.log_prob(points), log_normal(z) + log_scale, rtol=1e-4)
    np.testing.assert_allclose(model.decode(z.astype("float32")), points, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["linear", "coupling"])
def test_a_known_normal_distribution_is_learned_to_its_entropy(kind):
    """A linear flow has every normal distribution; couplings come near."""
    keras.utils.set_random_seed(0)
    points, distribution = linear_gaussian(40_000)
    if kind == "linear":
        flow = chain(VALUES, ActNorm(), InvertibleConvolution(), ActNorm())
    else:
        flow = coupling_flow((VALUES,), steps=4, hidden=(16,), activation="tanh")
    model = Flow(flow)
    rate = keras.optimizers.schedules.CosineDecay(0.02, 1200)
    model.compile(keras.optimizers.Adam(rate), steps_per_execution=75)
    model.fit(points[:30_000], batch_size=200, epochs=8, verbose=0)
    most = 0.002 if kind == "linear" else 0.02
    assert -0.001 < excess(model, points[30_000:], distribution) < most


LEVELS = 4


def test_levels_count_the_width_of_their_noise(rng):
    """A flow that does nothing: log N of the scaled levels, less log(levels) for each value."""
    model = Flow(chain(3, ActNorm()), levels=LEVELS)
    model.compile()
    levels = rng.integers(0, LEVELS, (5, 3)).astype("uint8")
    width = model.uniform("levels", [5, 3]).numpy()
    nll = 3 * np.log(LEVELS) - log_normal((levels + width) / LEVELS)
    found = model.test_step(tf.constant(levels))["loss"]
    assert float(found) == pytest.approx(nll.mean(), rel=1e-5)
    middles = (levels + 0.5) / LEVELS
    np.testing.assert_allclose(model.encode(levels), middles, rtol=1e-5)
    np.testing.assert_array_equal(model.decode(model.encode(levels)), levels)
    with pytest.raises(ValueError, match=r"Vectors range from 0 to 4"):
        model.log_prob(np.array([[0, 4, 1]], "uint8"))


def test_densities_of_levels_are_their_probabilities_on_average():
    """The noise spreads each level over its width: the mean of p(x) is the mass of a Normal."""
    model = Flow(chain(1, ActNorm()), levels=LEVELS)
    levels = np.repeat(np.arange(LEVELS, dtype="int32"), 1000)[:, None]
    offsets = noise.uniform([4000, 1], tf.constant([0, 1], tf.int64))
    latents, log_det, _ = model.forward(tf.constant(levels), offsets)
    log_p = -change_of_variables(latents, log_det).numpy().reshape(LEVELS, 1000)
    edges = [0.5 * math.erf(v / math.sqrt(2)) for v in np.linspace(0, 1, LEVELS + 1)]
    np.testing.assert_allclose(np.exp(log_p).mean(axis=1), np.diff(edges), rtol=3e-3)
    assert log_p.std(axis=1).min() > 0
    drawn = model.sample(4000, seed=0, batch_size=4000)
    assert drawn.dtype == np.uint8 and drawn.shape == (4000, 1)
    # What lies beyond the levels becomes the first or the last.
    expected = np.diff(edges) + np.array([0.5, 0, 0, 0.5 - edges[-1]])
    np.testing.assert_allclose(np.bincount(drawn[:, 0]) / 4000, expected, atol=0.03)


@pytest.mark.parametrize("first", ["ActNorm", "Logit"])
def test_probabilities_of_two_levels_sum_to_1(first, rng):
    """Of one pixel: the density over the width of each level, by the midpoint rule."""
    layers = [Logit(0.01), ActNorm()] if first == "Logit" else [ActNorm()]
    flow = chain(1, *layers)
    model = Flow(flow, levels=2)
    flow.steps[-1].log_scale.assign([-0.4 if first == "Logit" else 2.5])
    flow.steps[-1].bias.assign([-0.3 if first == "Logit" else -5.0])
    offsets = ((np.arange(4000) + 0.5) / 4000).astype("float32")[:, None]
    total = 0.0
    for level in (0, 1):
        x = np.full([4000, 1], level, "int32")
        latents, log_det, _ = model.forward(tf.constant(x), offsets)
        total += np.exp(-change_of_variables(latents, log_det)).mean()
    expected = math.erf(5.0 / math.sqrt(2)) if first == "ActNorm" else 1 - tails(0.01, -0.4, -0.3)
    assert total == pytest.approx(expected, abs=2e-3)


def tails(alpha, log_scale, bias):
    """The mass of latents beyond those of 0 and 1."""
    end = math.log((1 - alpha) / alpha) * math.exp(log_scale)
    return sum(0.5 * math.erfc((end + sign * bias) / math.sqrt(2)) for sign in (-1, 1))


@pytest.mark.thorough
def test_images_of_two_scales_come_back(rng):
    model = Flow.for_images((4, 4, 1), steps=1, filters=4, alpha=1e-3, seed=5)
    images = rng.integers(0, 256, (6, 4, 4, 1), dtype="uint8")
    images[0], images[1] = 0, 255
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images, batch_size=3, epochs=2, verbose=0)
    latents = model.encode(images)
    assert latents.shape == (6, 16)
    np.testing.assert_array_equal(model.decode(latents), images)
    path = model.interpolate(images[:2], images[2:4], steps=3)
    np.testing.assert_array_equal(path[:, 0], images[:2])
    np.testing.assert_array_equal(path[:, -1], images[2:4])


@pytest.mark.thorough
def test_temperature_scales_the_latents():
    model = affine()
    mode = MEAN - BIAS / SLOPE
    np.testing.assert_allclose(model.sample(3, seed=0, temperature=0.0), [mode] * 3, rtol=1e-5)
    plain, half = model.sample(400, seed=0), model.sample(400, seed=0, temperature=0.5)
    np.testing.assert_allclose(half - mode, (plain - mode) / 2, atol=1e-5)
    np.testing.assert_array_equal(plain, model.sample(400, seed=0, temperature=1.0))
    np.testing.assert_allclose((plain - mode).std(axis=0), 1 / SLOPE, rtol=0.1)
    for bad in (-1.0, 11.0, np.nan):
        with pytest.raises(ValueError, match=r"temperature is .*: expected a number in \[0, 10\]"):
            model.sample(2, temperature=bad)
    with pytest.raises(TypeError, match="no condition 'label': expected temperature"):
        model.sample(2, label=1)


def test_activations_are_normalized_by_the_first_finite_batch(points):
    layer = ActNorm()
    model = Flow(chain(2, layer))
    model.compile(keras.optimizers.SGD(0.0))
    before = model.get_weights()
    with pytest.raises(NonFiniteLossError, match=r"nll.* was not finite at step 0"):
        model.fit(1e29 * points, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    for batch in (3 * points + 5, points):  # of which the second changes nothing
        logs = model.fit(batch, verbose=0).history
        first = 3 * points + 5
        np.testing.assert_allclose(layer.mean, first.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(layer.log_deviation, np.log(first.std(axis=0)), rtol=1e-4)
        z = (batch - first.mean(axis=0)) / first.std(axis=0)
        nll = np.log(first.std(axis=0)).sum() - log_normal(z).mean()
        assert logs["loss"][0] == pytest.approx(nll, rel=1e-4)
