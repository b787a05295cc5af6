"""Solvers on Gaussian data, whose best prediction is known, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.diffusion.paths import CosinePath, KarrasPath, LinearPath, Parts, StraightPath
from keras_gen.diffusion.solvers import (
    DDIM,
    SOLVERS,
    Ancestral,
    DPMSolver,
    Euler,
    Heun,
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


def karras(steps, path):
    most, least = (d ** (1 / path.rho) for d in (path.largest, path.smallest))
    inner = (most + np.arange(steps) / (steps - 1) * (least - most)) ** path.rho
    return tf.constant([*inner, 0.0])


def deviation(path, t):
    """That of the points at time t, of shape `[1, 1]`."""
    return tf.sqrt((path.alpha(t) * DEVIATION) ** 2 + path.sigma(t) ** 2)[None, None]


def error(path, times, step):
    """How far from one deviation a point ends that starts one deviation from 0."""
    end = solve(best(path), path, deviation(path, times[0]), times, step)
    return abs((end - deviation(path, times[-1])).numpy().item())


@pytest.mark.parametrize(
    "path,solver,order",
    [
        (CosinePath(0.0), DDIM(), 1),
        (StraightPath(), DDIM(), 1),
        (StraightPath(), Euler(), 1),
        (StraightPath(), Heun(), 2),
        (CosinePath(0.0), DPMSolver(), 2),
    ],
)
def test_errors_fall_with_the_order(path, solver, order):
    coarse, fine = (error(path, even(steps, 0.9, 0.1), solver.step) for steps in (20, 40))
    assert 0 < fine < 0.02
    assert np.log2(coarse / fine) == pytest.approx(order, abs=0.25)


def test_heun_with_the_times_of_karras_is_of_second_order():
    path = KarrasPath(smallest=0.002, largest=80.0)
    coarse, fine = (error(path, karras(steps, path), Heun().step) for steps in (16, 32))
    euler = error(path, karras(32, path), Euler().step)
    assert np.log2(coarse / fine) == pytest.approx(2, abs=0.4)
    assert fine < euler / 4


def move(path, x, t, s, noise=0.0):
    x = tf.constant(x, tf.float64)
    t, s = tf.constant(t, tf.float64), tf.constant(s, tf.float64)
    parts = best(path)(x, t)
    drawn = tf.fill(x.shape, tf.constant(noise, tf.float64))
    return Move(path, x, t, s, parts, t, parts.example, best(path), lambda: drawn)


def final_deviation(path, solver, steps):
    """Exactly, as each step is linear in the points and in the noise."""
    variance = 1.0
    for t, s in zip(even(steps).numpy()[:-1], even(steps).numpy()[1:], strict=True):
        gain = float(solver.step(move(path, [[1.0]], t, s))[0, 0])
        drawn = float(solver.step(move(path, [[0.0]], t, s, noise=1.0))[0, 0])
        variance = gain**2 * variance + drawn**2
    return variance**0.5


def test_ancestral_samples_have_the_deviation_of_the_data_in_the_end():
    """From below, as a step from a predicted example forgets how uncertain that is."""
    path = LinearPath()
    found = [final_deviation(path, Ancestral(), steps) for steps in (5, 20, 40)]
    assert found == sorted(found)
    assert 0.2 < found[0] < 0.4 and 0.43 < found[-1] < DEVIATION
    assert found[1] < final_deviation(path, Ancestral("beta"), 20)


def test_ddim_that_draws_all_of_its_noise_anew_is_ancestral():
    for path in (LinearPath(), CosinePath(), StraightPath()):
        one = move(path, [[0.3, -2.0]], 0.8, 0.6, noise=0.7)
        np.testing.assert_allclose(DDIM(1.0).step(one), Ancestral().step(one), rtol=1e-9)
        some = DDIM(0.5).step(one)
        assert abs(some - DDIM(1.0).step(one)).numpy().min() > 1e-3


def test_on_a_straight_line_ddim_is_eulers_method():
    one = move(StraightPath(), [[0.3, -2.0]], 0.8, 0.6)
    np.testing.assert_allclose(DDIM().step(one), Euler().step(one), rtol=1e-12)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_last_step_ends_at_the_predicted_example(name):
    for path in (LinearPath(), StraightPath()):
        one = move(path, [[0.3, -2.0]], 0.1, 0.0, noise=0.7)
        np.testing.assert_allclose(SOLVERS[name].step(one), one.parts.example, rtol=1e-6)


def test_the_way_there_and_back_is_never_exact():
    """The error of DDIM's round trip halves for twice the steps."""
    path = StraightPath()

    def back_and_forth(steps):
        x = tf.constant([[0.4]], tf.float64)
        there = solve(best(path), path, x, even(steps)[::-1], _from_zero(DDIM().step))
        again = solve(best(path), path, there, even(steps), DDIM().step)
        return abs(again.numpy().item() - 0.4)

    coarse, fine = back_and_forth(20), back_and_forth(40)
    assert fine > 1e-4
    assert coarse / fine == pytest.approx(2, abs=0.3)


def _from_zero(step):
    """At time 0 the parts of a straight line need a time above it."""

    def moved(move):
        t = tf.maximum(move.t, 1e-9)
        return step(move._replace(parts=best(move.path)(move.x, t)))

    return moved


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
    with pytest.raises(ValueError, match="draws noise at each step: give seeds"):
        solve(best(path), path, x, times, draw)


def test_another_variance_is_refused():
    with pytest.raises(ValueError, match="variance"):
        Ancestral("bets")


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
