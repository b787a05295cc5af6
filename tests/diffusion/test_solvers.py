"""Solvers on Gaussian data, whose best prediction is known, against formulas in numpy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from diffusion_networks import best_network
from keras_gen.core.noise import seeded
from keras_gen.diffusion import DDPM, FlowMatching
from keras_gen.diffusion.path_model import CODE_STEPS
from keras_gen.diffusion.paths import (
    AnnealedPath,
    CosinePath,
    KarrasPath,
    LinearPath,
    Parts,
    StraightPath,
)
from keras_gen.diffusion.solvers import (
    DDIM,
    SOLVERS,
    Ancestral,
    DPMSolver,
    Euler,
    Heun,
    Langevin,
    Move,
    chosen,
    solve,
)

DEVIATION = 0.5  # of the data


def best(path):
    """The parts that the best network predicts of points of N(0, DEVIATION^2) data."""

    def predict(x_t, t):
        alpha, sigma = path.alpha(t), path.sigma(t)
        gain = alpha * DEVIATION**2 / (alpha**2 * DEVIATION**2 + sigma**2)
        return path.parts("example", t, x_t, gain * x_t)

    return predict


def even(steps, first=1.0, last=0.0):
    return tf.constant(np.linspace(first, last, steps + 1))


class Reference:
    """A path and the best prediction on it in numpy, by the papers' formulas."""

    def __init__(self, path):
        self.path = path

    def alpha(self, t):
        path = self.path
        if isinstance(path, LinearPath):
            return np.exp(np.interp(t, np.arange(1001) / 1000, self._log_alphas()))
        if isinstance(path, CosinePath):
            return np.cos(self._angle(t)) / np.cos(self._angle(0.0))
        return 1 - t if isinstance(path, StraightPath) else 1.0

    def sigma(self, t):
        variance_preserving = isinstance(self.path, LinearPath | CosinePath)
        return np.sqrt(1 - self.alpha(t) ** 2) if variance_preserving else t

    def slopes(self, t):
        path, alpha = self.path, self.alpha(t)
        if isinstance(path, StraightPath):
            return -1.0, 1.0
        if isinstance(path, KarrasPath):
            return 0.0, 1.0
        if isinstance(path, LinearPath):
            logs = self._log_alphas()
            steps = [int(np.clip((t + side) * 1000, 0, 999)) for side in (-1e-6, 1e-6)]
            slope = alpha * np.mean([logs[step + 1] - logs[step] for step in steps]) * 1000
        else:
            speed = np.pi / 2 / (1 + path.offset)
            slope = -speed * np.sin(self._angle(t)) / np.cos(self._angle(0.0))
        return slope, -alpha * slope / self.sigma(t)

    def example(self, t, x_t):
        """E(x | x_t) of N(0, DEVIATION^2) data."""
        variance = (self.alpha(t) * DEVIATION) ** 2 + self.sigma(t) ** 2
        return self.alpha(t) * DEVIATION**2 / variance * x_t

    def noise(self, t, x_t):
        return (x_t - self.alpha(t) * self.example(t, x_t)) / self.sigma(t)

    def velocity(self, t, x_t):
        of_example, of_noise = self.slopes(t)
        return of_example * self.example(t, x_t) + of_noise * self.noise(t, x_t)

    def half_log_ratio(self, t):
        return np.log(self.alpha(t) / self.sigma(t))

    @staticmethod
    def _log_alphas():
        return np.concatenate([[0], np.cumsum(np.log1p(-np.linspace(1e-4, 0.02, 1000)))]) / 2

    def _angle(self, t):
        return min((t + self.path.offset) / (1 + self.path.offset) * np.pi / 2, np.pi / 2 - 5e-5)


def ddim_step(of, t, s, x, _):
    return of.alpha(s) * of.example(t, x) + of.sigma(s) * of.noise(t, x)


def euler_step(of, t, s, x, _):
    return x + (s - t) * of.velocity(t, x) if s else of.example(t, x)


