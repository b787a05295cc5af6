"""Flow matching and rectified flow (Lipman et al. 2023; Liu, Gong, Liu 2023)."""

from typing import Literal

import keras
import tensorflow as tf
from scipy.optimize import linear_sum_assignment
from typing_extensions import override

from keras_gen.checked_arguments import checked_types
from keras_gen.core import for_users, global_batch, replica_part
from keras_gen.core.network_checks import UNBOUNDED, require_range
from keras_gen.declared import Count, Named, Steps, argument, fixed, made_by
from keras_gen.diffusion import paths
from keras_gen.diffusion.ode_likelihood import EVALUATIONS, ode_nats
from keras_gen.diffusion.path_model import PathModel
from keras_gen.diffusion.paths import Parts, Path
from keras_gen.losses.per_example import per_example_mean, per_example_sum


@keras.saving.register_keras_serializable("keras_gen")
class FlowMatching(PathModel):
    """A velocity field that transforms noise into data, learned from straight lines between both.

    Lipman, Chen, Ben-Hamu, Nickel, Le: "Flow Matching for Generative Modeling", ICLR 2023, eq. (23)
    with sigma_min = 0; Liu, Gong, Liu: "Flow Straight and Fast: Learning to Generate and Transfer
    Data with Rectified Flow", ICLR 2023, eq. (1). With `pairing="optimal"`, noise is assigned to
    the examples of a batch so that the sum of squared line lengths is minimal; see Tong et al.:
    "Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal Transport", TMLR
    2024.

    `sample` follows dx_t/dt from t = 1 to 0. `solver="euler"` is the papers' method. The default
    solver, DDIM, is equivalent on the straight path. Predicted images are clipped to [-1, 1] in
    each step. `score` and `log_prob` compute the likelihood under the differential equation (Lipman
    et al., appendix C) with 15 Runge-Kutta steps. Between sharp modes, the error can reach a few
    nats; `keras_gen.diffusion.ode_likelihood.ode_log_prob` documents measured errors, and accepts
    more steps. For examples of up to 4 values, the divergence is computed exactly as the sum of
    derivatives; for larger examples, it is estimated. Uniform noise with the width of one level is
    added to images; see `Flow`.

    | papers | here |
    |-|-|
    | t, from noise at 0 to data at 1 | 1 - `t` |
    | x_1 of Lipman et al. and Liu et al. | `x` |
    | x_0 | `noise` |
    | v(x_t, t) | the network's prediction, with opposite sign |

    Deviations: the times in a batch of B examples are spread evenly, with the time of example i in
    [i/B, (i+1)/B). The loss is the mean, not the sum, over an example's values. Images are clipped
    as described above. `compile()` uses the Keras Adam optimizer with a learning rate of 0.001.

    Args:
        network: Network, such as `keras_gen.networks.time_unet` or `time_mlp`, that maps points x_t
            `[batch, ...]` and times `[batch]` in [0, 1] to velocities with the same shape as the
            points.
        probability_path: Name of a path, or a path object. `"straight"` is the path in both papers.
            On the linear path, and on a `CosinePath` with an offset, the velocity grows without
            bound near the data.
        pairing: Assignment of noise to examples: `"independent"`, or `"optimal"`, which minimizes
            the sum of squared distances within the *global* batch.
        data: Type of the examples: `"images"`, or `"vectors"` with standard deviations of about 1,
            as in `for_vectors`.
        seed: Seed for the noise and the times.

    Raises:
        ValueError: If the network's inputs or outputs do not match, or if an option is unknown.
            `compile` raises a ValueError if XLA would have to compute an optimal pairing.

    Example:
    ```python
    model = FlowMatching.for_vectors(2, width=16, pairing="optimal")
    model.compile()
    points = np.random.default_rng(0).normal(size=(8, 2))
    model.fit(points, batch_size=4)
    nats, others = -model.log_prob(points), model.sample(9, seed=1, steps=10, solver="heun")
    ```
    """

    evaluations = PathModel.evaluations | {"log_prob": EVALUATIONS}

    probability_path: Named[Path] = made_by(paths.get, default="straight")
    pairing: Literal["independent", "optimal"] = "independent"
    data: Literal["images", "vectors"] = argument(default="images", later=True)
    prediction: str = fixed("velocity")

    # Conditional flow matching ---------------------------------------------------------------

    @override
    def terms(self, batch):
        """Returns the loss of eq. (23), `[batch]`."""
        x = batch["x"]  # images in [-1, 1]
        t = self.even_times(x)
        noise = self.paired(self.normal("noise", keras.ops.shape(x)), x)
        # Eq. (22), on a straight path: x_t = (1 - t) x + t noise, with velocity noise - x.
        x_t = self.probability_path.at(t, x, noise)
        velocity = self.probability_path.quantity("velocity", t, Parts(x, noise))
        return {"denoising": per_example_mean(tf.square(velocity - self.network_output(x_t, t)))}

    def paired(self, noise, x) -> tf.Tensor:
        """Returns the noise in the order of the examples with which it is paired."""
        if self.pairing == "independent":
            return noise
        dealt = optimal_pairing(global_batch(noise), global_batch(x))
        return tf.ensure_shape(replica_part(dealt, keras.ops.shape(x)[0]), noise.shape)

    # The likelihood --------------------------------------------------------------------------

    @override
    def nats(self, x):
        return ode_nats(self, self.velocity, x)

    def velocity(self, x_t, t) -> tf.Tensor:
        """Returns dx_t/dt for points `[batch, ...]` at the scalar time t."""
        return self.network_output(x_t, tf.broadcast_to(t, tf.shape(x_t)[:1]))

    @for_users
    @checked_types
    def straightness(self, n: Count, seed: int = 0, steps: Steps = 100) -> float:
        """Returns the deviation of the paths from noise to data from straight lines; 0 if straight.

        The deviation is the mean squared distance between the velocity and the velocity along a
        straight line between the path's ends: S(Z) in Liu, Gong, Liu (2023), sec. 2.

        Args:
            n: Number of paths.
            seed: Seed for the noise at which the paths start, 0 to 2**31 - 1.
            steps: Number of steps of Euler's method, 1 to 10,000.

        Raises:
            TypeError: If an argument is not an integer.
            ValueError: If an argument is out of range.

        Example: `model.straightness(1000)`.
        """
        velocity = tf.function(self.velocity, autograph=False)
        start = tf.random.stateless_normal([n, *self.edges["latents"].shape], [seed, 0])
        x = start
        found = []
        for number in range(steps):
            found.append(velocity(x, tf.constant(1 - number / steps)))
            x -= found[-1] / steps
        distances = [per_example_sum(tf.square(start - x - each)) for each in found]
        return float(tf.reduce_mean(distances))

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_range(UNBOUNDED, "velocities", self.network)

    @override
    def compile(self, optimizer=None, *, jit_compile=False, **kwargs):
        """Compiles the model as usual; XLA does not support optimal pairing."""
        if jit_compile and self.pairing == "optimal":
            raise ValueError(
                "jit_compile is True and pairing is 'optimal', which XLA cannot compute: "
                "leave out one of these arguments."
            )
        super().compile(optimizer, jit_compile=jit_compile, **kwargs)


def optimal_pairing(noise: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Returns the noise in the order that minimizes the sum of squared distances to x.

    Args:
        noise: Noise `[batch, ...]`.
        x: Examples of the same shape.

    Example:
        >>> optimal_pairing(tf.constant([[1.0], [0.0]]), tf.constant([[0.2], [0.9]]))[:, 0]
        <tf.Tensor: shape=(2,), dtype=float32, numpy=array([0., 1.], dtype=float32)>
    """
    x = _flat(x)
    # The costs are squared distances without the factors and terms that do not affect the best
    # pairing.
    costs = -tf.matmul(x - tf.reduce_mean(x, axis=0), _flat(noise), transpose_b=True)
    order = tf.numpy_function(_assigned, [costs], tf.int64)
    return tf.gather(noise, order)


def _assigned(costs):
    """Returns the column assigned to each row of the cost matrix."""
    return linear_sum_assignment(costs)[1]


def _flat(x):
    return tf.reshape(x, [tf.shape(x)[0], -1])
