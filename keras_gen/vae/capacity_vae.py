"""The beta-VAE with controlled capacity (Burgess et al. 2018)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.schedules import Linear, Weight
from keras_gen.declared import fixed
from keras_gen.vae.vae import VAE

# Capacity schedule, in nats, from the paper's dSprites experiments.
GROWING = Linear(0.0, 25.0, steps=100_000)


@keras.saving.register_keras_serializable("keras_gen")
class CapacityVAE(VAE):
    """A VAE whose KL divergence is kept close to a capacity that grows during training.

    Burgess, Higgins, Pal, Matthey, Watters, Desjardins, Lerchner: "Understanding disentangling in
    beta-VAE", arXiv 1804.03599, 2018. The loss is the negative of eq. (8), in nats:
    `loss = reconstruction_loss + gamma * capacity_loss`, where `capacity_loss` is |KL - C| for each
    example. (Other implementations use |KL - C| for the mean KL divergence of the batch.) `kl` and
    `elbo` are also reported.

    Deviations: none. With C = 0, this is the beta-VAE with weight gamma.

    Args:
        encoder: Network that maps examples to the mean and log variance of q(z|x), each
            `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        gamma: Weight of the difference between the KL divergence and the capacity, a number or a
            schedule.
        capacity: Capacity C in nats, a number or a schedule.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match, or if `gamma` or `capacity` is negative.

    Example:
    ```python
    from keras_gen.core.schedules import Linear
    capacity = Linear(0.0, 25.0, steps=1000)
    model = CapacityVAE.for_images((28, 28, 1), latent_dim=10, capacity=capacity)
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), batch_size=4)
    ```
    """

    beta: Weight = fixed(1.0)
    gamma: Weight = 1000.0
    capacity: Weight = GROWING

    @override
    def terms(self, batch):
        terms = super().terms(batch)
        distance = tf.abs(terms["kl"] - self.scheduled(self.capacity))
        return terms | {"capacity": distance, "elbo": -terms["reconstruction"] - terms["kl"]}

    @override
    def loss_weights(self):
        return {"reconstruction": 1.0, "capacity": self.gamma, "kl": None, "elbo": None}
