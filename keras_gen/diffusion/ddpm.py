"""Denoising diffusion probabilistic models (Ho, Jain, Abbeel 2020)."""

from typing import Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.network_checks import UNBOUNDED, require_range
from keras_gen.declared import Named, argument, made_by
from keras_gen.diffusion import paths
from keras_gen.diffusion.path_model import PathModel
from keras_gen.diffusion.paths import ChainSteps, Parts, Path
from keras_gen.diffusion.solvers import Ancestral
from keras_gen.diffusion.variational_bound import SCORE_TIMES, bound_nats
from keras_gen.losses.per_example import per_example_mean
from keras_gen.messages import warn

LEAST_LEFT = 1e-3  # minimum fraction of an example at a path's end if the network predicts noise


@keras.saving.register_keras_serializable("keras_gen")
class DDPM(PathModel):
    """A denoising diffusion model, which removes noise from examples step by step.

    Ho, Jain, Abbeel: "Denoising Diffusion Probabilistic Models", NeurIPS 2020. Training is
    algorithm 1 with the loss of eq. (14). `sample` with `solver="ancestral"` and `chain_steps`
    steps is algorithm 2; by default, `sample` uses 50 steps of DDIM (Song, Meng, Ermon 2021).
    `score` is the bound of eq. (5) on -log p, in nats, and `log_prob` is its negative. L_0 is eq.
    (13) for images and a normal density for vectors; the terms L_1 to L_(T-1) are estimated from 16
    points in time. The estimates are unbiased but noisy. For normally distributed 2-D points, log p
    has a standard deviation of 1 nat, but the estimates have a standard deviation of 2.4 nats, even
    with the best network.

    | paper | here |
    |-|-|
    | x_0, x_t | `x`, `x_t` |
    | T, and the step t | `chain_steps`, and `t * chain_steps`; the network receives `t` |
    | square root of alpha-bar_t | `probability_path.alpha(t)` |
    | square root of 1 - alpha-bar_t | `probability_path.sigma(t)` |
    | beta_t, beta-tilde_t | `paths.variance_between`, `paths.posterior` of `t` and s = `t` - 1/T |
    | epsilon, epsilon_theta | `noise`, the network's prediction |

    Deviations: the loss is the mean, not the sum, over an example's values. The times in a batch of
    B examples are spread evenly, with the time of example i in [i/B, (i+1)/B). Predicted images are
    clipped to [-1, 1] in samples and in the bound, as in the authors' code. `compile()` uses Adam
    with the Keras default learning rate of 0.001, whereas the paper uses 0.0002 and evaluates a
    moving average of the weights.

    Args:
        network: Network, such as `keras_gen.networks.time_unet` or `time_mlp`, that maps points x_t
            `[batch, ...]` and times `[batch]` in (0, 1] to a prediction with the same shape as the
            points.
        probability_path: Name of a path, or a path object. `"linear"` is the paper's path, on which
            beta increases from 1e-4 to 0.02 in 1,000 steps, and `"cosine"` is the path of Nichol,
            Dhariwal (2021).
        prediction: Quantity that the network predicts: `"noise"` as in the paper, `"example"`, or
            `"v"` as in Salimans, Ho (2022). At the end of the cosine path, a fraction of 5e-5 of an
            example remains, and an error in the predicted noise is divided by this fraction.
            Vectors, which are not clipped, therefore require a different prediction. `for_vectors`
            uses `"v"` by default. After 2,000 training steps on two moons, the standard deviations
            of the samples' two coordinates were 0.99 and 0.97 times the standard deviations of the
            data. With `"noise"`, these ratios were 1.14 and 0.87.
        chain_steps: Number T of evenly spaced times on the path, from 2 to 10,000. This number is
            independent of the path's own number of steps.
        variance: Variance of a backward step, `"beta"` or `"beta_tilde"`; see sec. 3.2 of the
            paper.
        data: Type of the examples: `"images"`, or `"vectors"` with standard deviations of about 1,
            as in `for_vectors`.
        seed: Seed for the noise and the times.
        black_level: Level that represents black in training; see `PathModel`.

    Raises:
        ValueError: If the network's inputs or outputs do not match, or if an option is unknown.

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
    # Vectors are not clipped; see `prediction`.
    options_of_vectors = PathModel.options_of_vectors | {"prediction": "v"}

    probability_path: Named[Path] = made_by(paths.get, default="linear")
    prediction: Literal["noise", "example", "v"] = "noise"
    chain_steps: ChainSteps = 1000
    variance: Literal["beta", "beta_tilde"] = "beta"
    data: Literal["images", "vectors"] = argument(default="images", later=True)

    # Algorithm 1 -----------------------------------------------------------------------------

    @override
    def terms(self, batch):
        """Returns the squared error of each example, `[batch]`: eq. (14), for predicted noise.

        The inherited `train_step` minimizes the mean of these errors over the batch.
        """
        x = batch["x"]  # images in [-1, 1]
        # Maps times in [0, 1) to 1/T, 2/T, ..., 1 with equal probability.
        t = tf.math.ceil(self.even_times(x) * self.chain_steps) / self.chain_steps
        t = tf.maximum(t, 1 / self.chain_steps)  # if the time in [0, 1) is exactly 0
        conditions = {name: batch[name] for name in self.given}  # labels in `ConditionalDDPM`

        noise = self.normal("noise", keras.ops.shape(x))
        x_t = self.probability_path.at(t, x, noise)  # eq. (4): alpha x + sigma noise
        # The target is the noise, x, or v = alpha noise - sigma x.
        target = self.probability_path.quantity(self.prediction, t, Parts(x, noise))
        error = target - self.network_output(x_t, t, **conditions)
        return {"denoising": per_example_mean(tf.square(error))}

    # Algorithm 2 -----------------------------------------------------------------------------

    @override
    def solvers(self):
        # From time t to s: the network gives an example, eq. (15), and x_s is the mean of q(x_s |
        # x_t, example), eq. (7), plus noise with the standard deviation that `variance` selects; at
        # time 0, x_s is the mean.
        return super().solvers() | {"ancestral": Ancestral(self.variance)}

    # The bound of eq. (5) --------------------------------------------------------------------

    @override
    def nats(self, x, **given):
        bound = bound_nats(self, x, self.score_seeds(x), **given)  # L_0 + ... + L_T
        return self.edges["x"].nats_outside(bound)  # for vectors, in the units of the data

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        predicts_examples = self.prediction == "example"
        span = self.edges["x"].span if predicts_examples else UNBOUNDED
        require_range(span, "predictions", self.network)
        left = float(self.probability_path.alpha(tf.constant(1.0)))
        if (self.data, self.prediction) == ("vectors", "noise") and left < LEAST_LEFT:
            sentence = (
                f"{type(self.probability_path).__name__} leaves {left:.0e} of an example at its "
                "end. Errors in the noise are divided by this fraction, so samples are far from "
                "the data: pass prediction='v', or use the linear path."
            )
            if not left:  # otherwise, samples would be NaN
                raise ValueError(sentence)
            warn(sentence)
