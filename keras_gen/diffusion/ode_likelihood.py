"""The likelihood of a differential equation that moves noise to data."""

import functools
import math
from collections.abc import Callable

import tensorflow as tf

from keras_gen.losses.per_example import per_example_sum

STEPS = 15  # of Runge and Kutta, from the data to the noise
MOST_VALUES = 4  # of an example whose divergence is exact


def ode_log_prob(
    velocity: Callable, x: tf.Tensor, probe: tf.Tensor, steps: int = STEPS
) -> tf.Tensor:
    """Returns log p(x) of the examples that a velocity moves from standard normal noise to data.

    Chen, Rubanova, Bettencourt, Duvenaud: "Neural Ordinary Differential Equations", NeurIPS 2018,
    theorem 1: along a solution log p changes by minus the divergence of the velocity. Of more than
    4 values it is estimated by a random direction: Grathwohl et al.: "FFJORD: Free-form Continuous
    Dynamics for Scalable Reversible Generative Models", ICLR 2019, eq. (7). The integrals are those
    of the classical method of Runge and Kutta, of fourth order.

    Args:
        velocity: Function of points `[batch, ...]` and a scalar time: dx/dt.
        x: Examples, points at time 0; those at time 1 are standard normal.
        probe: Standard normal directions of the shape of x, for the estimate.
        steps: Steps of time.

    Returns:
        `[batch]`, in nats.

    Example:
        >>> ode_log_prob(lambda x, t: tf.zeros_like(x), tf.zeros([1, 2]), tf.ones([1, 2]))
        <tf.Tensor: shape=(1,), dtype=float32, numpy=array([-1.837877], dtype=float32)>
    """
    length = tf.cast(1 / steps, x.dtype)

    # Traced once, and not for each of the four places of a step.
    @functools.partial(tf.function, autograph=False)
    def slope(x, t):
        return _velocity_and_divergence(velocity, x, t, probe)

    def body(number, x, change):
        t = tf.cast(number, x.dtype) * length
        v1, d1 = slope(x, t)
        v2, d2 = slope(x + length / 2 * v1, t + length / 2)
        v3, d3 = slope(x + length / 2 * v2, t + length / 2)
        v4, d4 = slope(x + length * v3, t + length)
        x += length / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        change += length / 6 * (d1 + 2 * d2 + 2 * d3 + d4)
        return number + 1, x, change

    start = (tf.constant(0), x, tf.zeros_like(per_example_sum(x)))
    _, noise, change = tf.while_loop(lambda number, *_: number < steps, body, start)
    log_normal = -0.5 * per_example_sum(tf.square(noise) + math.log(2 * math.pi))
    return log_normal + change


def _velocity_and_divergence(velocity, x, t, probe) -> tuple:
    exact = x.shape.rank == 2 and x.shape[1] <= MOST_VALUES
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        moved = velocity(x, t)
        values = tf.unstack(moved, axis=1) if exact else per_example_sum(moved * probe)
    if not exact:
        return moved, per_example_sum(tape.gradient(values, x) * probe)
    slopes = [tape.gradient(value, x)[:, number] for number, value in enumerate(values)]
    return moved, tf.add_n(slopes)
