"""Consensus optimization (Mescheder et al. 2017)."""

import dataclasses

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core import apply_gradients, joint_gradients
from keras_gen.core.schedules import Weight
from keras_gen.declared import Steps, fixed
from keras_gen.gan.gan import GAN


@keras.saving.register_keras_serializable("keras_gen")
class ConsensusGAN(GAN):
    """A GAN whose players are updated simultaneously and also reduce the norm of their gradients.

    Mescheder, Nowozin, Geiger: "The Numerics of GANs", NeurIPS 2017, algorithm 2. The vector v
    consists of the gradient of each player's loss with respect to that player's weights. L = |v|^2
    / 2 is 0 at points where neither player would move. Each player adds gamma times the gradient of
    L to its part of v, which damps rotation around an equilibrium. With gamma = 0, the method is
    simultaneous gradient descent (algorithm 1), whereas the players in `GAN` are updated
    alternately. As in the authors' code, both losses share the batch and its latents. Each step
    computes second derivatives of both losses. Deviations: none.

    Args:
        generator: Network that maps float latents `[batch, latents]` to examples.
        discriminator: Network that maps examples to logits `[batch, ...]`.
        objective: Adversarial objective, a name or an object.
        penalty: See `GAN`.
        gamma: Weight of L, a number or a schedule. The authors use 10 for images.
        seed: Seed for the latents.

    Raises:
        ValueError: If `gamma` is negative, or if `discriminator_steps` is above 1; see also `GAN`.

    Example:
    ```python
    model = ConsensusGAN.for_images((32, 32, 1), latent_dim=16, filters=8, gamma=1.0)
    model.compile()
    model.fit(np.zeros((8, 32, 32, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    discriminator_steps: Steps = fixed(1)
    gamma: Weight = 10.0

    @override
    def train_step(self, data):
        """Updates both players along v and the gradient of L (algorithm 2)."""
        batch = self.prepare_batch(data)

        def discriminator_loss():
            # Both losses use the generator's latents, so the gradient of L includes the generator's
            # weights.
            fake = self.generated("generator", batch)
            terms = self.discriminator_terms(batch, fake, "penalty 0")
            return self.weighted(terms), terms

        def generator_loss():
            terms = self.generator_terms(batch)
            return self.weighted(terms), terms

        if not self.training:
            d_loss, d_terms = discriminator_loss()
            g_loss, g_terms = generator_loss()
            return self.report(d_terms | g_terms, d_loss=d_loss, g_loss=g_loss)
        players = [
            (discriminator_loss, self.d_optimizer, self.networks_of("d_optimizer")),
            (generator_loss, self.g_optimizer, self.networks_of("g_optimizer")),
        ]
        field, slopes = joint_gradients(*players)
        gamma = self.scheduled(self.gamma)
        # Neither player is updated unless both losses are finite.
        checked = tf.add_n([part.checked for part in field])
        done = []
        for (_, optimizer, _), part, of_norm in zip(players, field, slopes, strict=True):
            values = [v + gamma * s for v, s in zip(part.values, of_norm, strict=True)]
            step = dataclasses.replace(part, values=values, checked=checked)
            done.append(apply_gradients(optimizer, step, name="joint_loss"))
        d_part, g_part = field
        with tf.control_dependencies([step for step in done if step is not None]):
            d_loss = tf.identity(d_part.loss)
            g_loss = tf.identity(g_part.loss)
        (d_terms,) = d_part.rest
        (g_terms,) = g_part.rest
        return self.report(d_terms | g_terms, d_loss=d_loss, g_loss=g_loss)

    @override
    def default_optimizer(self):
        return keras.optimizers.RMSprop(1e-4)