def heun_step(of, t, s, x, _):
    if not s:
        return of.example(t, x)
    there = x + (s - t) * of.velocity(t, x)
    return x + (s - t) * (of.velocity(t, x) + of.velocity(s, there)) / 2


def ancestral_step(of, t, s, x, drawn):
    """By Bayes' rule: the precisions of q(x_s | x) and of q(x_t | x_s) add up."""
    if not s:
        return of.example(t, x)
    factor = of.alpha(t) / of.alpha(s)
    beta = of.sigma(t) ** 2 - (factor * of.sigma(s)) ** 2
    precision = 1 / of.sigma(s) ** 2 + factor**2 / beta
    weighted = of.alpha(s) * of.example(t, x) / of.sigma(s) ** 2 + factor * x / beta
    return weighted / precision + drawn / np.sqrt(precision)


def langevin_step(of, t, s, x, drawn):
    """Algorithm 1 of Song, Ermon (2019) with alpha_i = 0.2 sigma_i^2."""
    if not s:
        return of.example(t, x)
    alpha = 0.2 * of.sigma(t) ** 2
    return x - alpha / 2 * of.noise(t, x) / of.sigma(t) + np.sqrt(alpha) * drawn


def led_by_dpm_solver(of, times, x):
    """Algorithm 2 of Lu et al. (2022), its first and last steps of first order."""
    examples, lengths = [], []
    for t, s in itertools.pairwise(times):
        example = of.example(t, x)
        if not s:
            return example
        with np.errstate(divide="ignore"):  # nothing is left of an example at the end
            length = of.half_log_ratio(s) - of.half_log_ratio(t)
        if examples:
            r = lengths[-1] / length
            example = (1 + 1 / (2 * r)) * example - examples[-1] / (2 * r)
        examples.append(of.example(t, x))
        lengths.append(length)
        x = of.sigma(s) / of.sigma(t) * x - of.alpha(s) * np.expm1(-length) * example


STEPS = {
    **{"ddim": ddim_step, "euler": euler_step, "heun": heun_step},
    **{"ancestral": ancestral_step, "langevin": langevin_step},
}
PATHS = [LinearPath(), CosinePath(), CosinePath(0.0), StraightPath(), KarrasPath()]


def led(name, path, times, x, seeds):
    """Where a solver leads points `[batch, 1]`, in numpy."""
    of = Reference(path)
    if name == "dpm_solver":
        return led_by_dpm_solver(of, times, x)
    for number, (t, s) in enumerate(itertools.pairwise(times)):
        drawn = 0.0
        if name in ("ancestral", "langevin"):
            drawn = seeded(tf.random.stateless_normal, seeds, [1], number).numpy()
        x = STEPS[name](of, t, s, x, drawn)
    return x


def traced(path, solver, dtype):
    """A function of points, times, and seeds: where the solver leads the points."""
    specs = [tf.TensorSpec([None, 1], dtype), tf.TensorSpec([None], dtype)]

    @tf.function(input_signature=[*specs, tf.TensorSpec([None], tf.int32)], autograph=False)
    def end(x, times, seeds):
        return solve(best(path), path, x, times, solver.step, seeds)

    return end


@pytest.mark.parametrize(("solver", "error"), [(Euler(), 0.004), (Heun(), 0.001)])
def test_short_chains_sample_the_right_width(solver, error):
    """At a time of the chain, the slope is that of the limit of many steps."""
    path = LinearPath(100)
    x = path.sigma(1.0) * tf.ones([1, 1])
    found = solve(best(path), path, x, path.times(100), solver.step)
    assert abs(float(found[0, 0]) - DEVIATION) < error


def cases():
    """All pairs; one is quick, of the solver that no other quick test checks."""
    for path, name in itertools.product(PATHS, SOLVERS):
        quick = name == "dpm_solver" and path is PATHS[1]
        marks = [] if quick else pytest.mark.thorough
        yield pytest.param(path, name, marks=marks, id=f"{type(path).__name__}-{name}")


