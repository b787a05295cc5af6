"""EDM (Karras, Aittala, Aila, Laine 2022)."""

from typing import Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.network_checks import UNBOUNDED, require_range
from keras_gen.declared import Named, Positive, argument, fixed, made_by
from keras_gen.diffusion import paths
from keras_gen.diffusion.ode_likelihood import EVALUATIONS, ode_nats
from keras_gen.diffusion.path_model import PathModel
from keras_gen.diffusion.paths import KarrasPath, beside
from keras_gen.losses.per_example import per_example_mean


@keras.saving.register_keras_serializable("keras_gen")
class EDM(PathModel):
    """A denoiser for noise of any standard deviation, and a sampler that needs few steps.

    Karras, Aittala, Aila, Laine: "Elucidating the Design Space of Diffusion-Based Generative
    Models", NeurIPS 2022, with the choices in the column "ours" of table 1. The network's inputs
    and training targets have a standard deviation of 1 at every noise level. `sample` runs
    algorithm 1 with 18 steps of Heun's method and 35 network evaluations. `score` and `log_prob`
    compute the likelihood under the differential equation with 15 steps; see `FlowMatching`.

    | paper | here |
    |-|-|
    | y, y + n | `x`, `x_t` |
    | sigma | the time `t` |
    | F_theta, D_theta | `network`, `network_output` |
    | sigma_data | `deviation` |
    | P_mean, P_std | `log_mean`, `log_deviation` |

    Deviations: the loss is the mean, not the sum, over an example's values. There is no image
    augmentation, and no noise is added during sampling (algorithm 2). `compile()` uses the Keras
    Adam optimizer with a learning rate of 0.001, as in the paper for small images, and does not
    average the weights.

    Args:
        network: Network, such as `keras_gen.networks.time_unet`, that maps scaled points
            `[batch, ...]` and log(sigma) / 4, `[batch]`, to values with the same shape as the
            points. Here, sigma is the standard deviation of the noise.
        probability_path: `KarrasPath` that determines the standard deviations for sampling:
            sigma_min, sigma_max, and rho.
        deviation: Standard deviation of the examples' values. The default is the paper's value for
            images in [-1, 1].
        log_mean: Mean of the logarithm of the noise's standard deviation in training.
        log_deviation: Standard deviation of the logarithm of the noise's standard deviation in
            training.
        data: Type of the examples: `"images"` or `"vectors"`.
        seed: Seed for the noise and its standard deviations.

    Raises:
        ValueError: If the network's inputs or outputs do not match, if the path is not a
            `KarrasPath`, or if an option is unknown or out of range.

    Example:
    ```python
    model = EDM.for_images((8, 8, 1), widths=(8,))
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1, steps=5)
    ```
    """

    evaluations = PathModel.evaluations | {"log_prob": EVALUATIONS}
    last_time = None
    options_of_vectors = PathModel.options_of_vectors | {
        "deviation": 1.0
    }  # vectors are standardized

    probability_path: Named[KarrasPath] = made_by(paths.get, default="karras")  # type: ignore[assignment]
    deviation: Positive = 0.5
    log_mean: float = -1.2
    log_deviation: Positive = 1.2
    data: Literal["images", "vectors"] = argument(default="images", later=True)
    prediction: str = fixed("example")

    # Training --------------------------------------------------------------------------------

    @override
    def terms(self, batch):
        """Returns the loss of eq. (8), `[batch]`."""
        x = batch["x"]
        noise = self.normal("deviations", [keras.ops.shape(x)[0]])
        t = tf.exp(self.log_mean + self.log_deviation * noise)
        x_t = self.probability_path.at(t, x, self.normal("noise", keras.ops.shape(x)))
        # lambda(sigma) of table 1: the loss of an untrained network is 1 for all standard
        # deviations.
        weight = (t**2 + self.deviation**2) / (t * self.deviation) ** 2
        error = tf.square(self.network_output(x_t, t) - x)
        return {"denoising": weight * per_example_mean(error)}

    @override
    def network_output(self, x_t, t):
        """Returns D(x_t; t) for points `[batch, ...]` and noise standard deviations t `[batch]`."""
        sigma = beside(t, x_t)
        total = sigma**2 + self.deviation**2
        c_skip = self.deviation**2 / total
        c_out = sigma * self.deviation / tf.sqrt(total)
        c_in = 1 / tf.sqrt(total)
        c_noise = tf.math.log(t) / 4
        values = self.predicted(c_in * x_t, c_noise)
        return c_skip * x_t + c_out * values  # eq. (7)

    # Samples ---------------------------------------------------------------------------------

    @override
    def from_noise(self, noise, steps=18, solver="heun"):
        return super().from_noise(noise, steps, solver)

    @override
    def parts(self, x_t, t, **given):
        # As in the paper, the predicted example is not clipped.
        return self.unclipped_parts(x_t, t, **given)

    # The likelihood --------------------------------------------------------------------------

    @override
    def nats(self, x):
        # Examples are treated as if they had noise of standard deviation sigma_min.
        return ode_nats(self, self.velocity, x)

    def velocity(self, scaled, place) -> tf.Tensor:
        """Returns the velocity of x_t / sqrt(1 + t^2), a point that becomes standard normal noise.

        Args:
            scaled: Points `[batch, ...]`.
            place: Scalar position, 0 at sigma_min and 1 at sigma_max. Values in between correspond
                to the times of eq. (5).
        """
        t, slope = self.probability_path.deviation(1 - place)
        scale = tf.sqrt(1 + t**2)
        x_t = scale * scaled
        denoised = self.network_output(x_t, tf.fill(tf.shape(x_t)[:1], t))
        change = (x_t - denoised) / t  # dx / dt, eq. (1)
        # -slope is dt / dplace.
        return -slope * (change / scale - scaled * t / scale**2)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_range(UNBOUNDED, "predictions", self.network)
        if not isinstance(self.probability_path, KarrasPath):
            raise ValueError(
                f"probability_path is {self.probability_path!r}: expected a KarrasPath, whose time "
                "is the standard deviation of the noise."
            )
