"""Paths from data to noise, x_t = alpha(t) x + sigma(t) noise, and their derived quantities.

A path starts with the example x at time 0, and ends with pure noise.
"""

from __future__ import annotations

import functools
import math
from functools import partial
from typing import Annotated, Any, NamedTuple, cast

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_number
from keras_gen.declared import Count, Declared, fixed
from keras_gen.losses.per_example import resolve, serializable
from keras_gen.messages import warn

QUANTITIES = ("example", "noise", "v", "velocity", "score")
LAST_ANGLE = 5e-5
"""Difference between a right angle and a `CosinePath`'s angle at time 1, in right angles."""
MOST_LEFT = 0.15
"""Maximum alpha / sigma at the last time; a larger ratio prevents sampling from pure noise."""
FIRST_RATE, LAST_RATE = 0.1, 20.0
"""Variances of the first and last step of a `LinearPath`, times the number of steps."""
MOST_OFFSET = 100
MOST_RHO = 1000
MOST_CHAIN_STEPS = 10_000
"""Maximum number of steps. With more steps, rounding errors in times distort the variances."""
SAME_TIME = 1e-6
"""Maximum difference between times that are considered equal, because float32 rounds times."""

ChainSteps = Annotated[int, partial(checked_integer, minimum=2, maximum=MOST_CHAIN_STEPS)]
KarrasDeviation = Annotated[float, partial(checked_number, minimum=1e-9, maximum=1e9)]
"""A standard deviation whose square is precise in float32."""


class Parts(NamedTuple):
    """The two parts of a point x_t on a path, either true or predicted by a network.

    Attributes:
        example: Example x, `[batch, ...]`.
        noise: Noise with the same shape as the example.
    """

    example: Any
    noise: Any


class Path(Declared):
    """Base class for paths. A subclass defines `alpha`, `sigma`, and their derivatives.

    All functions accept times as a floating-point tensor, either a scalar or `[batch]`, and compute
    in the dtype of this tensor.
    """

    last_time = 1.0
    first_time = 1e-3
    """Time that networks receive instead of 0, because they are never trained without noise."""

    def alpha(self, t) -> tf.Tensor:
        """Returns the factor applied to the example at time t."""
        raise NotImplementedError

    def sigma(self, t) -> tf.Tensor:
        """Returns the factor applied to the noise at time t."""
        raise NotImplementedError

    def alpha_slope(self, t) -> tf.Tensor:
        """Returns the derivative of `alpha`."""
        raise NotImplementedError

    def sigma_slope(self, t) -> tf.Tensor:
        """Returns the derivative of `sigma`, at times above 0."""
        raise NotImplementedError

    def times(self, steps) -> tf.Tensor:
        """Returns the times of a sampler, float32 `[steps + 1]`, from noise to 0."""
        places = tf.range(steps + 1)
        # Times are quotients of integers, so a chain with this number of steps uses exactly its own
        # times.
        return tf.cast((steps - places) / steps, tf.float32)

    def at(self, t, example, noise) -> tf.Tensor:
        """Returns x_t, `[batch, ...]`."""
        t = beside(t, example)
        return self.alpha(t) * example + self.sigma(t) * noise

    def coefficients(self, quantity: str, t) -> tuple:
        """Returns (a, b) such that a quantity of a point is a * example + b * noise.

        The `velocity` is dx_t/dt, and the `score` is the gradient of log q(x_t | example) with
        respect to x_t. `v` is the prediction target from Salimans, Ho: "Progressive Distillation
        for Fast Sampling of Diffusion Models", ICLR 2022, sec. 4. If alpha^2 + sigma^2 = 1, `v` is
        the derivative of x_t with respect to the angle.
        """
        if quantity == "example":
            return tf.ones_like(t), tf.zeros_like(t)
        if quantity == "noise":
            return tf.zeros_like(t), tf.ones_like(t)
        if quantity == "v":
            return -self.sigma(t), self.alpha(t)
        if quantity == "velocity":
            return self.alpha_slope(t), self.sigma_slope(t)
        if quantity == "score":
            return tf.zeros_like(t), -1 / self.sigma(t)
        raise ValueError(f"quantity is {quantity!r}: expected one of {', '.join(QUANTITIES)}.")

    def quantity(self, quantity: str, t, parts: Parts) -> tf.Tensor:
        """Returns the given quantity, one of `QUANTITIES`, of a point with the given parts."""
        a, b = self.coefficients(quantity, beside(t, parts.example))
        return a * parts.example + b * parts.noise

    def parts(self, quantity: str, t, x_t, value) -> Parts:
        """Returns the parts of a point x_t, given the value of one of its quantities.

        The parts are the solution of the equations x_t = alpha * example + sigma * noise and value
        = a * example + b * noise, computed by Cramer's rule.
        """
        t = beside(t, x_t)
        alpha, sigma = self.alpha(t), self.sigma(t)
        a, b = self.coefficients(quantity, t)
        determinant = alpha * b - sigma * a
        example = (b * x_t - sigma * value) / determinant
        noise = (alpha * value - a * x_t) / determinant
        return Parts(example, noise)