@pytest.mark.parametrize(("path", "name"), list(cases()))
def test_every_solver_follows_its_formulas_on_every_path(path, name):
    seeds = tf.constant([5, 6])
    tolerances = {"float64": 1e-5, "float32": 2e-3}
    ends = {dtype: traced(path, SOLVERS[name], dtype) for dtype in tolerances}
    for steps in (1, 2, 3, 5, 10, 20, 50):
        times = path.times(tf.constant(steps)).numpy().astype("float64")
        x = np.array([[1.0], [-0.3]]) * Reference(path).sigma(times[0])
        expected = led(name, path, times, x, seeds)
        for dtype, tolerance in tolerances.items():
            found = ends[dtype](tf.constant(x, dtype), tf.constant(times, dtype), seeds)
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def model_of(cls, path, prediction):
    network = best_network(path, prediction, (1,), DEVIATION)
    options = dict(prediction=prediction) if cls is DDPM else {}
    return cls(network, path, **options, data="vectors")


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:CosinePath leaves 5e-05")
@pytest.mark.parametrize(
    "cls,path,prediction",
    [
        *((DDPM, path, of) for path in PATHS[:3] for of in ("noise", "example", "v")),
        (DDPM, StraightPath(), "v"),
        (DDPM, StraightPath(), "example"),
        (FlowMatching, StraightPath(), "velocity"),
        (FlowMatching, CosinePath(0.0), "velocity"),
    ],
)
def test_models_with_the_best_network_follow_the_formulas(cls, path, prediction):
    model = model_of(cls, path, prediction)
    noise = {"latents": tf.constant([[1.0], [-0.3]]), "seeds": tf.constant([5, 6])}
    for number, name in enumerate(model.solvers()):
        if name != "ancestral":  # whose variance is an argument of DDPM
            found = model.from_noise(noise, tf.constant(10), tf.constant(number))
            times = path.times(tf.constant(10)).numpy().astype("float64")
            expected = led(name, path, times, noise["latents"].numpy(), noise["seeds"])
            np.testing.assert_allclose(found, expected, rtol=5e-3, atol=5e-3)


@pytest.mark.thorough
@pytest.mark.parametrize("path", PATHS[:4], ids=lambda path: type(path).__name__)
def test_codes_follow_the_formulas_there_and_back(path):
    """The first step from data asks the network at the path's first time."""
    model = DDPM(best_network(path, "v", (1,), DEVIATION), path, "v", data="vectors")
    times = path.times(tf.constant(CODE_STEPS)).numpy().astype("float64")
    x = np.array([[0.6], [-0.3]], "float32")
    of, codes = Reference(path), x
    for t, s in itertools.pairwise(times[::-1]):
        t = max(t, path.first_time)
        codes = of.alpha(s) * of.example(t, codes) + of.sigma(s) * of.noise(t, codes)
    codes = codes / of.sigma(1.0)
    np.testing.assert_allclose(model.encode(x), codes, rtol=2e-3)
    back = led("ddim", path, times, of.sigma(1.0) * codes, None)
    np.testing.assert_allclose(model.decode(codes.astype("float32")), back, rtol=2e-3)
    np.testing.assert_allclose(back, x, rtol=0.1)


def move(path, x, t, s, noise=0.0):
    x = tf.constant(x, tf.float64)
    t, s = tf.constant(t, tf.float64), tf.constant(s, tf.float64)
    parts = best(path)(x, t)
    drawn = tf.fill(x.shape, tf.constant(noise, tf.float64))
    return Move(path, x, t, s, parts, t, parts.example, best(path), lambda: drawn)


