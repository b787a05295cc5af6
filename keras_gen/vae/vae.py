"""The variational autoencoder (Kingma & Welling 2014)."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.autoencoders import Autoencoder
from keras_gen.losses import kl_standard_normal
from keras_gen.training.noise import normal, stateless_seed

SCORE_SAMPLES = 16  # latents an example; the ELBO of one would be noisy


@keras.saving.register_keras_serializable("keras_gen")
class VAE(Autoencoder):
    """A decoder of Normal latents and the encoder that infers them, trained on the ELBO.

    Kingma, Welling: "Auto-Encoding Variational Bayes", ICLR 2014. The loss is the negative of eq.
    (10), in nats an example: `loss = reconstruction_loss + beta * kl_loss`.

    Deviations: none. `beta` other than 1 is Higgins et al. (2017).

    Args:
        encoder: Examples to (mean, log variance) of q(z|x), each `[batch, latents]`.
        decoder: Latents `[batch, latents]` to the likelihood's parameters.
        likelihood: Name or object: p(x|z).
        beta: Weight of the KL divergence.
        seed: Seed of the latents' noise.

    Raises:
        ValueError: If encoder and decoder disagree about the latents.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    model = VAE(mlp_encoder(latents=2), mlp_decoder(latents=2), likelihood="bernoulli")
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    reported = ("loss", "reconstruction_loss", "kl_loss")
    code_names = ("mean", "log_variance")

    def __init__(self, encoder, decoder, likelihood="bernoulli", beta=1.0, seed=0, **kwargs):
        super().__init__(encoder, decoder, likelihood=likelihood, seed=seed, **kwargs)
        if beta < 0:
            raise ValueError(f"beta is {beta}: it must not be negative.")
        self.beta = beta

    def loss_terms(self, x, training: bool) -> dict:
        """Returns the terms of the negative ELBO, in nats: `reconstruction` and `kl`, `[batch]`."""
        mean, log_variance = self.encoder(x, training=training)
        # Eq. (4): z = mean + sigma * epsilon.
        noise = self.normal("latents", keras.ops.shape(mean), training)
        latents = mean + tf.exp(0.5 * log_variance) * noise
        parameters = self.decoder(latents, training=training)
        return {
            "reconstruction": -self.likelihood.log_prob(parameters, x),
            "kl": kl_standard_normal(mean, log_variance),
        }

    def weights_of_terms(self) -> dict[str, float]:
        """Returns beta for the KL divergence."""
        return {"kl": self.beta}

    def log_weights(self, x, samples: int, seed) -> tf.Tensor:
        """Returns log p(x, z) - log q(z|x) for latents z drawn from q(z|x).

        Their mean is the ELBO, and the logarithm of the mean of their exponentials the bound of
        Burda et al. (2016), eq. (8).

        Args:
            x: Float examples in `data_range`, `[batch, ...]`.
            samples: Latents for each example.
            seed: Stateless seed, int64 `[2]`.

        Returns:
            Float32 `[samples, batch]`, nats.
        """
        mean, log_variance = self.encoder(x, training=False)
        shape, batch = self.decoder.input_shape[1:], keras.ops.shape(x)[0]
        # Drawn with the batch first, of which each replica takes its slice.
        noise = keras.ops.moveaxis(normal([batch, samples, *shape], seed), 1, 0)
        latents = mean + tf.exp(0.5 * log_variance) * noise
        parameters = self.decoder(tf.reshape(latents, [-1, *shape]), training=False)
        parameters = tf.reshape(parameters, [samples, batch, *parameters.shape[1:]])
        # log N(z; 0, 1) - log N(z; mean, variance), where the constants cancel.
        ratio = 0.5 * (tf.square(noise) + log_variance - tf.square(latents))
        axes = list(range(2, ratio.shape.rank))
        return self.likelihood.log_prob(parameters, x) + tf.reduce_sum(ratio, axis=axes)

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        """Draws latents from the prior and decodes them.

        Args:
            n: How many.
            seed: The same seed gives the same images; None draws anew.

        Returns:
            uint8 `[n, ...]`: the mean of p(x|z).

        Raises:
            ValueError: If `n` is below 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}: draw at least 1 image.")
        seed = int(np.random.default_rng(seed).integers(2**31))
        return self.decode(self._prior(n, seed))

    def signatures(self) -> dict:
        """Returns an autoencoder's, and `sample`."""

        def sample(seed, n):
            return self._decoded(self._prior(n, seed))

        scalars = [tf.TensorSpec([], tf.int32, name=name) for name in ("seed", "n")]
        return super().signatures() | {"sample": (sample, scalars)}

    def _score(self, x):
        """The negative ELBO, with the same latents' noise each time."""
        key = stateless_seed(self.seed, 0, "score")
        return -tf.reduce_mean(self.log_weights(x, SCORE_SAMPLES, key), axis=0)

    def _prior(self, n, seed):
        key = stateless_seed(0, seed, "sample")
        return tf.random.stateless_normal([n, *self.decoder.input_shape[1:]], key)