class VariancePreserving(Path):
    """Base class for paths with alpha^2 + sigma^2 = 1."""

    @override
    def sigma_slope(self, t):
        return -self.alpha(t) * self.alpha_slope(t) / self.sigma(t)


@serializable
class LinearPath(VariancePreserving):
    """A chain with linearly increasing variances beta_t; log alpha is interpolated between steps.

    Ho, Jain, Abbeel: "Denoising Diffusion Probabilistic Models", NeurIPS 2020, sec. 4. Here,
    alpha(i / T)^2, which the paper calls alpha-bar, is the product of 1 - beta_1 to 1 - beta_i.

    The paper's variances, 1e-4 to 0.02, are meant for 1,000 steps. With T steps, the defaults are
    multiplied by 1000 / T, so that the same small fraction of the example remains at the end. Song
    et al.: "Score-Based Generative Modeling through Stochastic Differential Equations", ICLR 2021,
    appendix B, derive the limit, beta(t) = 0.1 + 19.9 t.

    Args:
        steps: Number T of steps, from 2 to 10,000.
        first: First variance, beta_1. If None, 0.1 / T is used.
        last: Last variance, beta_T, below 1. If None, 20 / T is used, which requires at least 21
            steps.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument is out of range.

    Example:
        >>> LinearPath().alpha(tf.constant(1.0)) ** 2  # 4.036e-5
    """

    steps: ChainSteps = 1000
    first: float | None = None
    last: float | None = None

    @override
    def set_up(self):
        # None is replaced by a number, so that equal paths have equal configurations.
        for name, rate in (("first", FIRST_RATE), ("last", LAST_RATE)):
            variance = getattr(self, name)
            variance = rate / self.steps if variance is None else variance
            object.__setattr__(self, name, checked_number(name, variance))
        first, last = cast(float, self.first), cast(float, self.last)
        if not 0 < first <= last < 1:
            raise ValueError(
                f"first is {first:g} and last is {last:g} for {self.steps} steps: expected 0 < "
                "first <= last < 1. Pass both, or use more than 20 steps."
            )

    @functools.cached_property
    def _log_alphas(self) -> np.ndarray:
        betas = np.linspace(cast(float, self.first), cast(float, self.last), self.steps)
        return np.concatenate([[0.0], np.cumsum(0.5 * np.log1p(-betas))])

    def _between(self, t) -> tuple:
        """Returns the step before a time, the fraction of the way to the next step, and a table."""
        t = tf.convert_to_tensor(t)
        place = t * tf.cast(self.steps, t.dtype)
        before = tf.clip_by_value(tf.floor(place), 0, tf.cast(self.steps - 1, t.dtype))
        return tf.cast(before, tf.int32), place - before, tf.constant(self._log_alphas, t.dtype)

    def _log_alpha(self, t):
        before, part, table = self._between(t)
        return (1 - part) * tf.gather(table, before) + part * tf.gather(table, before + 1)

    @override
    def alpha(self, t):
        return tf.exp(self._log_alpha(t))

    @override
    def sigma(self, t):
        # 1 - alpha^2 = -2 alpha sinh(log alpha), as exact as with expm1, which ONNX does not
        # support.
        log_alpha = self._log_alpha(t)
        return tf.sqrt(-2 * tf.exp(log_alpha) * tf.sinh(log_alpha))

    @override
    def alpha_slope(self, t):
        # The slope jumps at each time of the chain. Here, it is the mean of the slopes on both
        # sides; otherwise, rounding would select one side.
        sides = [self._between(t + side * SAME_TIME) for side in (-1, 1)]
        slopes = [tf.gather(table, i + 1) - tf.gather(table, i) for i, _, table in sides]
        return self.alpha(t) * tf.add_n(slopes) * tf.cast(self.steps, slopes[0].dtype) / 2


