"""Solvers, which move points on a path from one time to another, and the sampling loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import tensorflow as tf

from keras_gen.core.noise import seeded
from keras_gen.declared import Declared, Fraction
from keras_gen.diffusion.paths import Parts, Path, posterior, variance_between


class Move(NamedTuple):
    """One step of a solver.

    Attributes:
        path: Path to follow.
        x: Points x_t, `[batch, ...]`.
        t: Current time of the points, a scalar.
        s: Next time of the points.
        parts: Predicted parts of the points at time t.
        before: Time of the previous step, or t in the first step.
        example_before: Example predicted in the previous step.
        predict: Function that maps points and their time to predicted parts.
        noise: Function without arguments that returns standard normal noise for this step,
            `[batch, ...]`.
    """

    path: Path
    x: tf.Tensor
    t: tf.Tensor
    s: tf.Tensor
    parts: Parts
    before: tf.Tensor
    example_before: tf.Tensor
    predict: Callable
    noise: Callable


class Solver(Declared):
    """Base class for solvers. A subclass defines a single step (`step`).

    For every solver, a step to time 0 ends at the predicted example.
    """

    def step(self, move: Move) -> tf.Tensor:
        """Returns the points at time `move.s`."""
        raise NotImplementedError


class Ancestral(Solver):
    """Samples from q(x_s | x_t, predicted example): algorithm 2 of Ho et al. (2020), for any times.

    Args:
        variance: Variance of a step: `"beta"`, the variance of q(x_t | x_s), or `"beta_tilde"`, the
            variance of eq. (7).
    """

    variance: Literal["beta", "beta_tilde"] = "beta_tilde"

    def step(self, move):
        """Returns a sample or, at time 0, the mean, as in algorithm 2."""
        mean, variance = posterior(move.path, move.t, move.s, move.x, move.parts.example)
        if self.variance == "beta":
            between = variance_between(move.path, move.t, move.s)
            variance = tf.where(move.s > 0, between, tf.zeros_like(between))
        return mean + tf.sqrt(variance) * move.noise()


class DDIM(Solver):
    """DDIM: Song, Meng, Ermon: "Denoising Diffusion Implicit Models", ICLR 2021, eq. (12).

    Args:
        eta: Amount of noise (eq. 16). If `eta` is 0, the solver follows a differential equation; if
            it is 1, the solver samples like `Ancestral`.
    """

    eta: Fraction = 0.0

    def step(self, move):
        """Combines the predicted example, the predicted noise, and new noise scaled by eta."""
        alpha, sigma = move.path.alpha(move.s), move.path.sigma(move.s)
        if not self.eta:
            return alpha * move.parts.example + sigma * move.parts.noise
        _, variance = posterior(move.path, move.t, move.s, move.x, move.parts.example)
        new = self.eta * tf.sqrt(variance)  # standard deviation of the new noise
        kept = tf.sqrt(tf.maximum(tf.square(sigma) - tf.square(new), 0))
        return alpha * move.parts.example + kept * move.parts.noise + new * move.noise()


class Euler(Solver):
    """Euler's method: a step along the velocity."""

    def step(self, move):
        """Returns x + (s - t) dx/dt."""
        velocity = move.path.quantity("velocity", move.t, move.parts)
        moved = move.x + (move.s - move.t) * velocity
        return tf.where(move.s > 0, moved, move.parts.example)


class Heun(Solver):
    """Heun's method, a step along the mean of both ends' velocities (Karras et al. 2022, alg. 1).

    The solver evaluates the network twice per step, except in the step to time 0.
    """

    def step(self, move):
        """Returns x + (s - t) times the mean of the velocities at both ends."""

        def corrected():
            way = move.s - move.t
            velocity = move.path.quantity("velocity", move.t, move.parts)
            there = move.predict(move.x + way * velocity, move.s)
            return move.x + way * (velocity + move.path.quantity("velocity", move.s, there)) / 2

        return tf.cond(move.s > 0, corrected, lambda: move.parts.example)


