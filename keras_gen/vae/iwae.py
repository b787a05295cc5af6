"""The importance-weighted autoencoder (Burda, Grosse, Salakhutdinov 2016)."""

import keras
import tensorflow as tf

from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class IWAE(VAE):
    """A VAE trained on the tighter bound that k weighted samples of the latents give.

    Burda, Grosse, Salakhutdinov: "Importance Weighted Autoencoders", ICLR 2016. The loss is the
    negative of eq. (8), in nats per example; its gradient by automatic differentiation is eq. (14).
    With one sample it is the VAE's, with the divergence estimated by the same sample. `elbo` is
    reported beside it. `score` and `log_prob` are the bound of k samples.

    Deviations: none.

    Args:
        encoder: Examples to (mean, log variance) of q(z|x), each `[batch, latents]`.
        decoder: Latents `[batch, latents]` to the likelihood's parameters.
        likelihood: Name or object: p(x|z).
        samples: K, 5 or 50 in the paper.
        seed: Seed of the latents' noise.

    Raises:
        ValueError: If encoder and decoder disagree about the latents, or `samples` is below 1.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    model = IWAE(
        mlp_encoder(latent_dim=2, heads=("mean", "log_variance")),
        mlp_decoder(latent_dim=2),
        samples=5,
    )
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    nats = -model.log_prob(digits)
    ```
    """

    def __init__(
        self, encoder, decoder, likelihood="bernoulli", samples: int = 5, seed=0, **kwargs
    ):
        super().__init__(encoder, decoder, likelihood, beta=1.0, seed=seed, **kwargs)
        if samples < 1:
            raise ValueError(f"samples is {samples}: the bound needs at least 1.")
        self.samples = samples

    def loss_weights(self):
        """Returns 1 for the bound; the ELBO is only reported."""
        return {"bound": 1.0, "elbo": None}

    def infer(self, x, training):
        """Returns k latents of each example, `[k, batch, latents]`, and q's parameters."""
        seed = self.stateless_seed("latents", training)
        return self.drawn(self.encoded(x, training), seed, self.samples)

    def loss_terms(self, x, inferred, training):
        """Returns the negative bound, and the mean of the same log weights: `[batch]`, nats."""
        log_weights = self.log_ratio(x, inferred, training)
        return {
            "bound": self.negative_bound(log_weights),
            "elbo": tf.reduce_mean(log_weights, axis=0),
        }

    def nats(self, x):
        """Returns the negative bound, with the same latents' noise each time."""
        return self.negative_bound(self.log_weights(x, self.samples, self.score_seed()))
