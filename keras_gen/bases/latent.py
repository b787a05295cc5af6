"""What models of latent variables share: a prior, and weights of latents that bound log p(x)."""

import keras
import tensorflow as tf

from keras_gen.bases.coder import Decoding
from keras_gen.bases.likelihood import DensityModel

SCORE_SAMPLES = 16  # latents an example; the ELBO of one would be noisy


class LatentModel(Decoding, DensityModel):
    """A density of data that are decoded from latents of a standard Normal prior.

    A subclass says what latents weigh (`log_weights`). `nats` is the negative ELBO of 16 latents.
    """

    def log_weights(self, x, samples: int, seed, training: bool = False) -> tf.Tensor:
        """Returns log p(x, z) - log q(z), q being what the latents z are drawn from.

        Args:
            x: Examples as the edge prepares them, `[batch, ...]`.
            samples: Latents for each example.
            seed: Stateless seed, int64 `[2]`.
            training: Whether the networks run in training mode.

        Returns:
            Float32 `[samples, batch]`, nats.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its latents weigh.")

    @staticmethod
    def negative_bound(log_weights) -> tf.Tensor:
        """Returns -log of the mean weight, `[batch]`: Burda et al. (2016), eq. (8), negated."""
        samples = tf.cast(keras.ops.shape(log_weights)[0], tf.float32)
        return tf.math.log(samples) - tf.reduce_logsumexp(log_weights, axis=0)

    def nats(self, x):
        """Returns the negative ELBO, with the same latents' noise each time."""
        return -tf.reduce_mean(self.log_weights(x, SCORE_SAMPLES, self.score_seed()), axis=0)

    def noise(self, n, key):
        """Draws latents from the prior."""
        return tf.random.stateless_normal([n, *self.decoder.inputs[0].shape[1:]], key)

    def from_noise(self, noise):
        """Returns the mean of p(x|z)."""
        return self.reconstructed(noise)


class ImportanceWeighted(LatentModel):
    """A model of latents that is trained on the bound of k of them, `samples`.

    Burda, Grosse, Salakhutdinov: "Importance Weighted Autoencoders", ICLR 2016. The loss is the
    negative of eq. (8), in nats per example, beside which `elbo` is reported. `score` and
    `log_prob` are the bound of k samples, by the same noise each time.
    """

    samples: int

    def keep_samples(self, samples: int) -> None:
        """Keeps k.

        Raises:
            ValueError: If it is below 1.
        """
        if samples < 1:
            raise ValueError(f"samples is {samples}: the bound needs at least 1.")
        self.samples = samples

    def loss_weights(self):
        """Returns 1 for the bound; the ELBO is only reported."""
        return {"bound": 1.0, "elbo": None}

    def bound_terms(self, log_weights) -> dict:
        """Returns the negative bound, and the mean of the same log weights: `[batch]`, nats."""
        elbo = tf.reduce_mean(log_weights, axis=0)
        return {"bound": self.negative_bound(log_weights), "elbo": elbo}

    def nats(self, x):
        """Returns the negative bound, with the same latents' noise each time."""
        return self.negative_bound(self.log_weights(x, self.samples, self.score_seed()))
