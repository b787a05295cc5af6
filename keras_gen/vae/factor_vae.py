"""The FactorVAE (Kim & Mnih 2018)."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import Player, parts
from keras_gen.core.schedules import Weight
from keras_gen.declared import fixed, network
from keras_gen.losses import Minimax, permuted_dimensions
from keras_gen.losses.adversarial import discrimination
from keras_gen.losses.per_example import per_example_mean
from keras_gen.networks import mlp_encoder
from keras_gen.vae.vae import VAE

HIDDEN = (1000,) * 6  # hidden layers of the paper's discriminator


@keras.saving.register_keras_serializable("keras_gen")
class FactorVAE(VAE):
    """A VAE with a discriminator that estimates the total correlation of its latents.

    Kim, Mnih: "Disentangling by Factorising", ICML 2018. The loss of the encoder and the decoder is
    the negative of eq. (2), in nats per example:
    `loss = reconstruction_loss + kl_loss + gamma * total_correlation_loss`. The discriminator
    distinguishes latents from copies in which each latent is shuffled across the examples. The mean
    of the discriminator's logit, log D / (1 - D), estimates the total correlation (eq. 3). Each
    batch contains both batches of algorithm 2. The VAE is trained on one half of the batch;
    afterward, the latents of the other half are shuffled to train the discriminator. `elbo` and the
    discriminator's accuracy, `d_accuracy`, are reported; `evaluate` uses all examples for both
    networks.

    Deviations: the discriminator has one logit instead of two, which is equivalent.

    Args:
        encoder: Network that maps examples to the mean and log variance of q(z|x), each
            `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` to the likelihood's parameters.
        discriminator: Network that maps latents `[batch, latents]` to logits `[batch, 1]`.
        likelihood: Likelihood p(x|z), a name or an object.
        gamma: Weight of the total correlation, a number or a schedule. The paper uses 35 for
            dSprites.
        seed: Seed for the noise of the latents and the shuffling.

    Raises:
        ValueError: If the networks have different numbers of latents, or if `gamma` is negative.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    hidden = dict(hidden=(50, 50), activation="leaky_relu")  # (1000,) * 6 in the paper
    model = FactorVAE(
        mlp_encoder(latent_dim=10, heads=("mean", "log_variance")),
        mlp_decoder(latent_dim=10),
        discriminator=mlp_encoder((10,), latent_dim=1, **hidden, name="discriminator"),
    )
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    ```
    """

    discriminator: keras.Model = network("z -> logits", kw_only=True)
    beta: Weight = fixed(1.0)
    gamma: Weight = 35.0

    @override
    def train_step(self, data):
        """Updates the VAE on half of the batch, and then the discriminator (algorithm 2)."""
        batch = self.prepare_batch(data)
        x, other = parts(batch["x"], 2) if self.training else (batch["x"],) * 2

        def vae_loss():
            inferred = self.inferred(x)
            terms = self.terms_of(x, inferred)
            return self.weighted(terms), terms, inferred.latents

        loss, terms, latents = self.minimize(vae_loss)
        others = self.drawn(self.encoded(other), self.stateless_seed("others"))
        shuffled = permuted_dimensions(others.latents, self.stateless_seed("shuffling"))

        def discriminator_loss():
            logits = self.discriminator(latents, training=self.training)
            shuffled_logits = self.discriminator(shuffled, training=self.training)
            return discrimination(Minimax(), logits, shuffled_logits)

        d_loss, d_accuracy = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, loss=loss, d_loss=d_loss, d_accuracy=d_accuracy)

    @override
    def terms(self, batch):
        x = batch["x"]
        return self.terms_of(x, self.inferred(x))

    def terms_of(self, x, inferred) -> dict:
        """Returns the terms of eq. (2) for given latents."""
        terms = self.elbo_terms(x, inferred)
        terms["elbo"] = -terms["reconstruction"] - terms["kl"]
        logits = self.discriminator(inferred.latents, training=self.training)
        terms["total_correlation"] = per_example_mean(tf.cast(logits, tf.float32))  # eq. (3)
        return terms

    @override
    def loss_weights(self):
        return super().loss_weights() | {"total_correlation": self.gamma, "elbo": None}

    @override
    def players(self):
        return {
            "optimizer": Player([self.encoder, self.decoder], partial(Adam, 1e-4)),
            "d_optimizer": Player([self.discriminator], partial(Adam, 1e-4, 0.5, 0.9)),
        }

    @property
    @override
    def loss_names(self):
        return (*super().loss_names, "d_loss", "d_accuracy")

    # Building --------------------------------------------------------------------------------

    @override
    @classmethod
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        latent_dim: int = 16,
        filters: tuple[int, ...] = (32, 64),
        discriminator_hidden: tuple[int, ...] = HIDDEN,
        **kwargs,
    ):
        """Builds the model with convolutional networks and the paper's discriminator.

        Args:
            shape: See `VAE.for_images`.
            latent_dim: Number of latent dimensions.
            filters: Number of channels in each convolution of the encoder.
            discriminator_hidden: Number of units in each hidden layer of the discriminator.
            **kwargs: Additional arguments for the class.

        Example: `FactorVAE.for_images((64, 64, 1), latent_dim=10)`.
        """
        kwargs.setdefault("discriminator", _discriminator(latent_dim, discriminator_hidden))
        return super().for_images(shape, latent_dim, filters, **kwargs)

    @override
    @classmethod
    def for_vectors(  # type: ignore[override]
        cls,
        shape: int | tuple,
        latent_dim: int = 2,
        hidden: tuple[int, ...] = (64, 64),
        discriminator_hidden: tuple[int, ...] = HIDDEN,
        **kwargs,
    ):
        """Builds the model for rows of numbers in any units, with dense networks.

        Args:
            shape: See `VAE.for_vectors`.
            latent_dim: Number of latent dimensions.
            hidden: Number of units in each hidden layer of the encoder; the decoder mirrors the
                encoder.
            discriminator_hidden: Number of units in each hidden layer of the discriminator.
            **kwargs: Additional arguments for the class.

        Example: `FactorVAE.for_vectors(8, latent_dim=3)`.
        """
        kwargs.setdefault("discriminator", _discriminator(latent_dim, discriminator_hidden))
        return super().for_vectors(shape, latent_dim, hidden, **kwargs)


@checked_arguments
def _discriminator(latent_dim: int, discriminator_hidden: tuple) -> keras.Model:
    """Builds a dense network with leaky ReLUs that maps latents to one logit."""
    return mlp_encoder(
        (latent_dim,), 1, discriminator_hidden, "leaky_relu", name="discriminator"
    )
