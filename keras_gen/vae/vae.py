"""The variational autoencoder (Kingma & Welling 2014)."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.coder import EncoderDecoder
from keras_gen.core import SCORE_SAMPLES, log_prob, sample
from keras_gen.core.kinds_of_data import Number
from keras_gen.core.noise import folded, normal, several
from keras_gen.core.schedules import Weight
from keras_gen.data import Column
from keras_gen.declared import network
from keras_gen.losses import kl_standard_normal
from keras_gen.networks import table_networks

if TYPE_CHECKING:
    from keras_gen.vae.table_vae import TableVAE


class Inferred(NamedTuple):
    """Latents `[batch, ...]`, and the parameters of the distribution that yields the latents."""

    latents: Any
    parameters: Any


@keras.saving.register_keras_serializable("keras_gen")
class VAE(EncoderDecoder):
    """A decoder with normal latents and an encoder that infers them, trained on the ELBO.

    Kingma, Welling: "Auto-Encoding Variational Bayes", ICLR 2014. The loss is the negative of eq.
    (10), in nats per example: `loss = reconstruction_loss + beta * kl_loss`. `score` and `log_prob`
    return the ELBO, a lower bound on log p(x), estimated with 16 latent samples.

    Deviations: `compile()` uses Adam, whereas the paper uses Adagrad. A `beta` other than 1 gives
    the beta-VAE of Higgins et al. (2017).

    Args:
        encoder: Network that maps examples to the mean and log variance of q(z|x), each
            `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object; `"bernoulli"` by default.
        beta: Weight of the KL divergence, a number or a schedule.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the encoder's latents do not match the decoder's input, or if `beta` is
            negative.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    encoder = mlp_encoder(latent_dim=2, heads=("mean", "log_variance"))
    model = VAE(encoder, mlp_decoder(latent_dim=2), likelihood="bernoulli")
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    code_names: ClassVar[tuple[str, ...]] = ("mean", "log_variance")
    published_steps = (5000, 24_000)
    unserved = cast(tuple[str, ...], ("temperature",))
    sample = sample
    log_prob = log_prob

    encoder: keras.Model = network("x -> z z")
    decoder: keras.Model = network("z -> parameters")
    beta: Weight = 1.0

    @override
    def train_step(self, data):
        """Updates the encoder and the decoder to minimize the negative ELBO (algorithm 1)."""
        batch = self.prepare_batch(data)

        def negative_elbo():
            terms = self.terms(batch)
            return self.weighted(terms), terms

        loss, terms = self.minimize(negative_elbo)
        return self.report(terms, loss=loss)

    @override
    def terms(self, batch):
        x = batch["x"]
        return self.elbo_terms(x, self.inferred(x))

    @override
    def loss_weights(self):
        return {"reconstruction": 1.0, "kl": self.beta}

    # The negative ELBO -----------------------------------------------------------------------

    def inferred(self, x) -> Inferred:
        """Samples latents from q(z|x) with this step's noise."""
        return self.drawn(self.encoded(x), self.stateless_seed("latents"))

    def drawn(self, posterior, seed, samples: int | None = None) -> Inferred:
        """Samples latents from (mean, log variance), `[batch, ...]` or `[samples, batch, ...]`."""
        mean, log_variance = posterior
        noise = several(normal, keras.ops.shape(mean), samples, seed)
        # Eq. (4) for a normal distribution: z = mean + sigma * epsilon.
        return Inferred(mean + tf.exp(0.5 * log_variance) * noise, (mean, log_variance))

    def elbo_terms(self, x, inferred: Inferred) -> dict:
        """Returns a dict of both terms of eq. (10), each `[batch]`, in nats."""
        latents, posterior = inferred
        return {
            # -log p(x|z), summed over the values of an example.
            "reconstruction": self.reconstruction(latents, x),
            # KL(q(z|x) || N(0, 1)), appendix B: sum(mean^2 + sigma^2 - 1 - log sigma^2) / 2.
            "kl": kl_standard_normal(*posterior),
        }

    # Estimates of log p(x) -------------------------------------------------------------------

    @override
    def nats(self, x):
        return -tf.reduce_mean(self.log_weights(x, SCORE_SAMPLES, self.score_seeds(x)), axis=0)

    def log_weights(self, x, samples: int, seed) -> tf.Tensor:
        """Returns log p(x, z) - log q(z|x) for samples z from q(z|x), in nats `[samples, batch]`.

        The mean over the samples is the ELBO, and the log-mean-exp is the bound of Burda et al.
        (2016), eq. (8). `x` is prepared by its edge; `seed` is a stateless seed, int64 `[2]`, or
        one seed per example, `[batch, 2]`.
        """
        return self.log_ratio(x, self.drawn(self.encoded(x), seed, samples))

    def log_ratio(self, x, inferred, *given) -> tf.Tensor:
        """Returns log p(x, z) - log q(z|x) of inferred latents, `[batch]` or `[samples, batch]`."""
        reconstruction = self.reconstruction(inferred.latents, x, *given)
        return self.latent_ratio(inferred) - reconstruction

    def latent_ratio(self, inferred) -> tf.Tensor:
        """Returns log p(z) - log q(z|x) for inferred latents, `[batch]` or `[samples, batch]`."""
        latents, (mean, log_variance) = inferred
        noise = (latents - mean) * tf.exp(-0.5 * log_variance)
        # log N(z; 0, 1) - log N(z; mean, variance); the constants of the two log densities cancel.
        ratio = 0.5 * (tf.square(noise) + log_variance - tf.square(latents))
        return tf.reduce_sum(ratio, axis=list(range(1 - mean.shape.rank, 0)))

    # Samples ---------------------------------------------------------------------------------

    def noise(self, n, key):
        """Samples n examples' latents from the prior and, for vectors, noise for the values."""
        latents = [n, *self.decoder.inputs[0].shape[1:]]
        noise = {"latents": tf.random.stateless_normal(latents, key)}
        rows = self.likelihood.range == (-math.inf, math.inf)
        if rows and self.likelihood.uniforms_per_value:
            values = [n, *self.edges["x"].shape, self.likelihood.uniforms_per_value]
            noise["values"] = tf.random.stateless_uniform(values, folded(key, 2))
        return noise

    def from_noise(self, noise, temperature=1.0):
        """Returns the mean of p(x|z) for images and counts, and samples from p(x|z) for vectors.

        `temperature` is the standard deviation of the latents, relative to the prior's.
        """
        return self.example_of(noise | {"latents": temperature * noise["latents"]})

    def example_of(self, noise: dict, *given) -> tf.Tensor:
        """Returns examples generated from `noise` with p(x|z) or p(x|z, given)."""
        if "values" not in noise:
            return self.reconstructed(noise["latents"], *given)
        # Values are sampled, because the means alone would vary less than the data.
        return self.likelihood.draw(self.decoded(noise["latents"], *given), noise["values"])

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        self.edges["temperature"] = Number(0.0, 10.0, "temperature")

    @classmethod
    def for_table(
        cls,
        columns: Sequence[Column],
        latent_dim: int = 16,
        hidden: tuple[int, ...] = (192, 192),
        **kwargs,
    ) -> "TableVAE":
        """Builds a model for the rows of a table with words, numbers, and gaps.

        Args:
            columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
            latent_dim: Number of latent dimensions.
            hidden: Number of units in each hidden layer of the encoder; the decoder mirrors the
                encoder.
            **kwargs: Additional arguments for `TableVAE`.

        Raises:
            TypeError: If `columns` contains anything other than columns, or if the class is a
                variant of `VAE` other than `TableVAE`.
            ValueError: If a column has no cells.

        Example: `model = VAE.for_table(table_columns(people))`.
        """
        from keras_gen.vae.table_vae import TableVAE

        if not issubclass(TableVAE, cls):
            raise TypeError(f"{cls.__name__} is not for tables: use VAE.for_table.")
        encoder, decoder = table_networks(columns, latent_dim, hidden)
        return TableVAE(encoder, decoder, columns, **kwargs)