class DPMSolver(Solver):
    """DPM-Solver++(2M), a second-order solver that reuses the previous step's prediction.

    Lu, Zhou, Bao, Chen, Li, Zhu: "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion
    Probabilistic Models", 2022, algorithm 2. The first step and the last step are first-order.
    """

    def step(self, move):
        """Returns the next points, computed with an example extrapolated from two predictions."""
        path = move.path

        def log_ratio(t):
            return tf.math.log(path.alpha(t)) - tf.math.log(path.sigma(t))

        length = log_ratio(move.s) - log_ratio(move.t)
        length_before = log_ratio(move.t) - log_ratio(move.before)
        share = length / (2 * length_before)
        # The weight of the extrapolation is 0 in the first step, in the last step, and after a step
        # from pure noise.
        extrapolates = tf.math.is_finite(share) & (move.s > 0)
        share = tf.where(extrapolates, share, tf.zeros_like(share))
        example = move.parts.example + share * (move.parts.example - move.example_before)
        ratio = path.sigma(move.s) / path.sigma(move.t)
        return ratio * move.x + (path.alpha(move.s) - ratio * path.alpha(move.t)) * example


class Langevin(Solver):
    """Annealed Langevin dynamics, a sampler that needs only the score at each noise level.

    Song, Ermon: "Generative Modeling by Estimating Gradients of the Data Distribution", NeurIPS
    2019, algorithm 1. Each step samples at the current noise level, so each level needs many steps;
    an `AnnealedPath` provides such steps. The step to time 0 removes the remaining noise, as
    proposed by Song, Ermon: "Improved Techniques for Training Score-Based Generative Models",
    NeurIPS 2020.

    Deviation: the step size is given relative to the variance of the noise. The paper's epsilon is
    `fraction` times the variance of the last level.

    Args:
        fraction: Step size alpha_i divided by the variance of the noise.
    """

    fraction: Fraction = 0.2

    def step(self, move):
        """Returns x + alpha_i / 2 times the score, plus noise with variance alpha_i."""
        sigma = move.path.sigma(move.t)
        score = move.path.quantity("score", move.t, move.parts)
        size = self.fraction * sigma**2
        moved = move.x + size / 2 * score + tf.sqrt(size) * move.noise()
        return tf.where(move.s > 0, moved, move.parts.example)


SOLVERS: dict[str, Solver] = {
    "ddim": DDIM(),
    "ancestral": Ancestral(),
    "dpm_solver": DPMSolver(),
    "euler": Euler(),
    "heun": Heun(),
    "langevin": Langevin(),
}


def solve(
    predict: Callable, path: Path, x: tf.Tensor, times: tf.Tensor, step: Callable, seeds=None
) -> tf.Tensor:
    """Moves points along a path through all times, in a single TensorFlow loop.

    Args:
        predict: Function that maps points x_t `[batch, ...]` and the scalar time t to their
            `Parts`.
        path: Path to follow.
        x: Points at the first time.
        times: Times, `[steps + 1]`, in the dtype of x, from noise to data or from data to noise.
        step: Step function of a solver, such as `DDIM().step`, or the return value of `chosen`.
        seeds: Seeds, int32 `[batch]`, that determine the noise of each example in each step, or
            None for solvers without noise.

    Returns:
        The points at the last time.

    Example:
        >>> x = solve(predict, StraightPath(), noise, StraightPath().times(50), Euler().step)
    """
    steps = tf.shape(times)[0] - 1

    def body(number, x, example_before):
        def noise():
            if seeds is None:
                raise ValueError(
                    "The solver uses noise in each step, but seeds is None: pass seeds."
                )
            values = seeded(tf.random.stateless_normal, seeds, tf.shape(x)[1:], number)
            return tf.cast(tf.ensure_shape(values, x.shape), x.dtype)

        # Use `tf.gather`, because OpenVINO slices incorrectly if the index is a loop variable.
        t = tf.gather(times, number)
        s = tf.gather(times, number + 1)
        parts = predict(x, t)
        before = tf.gather(times, tf.maximum(number - 1, 0))
        move = Move(path, x, t, s, parts, before, example_before, predict, noise)
        return number + 1, tf.ensure_shape(step(move), x.shape), parts.example

    start = (tf.constant(0), x, tf.zeros_like(x))
    _, x, _ = tf.while_loop(lambda number, *_: number < steps, body, start)
    return x


def chosen(solvers: Mapping[str, Solver], choice: tf.Tensor) -> Callable:
    """Returns the step function of the solver at the int32 index `choice` in `solvers`."""

    def step(move: Move) -> Any:
        branches = [lambda solver=solver: solver.step(move) for solver in solvers.values()]
        return tf.switch_case(choice, branches)

    return step
