"""WGAN with a gradient penalty (Gulrajani et al. 2017)."""

import keras
from typing_extensions import override

from keras_gen.declared import Named, NonNegative, Positive, Steps, argument, fixed
from keras_gen.gan.wgan import WGAN
from keras_gen.losses import GradientPenalty
from keras_gen.losses.penalties import Penalty


@keras.saving.register_keras_serializable("keras_gen")
class WGANGP(WGAN):
    """A WGAN whose critic has a gradient penalty instead of clipped weights.

    Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: "Improved Training of Wasserstein GANs",
    NeurIPS 2017, algorithm 1. The critic minimizes eq. (3). The penalty pulls the critic's slope
    between real and generated images toward 1. As in `GAN`, a step first updates the critic (by
    default five times), and then updates the generator once. `wasserstein_distance` is reported:
    the critic's mean output over real images minus its mean output over generated images.
    Deviations: none.

    Args:
        generator: Network that maps float latents `[batch, latents]` to images in [-1, 1].
        discriminator: The critic, a network that maps images to numbers `[batch, ...]`, without
            batch normalization (sec. 4).
        penalty_weight: Weight lambda of the gradient penalty.
        discriminator_steps: Number of critic updates per step, n_critic. In `fit`, each batch
            is divided equally among these updates.
        seed: Seed for the latents and the interpolated images.

    Raises:
        ValueError: If the critic has batch normalization, or if `penalty_weight` is negative; see
            also `GAN`.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator
    shape = (32, 32, 1)
    critic = dcgan_discriminator(shape, filters=8, normalization="layer")
    model = WGANGP(dcgan_generator(shape, 16, filters=8), critic)
    model.compile()
    model.fit(np.zeros((20, *shape), "uint8"), batch_size=10)
    images = model.sample(9, seed=1)
    ```
    """

    discriminator_normalization = "layer"

    penalty_weight: NonNegative = 10.0
    discriminator_steps: Steps = argument(default=5, later=True)
    clip: Positive | None = fixed(None)
    penalty: Named[Penalty | None] = fixed(None)  # set by `penalty_weight`

    @override
    def default_optimizer(self):
        return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        self.penalty = GradientPenalty(self.penalty_weight)
        super().set_up()