def test_ddim_that_draws_all_of_its_noise_anew_is_ancestral():
    for path in (LinearPath(), CosinePath(), StraightPath()):
        one = move(path, [[0.3, -2.0]], 0.8, 0.6, noise=0.7)
        np.testing.assert_allclose(DDIM(1.0).step(one), Ancestral().step(one), rtol=1e-9)
        some = DDIM(0.5).step(one)
        assert abs(some - DDIM(1.0).step(one)).numpy().min() > 1e-3


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.8])
def test_langevin_steps_at_one_level_have_the_closed_form_of_their_variance(fraction):
    """x' = a x + b z on normal data plus noise: the variance tends to b^2 / (1 - a^2)."""
    sigma, solver = 0.7, Langevin(fraction)
    total = DEVIATION**2 + sigma**2
    a = float(solver.step(move(KarrasPath(), [[1.0]], sigma, sigma))[0, 0])
    b = float(solver.step(move(KarrasPath(), [[0.0]], sigma, sigma, noise=1.0))[0, 0])
    expected = total / (1 - fraction * sigma**2 / (4 * total))
    np.testing.assert_allclose(b**2 / (1 - a**2), expected, rtol=1e-9)
    last = solver.step(move(KarrasPath(), [[1.0]], sigma, 0.0, noise=1.0))
    np.testing.assert_allclose(last, [[DEVIATION**2 / total]], rtol=1e-9)


def test_annealed_langevin_samples_the_data():
    """From noise of twenty times their width; the variance of each step follows by the formula."""
    path, steps = AnnealedPath(0.05, 10.0, levels=30), 300
    times = path.times(steps).numpy()
    np.testing.assert_allclose(times[:-1].reshape(30, 10).T, np.tile(times[:-1:10], (10, 1)))
    np.testing.assert_allclose(times[10:-1] / times[:-11], (0.05 / 10) ** (1 / 29), rtol=1e-5)
    random, x = np.random.default_rng(0), 10 * np.random.default_rng(1).normal(size=(4000, 1))
    variance = 100.0
    for t, s in itertools.pairwise(times):
        one = move(path, x, t, s)._replace(noise=lambda: random.normal(size=x.shape))  # noqa: B023
        x = Langevin().step(one).numpy()
        total = DEVIATION**2 + float(t) ** 2
        if s:
            variance = (1 - 0.1 * t**2 / total) ** 2 * variance + 0.2 * t**2
        else:
            variance *= (DEVIATION**2 / total) ** 2
    np.testing.assert_allclose(x.std(), np.sqrt(variance), rtol=0.06)
    assert abs(np.sqrt(variance) - DEVIATION) < 0.06


def test_on_a_straight_line_ddim_is_eulers_method():
    one = move(StraightPath(), [[0.3, -2.0]], 0.8, 0.6)
    np.testing.assert_allclose(DDIM().step(one), Euler().step(one), rtol=1e-12)


def test_the_noise_of_an_example_follows_from_its_seed_and_the_step():
    path, times = CosinePath(), even(4)
    x = tf.ones([3, 2], tf.float64)
    draw = Ancestral().step
    seeds = tf.constant([5, 6, 5])
    drawn = solve(best(path), path, x, times[:-1], draw, seeds).numpy()
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert abs(drawn[0] - drawn[1]).min() > 1e-3
    alone = solve(best(path), path, x[1:2], times[:-1], draw, seeds[1:2])
    np.testing.assert_allclose(alone[0], drawn[1], rtol=1e-12)
    with pytest.raises(ValueError, match="seeds is None: pass seeds"):
        solve(best(path), path, x, times, draw)


def test_a_solver_is_chosen_in_the_graph():
    path = StraightPath()
    for number, solver in enumerate(SOLVERS.values()):
        one = move(path, [[0.3, -2.0]], 0.8, 0.6, noise=0.7)
        found = chosen(SOLVERS, tf.constant(number))(one)
        np.testing.assert_array_equal(found, solver.step(one))


def test_parts_are_predicted_once_a_step_but_by_heun():
    calls = []

    def predict(x_t, t):
        calls.append(float(t))
        return Parts(x_t, x_t)

    x = tf.ones([1, 1], tf.float64)
    for solver, expected in ((DPMSolver(), 4), (Heun(), 7)):
        calls.clear()
        solve(predict, StraightPath(), x, even(4), solver.step)
        assert len(calls) == expected
