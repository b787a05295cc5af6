"""Reflow, which straightens the paths of a trained flow (Liu, Gong, Liu 2023)."""

from typing import Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Named, fixed
from keras_gen.diffusion.flow_matching import FlowMatching
from keras_gen.diffusion.paths import Parts, Path, StraightPath
from keras_gen.losses.per_example import per_example_mean


@keras.saving.register_keras_serializable("keras_gen")
class Reflow(FlowMatching):
    """A flow that learns straight lines between noise and a trained flow's output for that noise.

    Liu, Gong, Liu: "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified
    Flow", ICLR 2023, algorithm 1 with k = 2. The paths of a trained flow do not cross, so the
    straight lines between their ends rarely cross either. The paths of a flow that follows these
    lines are therefore almost straight, and a few Euler steps are enough. `fit` accepts examples
    and the noise from which the teacher generates them:

        latents = np.random.default_rng(0).normal(size=(50_000, 2))
        student.fit(teacher.decode(latents), latents, batch_size=256)

    | paper | here |
    |-|-|
    | Z_1, the teacher's output for noise | `x` |
    | Z_0, that noise | `latents` |
    | v(Z_t, t) | the network's prediction, with opposite sign |

    Deviations: see `FlowMatching`.

    Args:
        network: Network as in `FlowMatching`, which may be initialized with the teacher's weights.
        data: See `FlowMatching`.
        seed: Seed for the times.

    Raises:
        ValueError: See `FlowMatching`.

    Example:
    ```python
    from keras_gen.diffusion import FlowMatching
    teacher = FlowMatching.for_vectors(2, width=16, standardize=False)
    latents = np.random.default_rng(0).normal(size=(8, 2))
    model = Reflow.for_vectors(2, width=16, standardize=False)
    model.compile()
    model.fit(teacher.decode(latents), latents, batch_size=4)
    points = model.sample(9, seed=1, steps=1, solver="euler")
    ```
    """

    batch = ("x", "latents")

    probability_path: Named[Path] = fixed(StraightPath())
    pairing: Literal["independent", "optimal"] = fixed("independent")  # `fit` receives pairs

    @override
    def terms(self, batch):
        """Returns the loss of eq. (1), `[batch]`, for pairs of an example and its noise."""
        x = batch["x"]
        noise = batch["latents"]
        t = self.even_times(x)
        # X_t = (1 - t) x + t noise, whose velocity is noise - x at each t.
        x_t = self.probability_path.at(t, x, noise)
        velocity = self.probability_path.quantity("velocity", t, Parts(x, noise))
        return {"denoising": per_example_mean(tf.square(velocity - self.network_output(x_t, t)))}