@serializable
class CosinePath(VariancePreserving):
    """A path on a circle with uniform angular speed: alpha(t) = cos(angle(t)) / cos(angle(0)).

    Nichol, Dhariwal: "Improved Denoising Diffusion Probabilistic Models", ICML 2021, eq. (17).
    Deviation: the authors clip beta_T at 0.999, so that some of the example remains; here, the
    angle ends 5e-5 short of a right angle, which leaves the same amount for T = 1,000.

    Args:
        offset: Offset s, 0 to 100. With a positive offset, the noise increases faster in the first
            steps, and the velocity is infinite at time 0. With an offset of 0, the velocity is
            finite everywhere.

    Raises:
        TypeError: If `offset` is not a number.
        ValueError: If `offset` is out of range.

    Example:
        >>> CosinePath().sigma(tf.constant(0.5))
    """

    offset: Annotated[float, partial(checked_number, minimum=0, maximum=MOST_OFFSET)] = 0.008

    @property
    def _speed(self) -> float:
        return math.pi / 2 / (1 + self.offset)

    @property
    def _first_angle(self) -> float:
        return self.offset * self._speed

    def _turned(self, t):
        """Returns the difference from the angle at time 0; at time 0, it is exactly 0."""
        return tf.minimum(t * self._speed, self._speed - LAST_ANGLE)

    @override
    def alpha(self, t):
        # Near the end of the path, the complement of the angle is more precise than the angle.
        remaining = tf.maximum((1 - t) * self._speed, LAST_ANGLE)
        alpha = tf.sin(remaining) / math.cos(self._first_angle)
        return tf.where(t > 0, alpha, tf.ones_like(alpha))

    @override
    def sigma(self, t):
        turned, first = self._turned(t), self._first_angle
        # `square` is 1 - alpha^2, computed without subtracting nearly equal numbers.
        square = tf.sin(turned) * tf.sin(turned + 2 * first) / math.cos(first) ** 2
        return tf.sqrt(square)

    @override
    def alpha_slope(self, t):
        angle = self._turned(t) + self._first_angle
        return -self._speed * tf.sin(angle) / math.cos(self._first_angle)

    @override
    def sigma_slope(self, t):
        # Without an offset, the slope has a simpler formula, which is also finite at time 0.
        return super().sigma_slope(t) if self.offset else self._speed * self.alpha(t)


@serializable
class StraightPath(Path):
    """The straight line from the example to the noise, at constant speed.

    Liu, Gong, Liu: "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified
    Flow", ICLR 2023, eq. (1), and Lipman et al.: "Flow Matching for Generative Modeling", ICLR
    2023, eq. (22) with sigma_min = 0; in both papers, time 0 is the noise.

    Example:
        >>> StraightPath().at(tf.constant(0.25), example=tf.zeros([1, 2]), noise=tf.ones([1, 2]))
        <tf.Tensor: shape=(1, 2), dtype=float32, numpy=array([[0.25, 0.25]], dtype=float32)>
    """

    @override
    def alpha(self, t):
        return 1 - t

    @override
    def sigma(self, t):
        return tf.identity(t)

    @override
    def alpha_slope(self, t):
        return -tf.ones_like(t)

    @override
    def sigma_slope(self, t):
        return tf.ones_like(t)


@serializable
class KarrasPath(Path):
    """A path that adds noise to the example; the time is the standard deviation of the noise.

    Karras, Aittala, Aila, Laine: "Elucidating the Design Space of Diffusion-Based Generative
    Models", NeurIPS 2022, table 1 (ours), with the times of eq. (5).

    Args:
        smallest: Last standard deviation of the noise before 0, sigma_min, from 1e-9 to 1e9.
        largest: First standard deviation of the noise, sigma_max, from 1e-9 to 1e9.
        rho: Degree to which times are concentrated near 0, from 1 to 1,000.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument is out of range.

    Example:
        >>> KarrasPath().times(18)[0]
        <tf.Tensor: shape=(), dtype=float32, numpy=80.0>
    """

    smallest: KarrasDeviation = 0.002
    largest: KarrasDeviation = 80.0
    rho: Annotated[float, partial(checked_number, minimum=1, maximum=MOST_RHO)] = 7.0

    @override
    def set_up(self):
        if self.smallest >= self.largest:
            raise ValueError(
                f"smallest is {self.smallest:g} and largest is {self.largest:g}: expected "
                "smallest to be below largest."
            )

    @property
    @override
    def last_time(self) -> float:  # type: ignore[override]
        return self.largest

    @property
    @override
    def first_time(self) -> float:  # type: ignore[override]
        return self.smallest

    @override
    def alpha(self, t):
        return tf.ones_like(t)

    @override
    def sigma(self, t):
        return tf.identity(t)

    @override
    def alpha_slope(self, t):
        return tf.zeros_like(t)

    @override
    def sigma_slope(self, t):
        return tf.ones_like(t)

    @override
    def times(self, steps):
        steps = tf.convert_to_tensor(steps)
        deviations, _ = self.deviation(
            tf.cast(tf.range(steps) / tf.maximum(steps - 1, 1), tf.float32)
        )
        return tf.concat([deviations, [0.0]], axis=0)

    def deviation(self, part) -> tuple:
        """Returns sigma_i in eq. (5), and its slope, at the fraction i / (N - 1)."""
        most = self.largest ** (1 / self.rho)
        least = self.smallest ** (1 / self.rho)
        root = most + part * (least - most)
        return root**self.rho, self.rho * root ** (self.rho - 1) * (least - most)


