"""Paths against closed forms in float64."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.diffusion import DDPM, EDM, FlowMatching
from keras_gen.diffusion.paths import (
    MOST_CHAIN_STEPS,
    PATHS,
    QUANTITIES,
    CosinePath,
    KarrasPath,
    LinearPath,
    Parts,
    StraightPath,
    get,
    posterior,
    variance_between,
)
from keras_gen.diffusion.solvers import DDIM
from keras_gen.networks import time_mlp

BETAS = np.linspace(1e-4, 0.02, 1000)  # of Ho et al.
ALPHA_BARS = np.cumprod(1 - BETAS)
INNER = tf.constant([0.0503, 0.3331, 0.5004, 0.9009], tf.float64)  # between steps of a chain


def times(path):
    """Times within a path, one for each of four examples."""
    return INNER * path.last_time


def each_path():
    return pytest.mark.parametrize("name", PATHS)


def test_the_linear_chain_has_the_products_of_the_paper():
    t = tf.constant(np.arange(1, 1001) / 1000)
    path = LinearPath()
    np.testing.assert_allclose(path.alpha(t) ** 2, ALPHA_BARS, rtol=1e-10)
    np.testing.assert_allclose(path.sigma(t) ** 2, 1 - ALPHA_BARS, rtol=1e-10)
    assert float(path.alpha(tf.constant(1.0)) ** 2) == pytest.approx(4.036e-5, rel=1e-3)
    np.testing.assert_allclose(variance_between(path, t[1:], t[:-1]), BETAS[1:], rtol=1e-8)


def test_the_cosine_path_is_that_of_the_paper():
    t = np.array([0.0, 0.25, 0.5, 0.999])
    f = np.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
    path = CosinePath()
    np.testing.assert_allclose(path.alpha(tf.constant(t)) ** 2, f / f[0], rtol=1e-10)
    np.testing.assert_allclose(path.sigma(tf.constant(t)) ** 2, 1 - f / f[0], atol=1e-12)
    # What clipping beta_T at 0.999 leaves of the example for T = 1,000.
    before = np.cos((0.999 + 0.008) / 1.008 * math.pi / 2) ** 2 / f[0]
    assert float(path.alpha(tf.constant(1.0))) == pytest.approx((0.001 * before) ** 0.5, rel=0.1)


def test_times_of_karras():
    """Table 1 of the paper, and 0 at the end."""
    found = KarrasPath().times(tf.constant(18)).numpy()
    places = np.arange(18) / 17
    expected = (80 ** (1 / 7) + places * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(found, [*expected, 0], rtol=1e-5)


def test_as_many_steps_as_the_chain_meet_its_times():
    times = LinearPath().times(tf.constant(1000)).numpy()
    np.testing.assert_array_equal(times, (np.arange(1000, -1, -1) / 1000).astype("float32"))


@pytest.mark.parametrize("path", [*(get(name) for name in PATHS), CosinePath(0.0)])
def test_slopes_are_derivatives(path):
    t = times(path)
    step = 1e-6
    for function, slope in ((path.alpha, path.alpha_slope), (path.sigma, path.sigma_slope)):
        expected = (function(t + step) - function(t - step)) / (2 * step)
        np.testing.assert_allclose(slope(t), expected, rtol=1e-6, atol=1e-8)


@each_path()
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_quantity_gives_back_the_parts(rng, name, quantity):
    path = get(name)
    t = times(path)
    parts = Parts(*tf.constant(rng.normal(size=(2, 4, 3))))
    x_t = path.at(t, *parts)
    value = path.quantity(quantity, t, parts)
    found = path.parts(quantity, t, x_t, value)
    np.testing.assert_allclose(found.example, parts.example, atol=1e-6)
    np.testing.assert_allclose(found.noise, parts.noise, atol=1e-6)


def test_quantities_by_hand(rng):
    path, t = StraightPath(), tf.constant(0.25, tf.float64)
    parts = Parts(*tf.constant(rng.normal(size=(2, 4, 3))))
    np.testing.assert_allclose(path.quantity("velocity", t, parts), parts.noise - parts.example)
    np.testing.assert_allclose(path.quantity("score", t, parts), -parts.noise / 0.25)
    v = 0.75 * parts.noise - 0.25 * parts.example
    np.testing.assert_allclose(path.quantity("v", t, parts), v)


def test_the_velocity_of_a_circle_is_v_times_its_speed(rng):
    """So predicting v on the cosine path is flow matching on that path."""
    path, t = CosinePath(offset=0.0), tf.constant(0.3, tf.float64)
    parts = Parts(*tf.constant(rng.normal(size=(2, 4, 3))))
    velocity = path.quantity("velocity", t, parts)
    np.testing.assert_allclose(velocity, math.pi / 2 * path.quantity("v", t, parts))


@each_path()
def test_a_step_back_over_any_distance_obeys_bayes_rule(name):
    path = get(name)
    t, s = times(path)[1:], times(path)[:-1]
    ones = tf.ones([3, 1], tf.float64)
    mean, variance = posterior(path, t, s, 0.7 * ones, -0.4 * ones)
    factor = (path.alpha(t) / path.alpha(s)).numpy()
    prior = path.sigma(s).numpy() ** 2
    beta = path.sigma(t).numpy() ** 2 - factor**2 * prior
    precision = 1 / prior + factor**2 / beta
    weighted = path.alpha(s).numpy() * -0.4 / prior + factor * 0.7 / beta
    np.testing.assert_allclose(variance[:, 0], 1 / precision, rtol=1e-12)
    np.testing.assert_allclose(mean[:, 0], weighted / precision, rtol=1e-12)


@pytest.mark.parametrize("path", [CosinePath(), CosinePath(0.0), LinearPath(), StraightPath()])
def test_float32_is_enough_for_the_longest_chain(path):
    step = np.arange(2, MOST_CHAIN_STEPS + 1)
    found, expected = (
        variance_between(
            path, tf.constant(step, dtype) / step[-1], tf.constant(step - 1, dtype) / step[-1]
        )
        for dtype in (tf.float32, tf.float64)
    )
    np.testing.assert_allclose(found, expected, rtol=0.005)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("path", [*(get(name) for name in PATHS), CosinePath(0.0), CosinePath(100)])
def test_a_path_starts_exactly_at_the_example(path, dtype):
    for t in (tf.constant(0.0, dtype), tf.zeros([5], dtype)):
        np.testing.assert_array_equal(path.alpha(t), np.ones(t.shape))
        np.testing.assert_array_equal(path.sigma(t), np.zeros(t.shape))


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize(
    "path,alpha",
    [
        (StraightPath(), 0.0),
        (CosinePath(), math.sin(5e-5) / math.cos(0.008 / 1.008 * math.pi / 2)),
        (CosinePath(0.0), math.sin(5e-5)),
        (LinearPath(), ALPHA_BARS[-1] ** 0.5),
    ],
)
def test_as_much_is_left_at_the_end_as_a_path_says(path, alpha, dtype):
    end = tf.constant(1.0, dtype)
    assert float(path.alpha(end)) == pytest.approx(alpha, rel=1e-6)
    assert float(path.sigma(end)) == pytest.approx((1 - alpha**2) ** 0.5, rel=1e-6)


@pytest.mark.parametrize("steps", [21, 50, 100, 250, 1000, 4000, MOST_CHAIN_STEPS])
def test_a_chain_of_any_length_ends_in_noise(steps):
    """As in Song et al. (2021), the variances of T steps are 0.1 / T to 20 / T."""
    path, end = LinearPath(steps), tf.constant(1.0, tf.float64)
    betas = np.linspace(0.1, 20, steps) / steps
    assert float(path.alpha(end)) == pytest.approx(np.prod(1 - betas) ** 0.5, rel=1e-6)
    assert float(path.alpha(end)) < 0.0067  # exp(-10.05 / 2), the limit of many steps
    half = math.exp(-(0.1 * 0.5 + 19.9 * 0.5**2 / 2) / 2)
    assert float(path.alpha(end / 2)) == pytest.approx(half, rel=6 / steps)


def test_the_variances_of_1000_steps_are_the_papers():
    given = LinearPath(1000, 1e-4, 0.02)  # as in files and checkpoints of earlier versions
    assert LinearPath() == given and LinearPath().get_config() == given.get_config()
    t = tf.constant(np.linspace(0, 1, 77), tf.float32)
    for function in ("alpha", "sigma", "alpha_slope"):
        found, expected = (getattr(path, function)(t) for path in (LinearPath(), given))
        np.testing.assert_array_equal(found, expected)
    assert LinearPath.from_config(given.get_config()) == given
    assert LinearPath.from_config(LinearPath(100).get_config()) == LinearPath(100)


@pytest.mark.parametrize(
    "cls,path",
    [
        (DDPM, LinearPath(100, 1e-4, 0.02)),
        (DDPM, LinearPath(last=0.001)),
        (FlowMatching, LinearPath(20, 0.01, 0.1)),
        (EDM, KarrasPath(largest=2.0)),
    ],
)
def test_a_path_that_ends_before_the_noise_is_warned_of(cls, path):
    network = time_mlp((3,), width=4, blocks=1)
    with pytest.warns(UserWarning, match="because samples start from pure noise") as caught:
        cls(network, path, data="vectors")
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    "build,error,sentence",
    [
        (lambda: LinearPath(last=1.0), ValueError, "expected 0 < first <= last < 1. Pass both"),
        (lambda: LinearPath(20), ValueError, "last is 1 for 20 steps: expected 0 < first"),
        (lambda: KarrasPath(90.0), ValueError, "expected smallest to be below largest"),
        (lambda: KarrasPath(0.0), ValueError, "smallest is 0: expected"),
        (lambda: KarrasPath(1e-40), ValueError, "smallest is 1e-40: expected"),
        (lambda: KarrasPath(largest=1e25), ValueError, r"largest is 1e\+25: expected"),
        (lambda: DDIM(2), ValueError, "eta is 2: expected a number from 0 to 1"),
        (lambda: DDIM(-1), ValueError, "eta is -1: expected a number from 0 to 1"),
        (
            lambda: StraightPath().coefficients("speed", tf.constant(0.5)),
            ValueError,
            "'speed': expected one of example, noise",
        ),
        (lambda: get("sine"), ValueError, "Unknown path 'sine': pass one of the names annealed"),
    ],
)
def test_what_is_refused(build, error, sentence):
    with pytest.raises(error, match=sentence):
        build()
