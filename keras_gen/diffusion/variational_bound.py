"""The variational bound of a diffusion chain (Ho, Jain, Abbeel 2020, eq. 5)."""

import math

import tensorflow as tf

from keras_gen.core.noise import folded, normal, uniform
from keras_gen.diffusion.paths import Path, posterior, variance_between
from keras_gen.losses.divergences import kl_normal
from keras_gen.losses.per_example import per_example_sum

SCORE_TIMES = 16  # sampled times per example, one in each part of the T - 1 times of the bound
HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
LEAST_PROBABILITY = 1e-12  # minimum probability of a level, as in the authors' code


def bound_nats(model, x, seeds, **given) -> tf.Tensor:
    """Returns L_0 + ... + L_T for a model's examples, `[batch]`, in nats.

    Args:
        model: `DDPM`, which provides the path, the network's prediction, and the variance of a
            backward step.
        x: Prepared examples `[batch, ...]`.
        seeds: Seeds for the examples' noise, int64 `[batch, 2]`.
        **given: Conditions of the network.
    """
    divergences = later_divergences(model, x, seeds, **given)
    nats = first_nats(model, x, seeds, **given)
    return last_divergence(model.probability_path, x) + divergences + nats


def last_divergence(path: Path, x) -> tf.Tensor:
    """Returns L_T = KL(q(x_T | x) || N(0, 1)), `[batch]`, in nats."""
    end = tf.constant(1.0)
    mean = path.alpha(end) * x
    log_variance = 2 * tf.math.log(path.sigma(end))
    return kl_normal(mean, log_variance, tf.zeros_like(mean), 0.0)


def later_divergences(model, x, seeds, **given) -> tf.Tensor:
    """Estimates the sum of L_1 to L_(T-1), `[batch]`, in nats, from one time in each part."""
    parts_of = parts_of_steps(model.chain_steps - 1)
    ends = tf.constant(parts_of, tf.float32)

    # Outside a graph, AutoGraph would spend seconds rewriting all functions that `map_fn` calls.
    @tf.autograph.experimental.do_not_convert
    def in_part(number):
        position = uniform(tf.shape(x)[:1], folded(seeds, 2 * number))
        size = ends[number + 1] - ends[number]
        place = ends[number] + tf.minimum(tf.floor(position * size), size - 1.0)
        own = folded(seeds, 2 * number + 1)
        return size * divergence(model, x, 2 + place, own, **given)

    # Parts are computed one at a time, because all parts together would require several times the
    # memory.
    parts = tf.map_fn(
        in_part,
        tf.range(len(parts_of) - 1),
        parallel_iterations=1,
        fn_output_signature=tf.float32,
    )
    return tf.reduce_sum(parts, axis=0)


def divergence(model, x, step, seeds, **given) -> tf.Tensor:
    """Returns L_(t-1) = KL(q(x_(t-1) | x_t, x) || p(x_(t-1) | x_t)), `[batch]`, in nats.

    `step` is the paper's t, `[batch]`, at least 2; the seeds determine x_t.
    """
    path = model.probability_path
    t = step / model.chain_steps
    s = (step - 1) / model.chain_steps
    x_t = path.at(t, x, normal(tf.shape(x), seeds))
    mean, tilde = posterior(path, t, s, x_t, x)  # eq. (7)
    predicted, _ = posterior(path, t, s, x_t, model.parts(x_t, t, **given).example)
    variance = tilde
    if model.variance == "beta":
        variance = tf.reshape(variance_between(path, t, s), tf.shape(tilde))
    return kl_normal(mean, tf.math.log(tilde), predicted, tf.math.log(variance))  # eq. (8)


def first_nats(model, x, seeds, **given) -> tf.Tensor:
    """Returns L_0 = -log p(x | x_1), `[batch]`: eq. (13) for levels, otherwise a density."""
    path = model.probability_path
    t = tf.fill(tf.shape(x)[:1], 1 / model.chain_steps)
    x_1 = path.at(t, x, normal(tf.shape(x), seeds))
    mean = model.parts(x_1, t, **given).example
    deviation = path.sigma(
        t[0]
    )  # from beta_1 even if the variance is beta-tilde, which is 0 here
    if model.data == "images":
        # In training, a darker level may represent black; values below -1 are clipped to black.
        levels = tf.maximum(x, -1.0)
        return -per_example_sum(log_prob_of_levels(levels, mean, deviation))
    distance = tf.square((x - mean) / deviation)
    return per_example_sum(0.5 * distance + tf.math.log(deviation) + HALF_LOG_2_PI)


def parts_of_steps(steps: int) -> list[int]:
    """Divides the steps 0 to `steps` - 1 into parts; returns their starts and the last part's end.

    The parts grow geometrically, because L_t decreases approximately as 1 / t. With parts of equal
    size, the first part would contain terms of very different magnitudes.

    Example:
        >>> parts_of_steps(999)[-4:]
        [274, 421, 649, 999]
    """
    count = min(SCORE_TIMES, steps)
    ends = [0]
    for number in range(1, count + 1):
        end = max(ends[-1] + 1, round(steps ** (number / count)))
        ends.append(min(end, steps - (count - number)))  # each part contains at least one step
    return ends


def log_prob_of_levels(x, mean, deviation) -> tf.Tensor:
    """Returns the log-probability of 256 levels in [-1, 1] under a normal density, eq. (13).

    Each level receives the probability mass within half a step, and the outermost levels also
    receive all mass beyond them. The result has the shape of x, and is at least log 1e-12.
    """
    above = tf.where(x > 0.999, 1.0, _normal_cdf((x + 1 / 255 - mean) / deviation))
    below = tf.where(x < -0.999, 0.0, _normal_cdf((x - 1 / 255 - mean) / deviation))
    return tf.math.log(tf.maximum(above - below, LEAST_PROBABILITY))


def _normal_cdf(x):
    return 0.5 * tf.math.erfc(-x * math.sqrt(0.5))
