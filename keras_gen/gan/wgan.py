"""Wasserstein GANs with clipped weights (Arjovsky et al. 2017)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core import for_users, replace_weights
from keras_gen.declared import Named, Positive, Steps, argument, fixed, made_by
from keras_gen.gan.gan import GAN
from keras_gen.losses import adversarial, penalties
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.penalties import Penalty


@keras.saving.register_keras_serializable("keras_gen")
class WGAN(GAN):
    """A GAN whose discriminator is a critic that estimates the Wasserstein distance.

    Arjovsky, Chintala, Bottou: "Wasserstein Generative Adversarial Networks", ICML 2017, algorithm
    1: the critic maximizes eq. (3). The critic's weights are clipped after each update, which
    bounds the critic's slope by some constant K. `wasserstein_distance` is reported: the critic's
    mean output over real examples minus its mean output over generated examples. This difference is
    an estimate of K times the distance. Deviations: none.

    Args:
        generator: Network that maps float latents `[batch, latents]` to examples.
        discriminator: The critic, a network that maps examples to numbers of any shape
            `[batch, ...]`.
        clip: Maximum absolute value c of the critic's weights. If None, weights are not clipped;
            use None with a penalty.
        discriminator_steps: Number of critic updates per step, n_critic. In `fit`, each batch
            is divided equally among these updates.
        seed: Seed for the latents.
        penalty: See `GAN`.

    Raises:
        ValueError: If `clip` is not positive; see also `GAN`.

    Example:
    ```python
    model = WGAN.for_images((32, 32, 1), latent_dim=16, filters=8)
    model.compile()
    model.fit(np.zeros((20, 32, 32, 1), "uint8"), batch_size=10)
    images = model.sample(9, seed=1)
    ```
    """

    renamed = {"critic": "discriminator", "critic_steps": "discriminator_steps"}

    clip: Positive | None = 0.01
    discriminator_steps: Steps = argument(default=5, later=True)
    objective: Named[Objective] = fixed(adversarial.get("wasserstein"))
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None, kw_only=True)

    @override
    def discriminator_terms(self, batch, fake, use):
        terms = super().discriminator_terms(batch, fake, use)
        return terms | {"wasserstein_distance": -terms["discrimination"]}

    @override
    def update_discriminator(self, batch, fake, use):
        """Updates the critic, and clips its weights (line 7 of algorithm 1)."""
        loss, terms = super().update_discriminator(batch, fake, use)
        if self.training and self.clip is not None:
            weights = self.discriminator.trainable_variables
            with tf.control_dependencies([loss]):
                replace_weights(lambda w: tf.clip_by_value(w, -self.clip, self.clip), *weights)
        return loss, terms

    @property
    @for_users
    def critic(self) -> keras.Model:
        """The discriminator under the paper's name, which `.keras` files use for its weights."""
        return self.discriminator

    @override
    def default_optimizer(self):
        return keras.optimizers.RMSprop(5e-5)

    @override
    def loss_weights(self):
        penalty = {} if self.penalty is None else {"penalty": 1.0}
        return penalty | {"wasserstein_distance": None}