@serializable
class AnnealedPath(KarrasPath):
    """A path with geometrically spaced noise levels for the `langevin` solver.

    Song, Ermon: "Generative Modeling by Estimating Gradients of the Data Distribution", NeurIPS
    2019, sec. 4. The path adds noise to the example, and the solver takes many steps at each noise
    level. `EDM` learns the score at all noise levels, so a trained model needs only another path
    and solver:

    ```python
    model = EDM(network, AnnealedPath(levels=10))
    images = model.sample(9, steps=1000, solver="langevin")
    ```

    Args:
        smallest: Standard deviation of the noise at the last level, sigma_L.
        largest: Standard deviation of the noise at the first level, sigma_1.
        levels: Number L of levels. Steps are divided evenly among the levels.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If an argument is out of range.

    Example:
        >>> AnnealedPath(0.01, 1.0, levels=3).times(6)[:4]
        <tf.Tensor: shape=(4,), dtype=float32, numpy=array([1. , 1. , 0.1, 0.1], dtype=float32)>
    """

    smallest: KarrasDeviation = 0.02
    largest: KarrasDeviation = 10.0
    rho: float = fixed(7.0)
    levels: Count = 40

    @override
    def times(self, steps):
        level = tf.range(steps) * self.levels // steps
        ratio = math.log(self.smallest / self.largest) / max(self.levels - 1, 1)
        deviations = self.largest * tf.exp(ratio * tf.cast(level, tf.float32))
        return tf.concat([deviations, [0.0]], axis=0)


PATHS = {
    "linear": LinearPath,
    "cosine": CosinePath,
    "straight": StraightPath,
    "karras": KarrasPath,
    "annealed": AnnealedPath,
}


def warn_of_remains(path: Path) -> None:
    """Warns if, at a path's end, too much of an example remains to sample from pure noise."""
    end = tf.constant(path.last_time)
    left = float(path.alpha(end) / path.sigma(end))
    if left > MOST_LEFT:
        warn(
            f"The ratio of example to noise at the end of {path} is {left:.2g}: expected at most "
            f"{MOST_LEFT}, because samples start from pure noise. Increase the last variance or "
            "standard deviation, or use the defaults of the path."
        )


def get(identifier: Any) -> Path:
    """Returns the path for a name, a config, or an object; rejects other values."""
    return resolve(identifier, PATHS, Path, "path")  # type: ignore[type-abstract]


def posterior(path: Path, t, s, x_t, example) -> tuple:
    """Returns the mean and the variance of q(x_s | x_t, example), for time s before t.

    The mean and the variance are eqs. (6) and (7) of Ho et al. (2020) for any two times. The mean
    is `[batch, ...]`; the variance has the shape of the times, which is broadcastable to the mean.
    """
    t, s = beside(t, x_t), beside(s, x_t)
    between = variance_between(path, t, s)
    of_t = tf.square(path.sigma(t))
    of_s = tf.square(path.sigma(s))
    of_point = path.alpha(t) / path.alpha(s) * of_s / of_t
    of_example = path.alpha(s) * between / of_t
    return of_point * x_t + of_example * example, between * of_s / of_t


def variance_between(path: Path, t, s) -> tf.Tensor:
    """Returns the variance of q(x_t | x_s) for s before t: beta_t for neighboring steps."""
    factor = path.alpha(t) / path.alpha(s)
    return tf.square(path.sigma(t)) - tf.square(factor * path.sigma(s))


def beside(t, x) -> tf.Tensor:
    """Reshapes times `[batch]` to `[batch, 1, ...]` for broadcasting; scalars are unchanged."""
    t = tf.convert_to_tensor(t)
    if t.shape.rank == 1:
        t = tf.reshape(t, [-1, *[1] * (x.shape.rank - 1)])
    return t
