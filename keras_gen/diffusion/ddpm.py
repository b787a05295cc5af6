"""Denoising diffusion probabilistic models (Ho, Jain, Abbeel 2020)."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_choice, checked_integer
from keras_gen.core.checks.networks import UNBOUNDED, require_range
from keras_gen.core.noise import folded, normal, uniform
from keras_gen.diffusion.path_model import PathModel
from keras_gen.diffusion.paths import (
    MOST_CHAIN_STEPS,
    Parts,
    Path,
    posterior,
    variance_between,
)
from keras_gen.diffusion.solvers import VARIANCES, Ancestral
from keras_gen.losses.divergences import kl_normal
from keras_gen.losses.per_example import per_example_mean, per_example_sum
from keras_gen.messages import warn

PREDICTIONS = ("noise", "example", "v")
LEAST_LEFT = 1e-3  # of an example at the end of a path, if the network predicts the noise
SCORE_TIMES = 16  # of the T - 1 of an example's bound, one in each of as many parts
HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
LEAST_PROBABILITY = 1e-12  # of a level, as in the authors' code


@keras.saving.register_keras_serializable("keras_gen")
class DDPM(PathModel):
    """A network that finds the noise in noisy examples, and takes it away step by step.

    Ho, Jain, Abbeel: "Denoising Diffusion Probabilistic Models", NeurIPS 2020. Training is
    algorithm 1 with the loss of eq. (14); `sample` with `solver="ancestral"` and as many steps as
    `chain_steps` is algorithm 2, and by default the 50 steps of DDIM (Song, Meng, Ermon 2021).
    `score` and `log_prob` are the bound of eq. (5), in nats, whose L_1 to L_(T-1) are estimated at
    16 times. They are right on average, and that of one example is noisy: of normal points in the
    plane, whose log p varies by 1 nat, by 2.4 nats with the best network.

    | paper | here |
    |-|-|
    | x_0, x_t | `x`, `x_t` |
    | T, and the step t | `chain_steps`, and `t` times that |
    | square root of alpha-bar_t | `probability_path.alpha(t)` |
    | square root of 1 - alpha-bar_t | `probability_path.sigma(t)` |
    | beta_t, beta-tilde_t | `variance_between`, `posterior` of `t` and `t` - 1/T |
    | epsilon, epsilon_theta | `noise`, what the network predicts |

    Deviations: the loss is the mean and not the sum over an example's values; a batch of B examples
    draws its times evenly, example i in [i/B, (i+1)/B). Predicted images are clipped to [-1, 1],
    in samples and in the bound, as in the authors' code. `compile()` has Keras' Adam, of rate
    0.001; the paper 0.0002, and averages of the weights.

    Args:
        network: Points x_t `[batch, ...]` and times `[batch]` in (0, 1] to what it predicts, of
            the points' shape, such as of `keras_gen.networks.time_unet` or `time_mlp`.
        probability_path: Name or object: `"linear"` is the paper's, `"cosine"` that of Nichol,
            Dhariwal (2021).
        prediction: What the network predicts: `"noise"` as in the paper, `"example"`, or `"v"` of
            Salimans, Ho (2022). On the cosine path, whose end holds 5e-5 of an example, an error of
            the noise is divided by that: vectors, which are not clipped, need another one.
            `for_vectors` takes `"v"` if nothing is given: after 2,000 steps on two moons the
            columns of samples had 0.99 and 0.97 of the data's deviations, with `"noise"` 1.14 and
            0.87.
        chain_steps: T, 2 to 10,000: as many even times of the path, whatever its own steps are.
        variance: Of a step back: `"beta"` or `"beta_tilde"`, see sec. 3.2.
        data: `"images"`, or `"vectors"` of about unit deviation, as `for_vectors` makes them.
        seed: Seed of noise and times.

    Raises:
        ValueError: If the network has other inputs or outputs, or an option is unknown.

    Example:
    ```python
    from keras_gen.networks import time_unet
    model = DDPM(time_unet((8, 8, 1), widths=(8,)))
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1, steps=5)
    ```
    """

    evaluations = PathModel.evaluations | {"log_prob": SCORE_TIMES + 1}

    def __init__(
        self,
        network: keras.Model,
        probability_path: Path | str = "linear",
        prediction: str = "noise",
        chain_steps: int = 1000,
        variance: str = "beta",
        data: str = "images",
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(network, probability_path, data, seed, **kwargs)
        self.prediction = checked_choice("prediction", prediction, PREDICTIONS)
        of_examples = self.prediction == "example"
        predicted = self.edges["x"].span if of_examples else UNBOUNDED
        require_range(predicted, "predictions", network)
        self.chain_steps = checked_integer("chain_steps", chain_steps, 2, MOST_CHAIN_STEPS)
        self.variance = checked_choice("variance", variance, VARIANCES)
        left = float(self.probability_path.alpha(tf.constant(1.0)))
        if (self.data, self.prediction) == ("vectors", "noise") and left < LEAST_LEFT:
            sentence = (
                f"{type(self.probability_path).__name__} leaves {left:.0e} of an example at its "
                "end, by which an error of the noise is divided, so that samples lie far from the "
                "data: give prediction='v', or the linear path."
            )
            if not left:  # samples would be NaN
                raise ValueError(sentence)
            warn(sentence)

    @classmethod
    @override
    def for_vectors(cls, shape: int | tuple, width: int = 128, blocks: int = 4, **kwargs):
        kwargs.setdefault("prediction", "v")  # nothing clips what is predicted of vectors
        return super().for_vectors(shape, width, blocks, **kwargs)

    # Algorithm 1 -----------------------------------------------------------------------------

    @override
    def terms(self, batch):
        """Returns the loss of eq. (14), `[batch]`."""
        x = batch["x"]  # of images in [-1, 1]
        # One of 1/T, 2/T, ..., 1, equally likely. The times drawn are in [0, 1): 0 is the first.
        t = tf.math.ceil(self.even_times(x) * self.chain_steps) / self.chain_steps
        t = tf.maximum(t, 1 / self.chain_steps)
        given = {name: batch[name] for name in self.given}  # conditions, which are none here

        noise = self.normal("noise", keras.ops.shape(x))
        x_t = self.probability_path.at(t, x, noise)  # eq. (4): alpha x + sigma noise
        # The noise, x, or v = alpha noise - sigma x.
        target = self.probability_path.quantity(self.prediction, t, Parts(x, noise))
        return {
            "denoising": per_example_mean(
                tf.square(target - self.network_output(x_t, t, **given))
            )
        }

    # Algorithm 2 -----------------------------------------------------------------------------

    @override
    def solvers(self):
        # x_s = the mean of `posterior` + its deviation times noise, and only the mean at time 0.
        return super().solvers() | {"ancestral": Ancestral(self.variance)}

    # The bound of eq. (5) --------------------------------------------------------------------

    @override
    def nats(self, x, **given):
        bound = self.bound_nats(x, self.score_seeds(x), **given)
        return self.edges["x"].nats_outside(bound)

    def bound_nats(self, x, seeds, **given) -> tf.Tensor:
        """Returns L_0 + ... + L_T, `[batch]` in nats, with noise by seeds of the examples."""
        divergences = self.later_divergences(x, seeds, **given)
        return self.last_divergence(x) + divergences + self.first_nats(x, seeds, **given)

    def last_divergence(self, x) -> tf.Tensor:
        """Returns L_T = KL(q(x_T | x) || N(0, 1)), `[batch]` in nats."""
        end = tf.constant(1.0)
        mean = self.probability_path.alpha(end) * x
        log_variance = 2 * tf.math.log(self.probability_path.sigma(end))
        return kl_normal(mean, log_variance, tf.zeros_like(mean), 0.0)

    def later_divergences(self, x, seeds, **given) -> tf.Tensor:
        """Estimates the sum of L_1 to L_(T-1), `[batch]` in nats, by one time in each part."""
        parts_of = parts_of_steps(self.chain_steps - 1)
        ends = tf.constant(parts_of, tf.float32)

        # Outside of a graph `map_fn` would rewrite all that is called, for seconds.
        @tf.autograph.experimental.do_not_convert
        def in_part(number):
            drawn = uniform(tf.shape(x)[:1], folded(seeds, 2 * number))
            size = ends[number + 1] - ends[number]
            place = ends[number] + tf.minimum(tf.floor(drawn * size), size - 1.0)
            own = folded(seeds, 2 * number + 1)
            return size * self.divergence(x, 2 + place, own, **given)

        # One after another: all parts at once would take as many times the memory.
        parts = tf.map_fn(
            in_part,
            tf.range(len(parts_of) - 1),
            parallel_iterations=1,
            fn_output_signature=tf.float32,
        )
        return tf.reduce_sum(parts, axis=0)

    def divergence(self, x, step, seeds, **given) -> tf.Tensor:
        """Returns L_(t-1) = KL(q(x_(t-1) | x_t, x) || p(x_(t-1) | x_t)), `[batch]` in nats.

        `step` is t in the paper's count, `[batch]`, 2 or more; x_t is drawn by the seeds.
        """
        path = self.probability_path
        t = step / self.chain_steps
        s = (step - 1) / self.chain_steps
        x_t = path.at(t, x, normal(tf.shape(x), seeds))
        mean, tilde = posterior(path, t, s, x_t, x)  # eq. (7)
        predicted, _ = posterior(path, t, s, x_t, self.parts(x_t, t, **given).example)
        variance = tilde
        if self.variance == "beta":
            variance = tf.reshape(variance_between(path, t, s), tf.shape(tilde))
        return kl_normal(mean, tf.math.log(tilde), predicted, tf.math.log(variance))  # eq. (8)

    def first_nats(self, x, seeds, **given) -> tf.Tensor:
        """Returns L_0 = -log p(x | x_1), `[batch]`: of levels by eq. (13), or of a density."""
        path = self.probability_path
        t = tf.fill(tf.shape(x)[:1], 1 / self.chain_steps)
        x_1 = path.at(t, x, normal(tf.shape(x), seeds))
        mean = self.parts(x_1, t, **given).example
        deviation = path.sigma(t[0])  # of beta_1 also where the variance is beta-tilde, 0 there
        if self.data == "images":
            # Black may be darker inside: what lies below -1 is clipped to it, and counts for it.
            levels = tf.maximum(x, -1.0)
            return -per_example_sum(log_prob_of_levels(levels, mean, deviation))
        distance = tf.square((x - mean) / deviation)
        return per_example_sum(0.5 * distance + tf.math.log(deviation) + HALF_LOG_2_PI)


def parts_of_steps(steps: int) -> list[int]:
    """Returns where parts of the steps 0 to `steps` - 1 begin, and the last of them ends.

    The parts grow like a geometric series, since L_t falls about as 1 / t: an even part of the
    first steps would have terms of very different sizes.

    Example:
        >>> parts_of_steps(999)[-4:]
        [274, 421, 649, 999]
    """
    count = min(SCORE_TIMES, steps)
    ends = [0]
    for number in range(1, count + 1):
        end = max(ends[-1] + 1, round(steps ** (number / count)))
        ends.append(min(end, steps - (count - number)))  # each part has a step
    return ends


def log_prob_of_levels(x, mean, deviation) -> tf.Tensor:
    """Returns the log-probability of 256 levels in [-1, 1] under a normal density: eq. (13).

    Each level has the mass within half a step of it, and the outer ones what lies beyond. Of the
    shape of x, at least log 1e-12.
    """
    above = tf.where(x > 0.999, 1.0, _normal_cdf((x + 1 / 255 - mean) / deviation))
    below = tf.where(x < -0.999, 0.0, _normal_cdf((x - 1 / 255 - mean) / deviation))
    return tf.math.log(tf.maximum(above - below, LEAST_PROBABILITY))


def _normal_cdf(x):
    return 0.5 * tf.math.erfc(-x * math.sqrt(0.5))
