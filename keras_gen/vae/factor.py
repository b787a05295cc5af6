"""The FactorVAE (Kim & Mnih 2018)."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam

from keras_gen.bases import Opposed
from keras_gen.losses import Minimax, permuted_dimensions
from keras_gen.losses.base import per_example_mean
from keras_gen.training import parts, require_built, schedules
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class FactorVAE(Opposed, VAE):
    """A VAE with a discriminator that estimates the total correlation of its latents.

    Kim, Mnih: "Disentangling by Factorising", ICML 2018. The loss of encoder and decoder is the
    negative of eq. (2), in nats per example: `loss = reconstruction_loss + kl_loss + gamma *
    total_correlation_loss`. The discriminator tells latents from others that were shuffled among
    the examples, each latent by itself; its logit is log D / (1 - D), whose mean over latents is
    the estimate of the total correlation (eq. 3). A batch holds both batches of algorithm 2: on
    one half the VAE takes its step, and the shuffled latents are those of the other, after that
    step. `elbo` and `d_accuracy`, the fraction of latents that the discriminator tells right, are
    reported; `evaluate` takes all examples for the VAE and leaves the discriminator out.

    Deviations: the discriminator has one logit in place of two, which come to the same.

    Args:
        encoder: Examples to (mean, log variance) of q(z|x), each `[batch, latents]`.
        decoder: Latents `[batch, latents]` to the likelihood's parameters.
        discriminator: Latents `[batch, latents]` to logits `[batch, 1]`; in the paper six layers
            of 1,000 units, which `mlp_encoder` builds.
        likelihood: Name or object: p(x|z).
        gamma: Weight of the total correlation, a number or a schedule of the step; 35 in the paper
            for two-dimensional shapes.
        seed: Seed of the latents' noise and the shuffling.

    Raises:
        ValueError: If the networks disagree about the latents, or `gamma` is negative.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    hidden = dict(hidden=(50, 50), activation="leaky_relu")  # (1000,) * 6 in the paper
    model = FactorVAE(
        mlp_encoder(latent_dim=10, heads=("mean", "log_variance")),
        mlp_decoder(latent_dim=10),
        mlp_encoder((10,), latent_dim=1, **hidden, name="discriminator"),
    )
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    ```
    """

    def __init__(
        self, encoder, decoder, discriminator, likelihood="bernoulli", gamma=35.0, seed=0, **kwargs
    ):
        super().__init__(encoder, decoder, likelihood, beta=1.0, seed=seed, **kwargs)
        require_built(discriminator)
        shapes = [tuple(network.input_shape[1:]) for network in (discriminator, decoder)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"The discriminator's input has shape {shapes[0]} and the latents {shapes[1]}: "
                "expected the same; build it for the decoder's latents."
            )
        self.discriminator = discriminator
        self.gamma = schedules.weight("gamma", gamma)

    def default_optimizers(self):
        """Returns the paper's: Adam(1e-4), and Adam(1e-4, beta_1=0.5, beta_2=0.9)."""
        return Adam(1e-4), Adam(1e-4, beta_1=0.5, beta_2=0.9)

    def loss_weights(self):
        """Returns gamma for the total correlation; the ELBO is only reported."""
        return super().loss_weights() | {"total_correlation": self.gamma, "elbo": None}

    def loss_terms(self, x, inferred, training):
        """Returns the terms of eq. (2), and the ELBO: `[batch]`, nats."""
        terms = super().loss_terms(x, inferred, training)
        terms["elbo"] = -terms["reconstruction"] - terms["kl"]
        logits = tf.cast(self.discriminator(inferred.latents, training=training), tf.float32)
        return terms | {"total_correlation": per_example_mean(logits)}  # eq. (3)

    def train_step(self, data):
        """Algorithm 2: the VAE's step on one half of the batch, then the discriminator's."""
        x, other = parts(self.prepare_batch(data)["x"], 2)
        losses, (latents, _) = self.update({"x": x})
        others = self.drawn(self.encoded(other, training=True), self.stateless_seed("others"))
        shuffled = permuted_dimensions(others.latents, self.stateless_seed("shuffling"))
        discriminate = partial(self.discriminator, training=True)
        return self.report(**losses, **self.oppose(Minimax(), discriminate, latents, shuffled))
