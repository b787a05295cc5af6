"""The variational autoencoder (Kingma & Welling 2014)."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.losses import kl_standard_normal, likelihoods
from keras_gen.training import GenerativeModel, minimize, require_built
from keras_gen.training.noise import normal, stateless_seed


@keras.saving.register_keras_serializable("keras_gen")
class VAE(GenerativeModel):
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

    def __init__(self, encoder, decoder, likelihood="bernoulli", beta=1.0, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_built(encoder, decoder)
        shapes = [tuple(output.shape[1:]) for output in encoder.outputs]
        if len(shapes) != 2 or shapes != [tuple(decoder.input_shape[1:])] * 2:
            raise ValueError(
                f"The encoder's outputs have shapes {shapes} and the decoder's input "
                f"{tuple(decoder.input_shape[1:])}: expected mean and log variance of the shape "
                "that the decoder takes."
            )
        if beta < 0:
            raise ValueError(f"beta is {beta}: it must not be negative.")
        self.encoder, self.decoder = encoder, decoder
        self.likelihood = likelihoods.get(likelihood)
        self.beta = beta
        self.data_range = self.likelihood.range

    def compile(self, optimizer="adam", **kwargs):
        """Compiles with one optimizer for encoder and decoder.

        Args:
            optimizer: A `keras.optimizers.Optimizer` or its name.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        super().compile(optimizer=optimizer, **kwargs)

    def call(self, x, training=False):
        """Reconstructs float examples in `data_range` from the means of their latents."""
        mean, _ = self.encoder(x, training=training)
        return self.likelihood.mean(self.decoder(mean, training=training))

    def train_step(self, data):
        """Takes one step on the negative ELBO."""
        x = self._examples(data)

        def negative_elbo():
            terms = self.loss_terms(x, training=True)
            return self._weighted(terms), terms

        loss, terms = minimize(negative_elbo, self.optimizer, self.encoder, self.decoder)
        return self.report(loss=loss, **_named(terms))

    def test_step(self, data):
        """Returns the negative ELBO of held-out examples and its terms."""
        terms = self.loss_terms(self._examples(data), training=False)
        return self.report(training=False, loss=self._weighted(terms), **_named(terms))

    def loss_terms(self, x, training: bool) -> dict:
        """Returns the terms of the negative ELBO, in nats: the hook of variants.

        Args:
            x: Float examples in `data_range`.
            training: Whether this is a training step.

        Returns:
            `{"reconstruction": [batch], "kl": [batch]}`.
        """
        mean, log_variance = self.encoder(x, training=training)
        # Eq. (4): z = mean + sigma * epsilon.
        noise = self.normal("latents", keras.ops.shape(mean), training)
        latents = mean + tf.exp(0.5 * log_variance) * noise
        parameters = self.decoder(latents, training=training)
        return {
            "reconstruction": -self.likelihood.log_prob(parameters, x),
            "kl": kl_standard_normal(mean, log_variance),
        }

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

    def _weighted(self, terms):
        return terms["reconstruction"] + self.beta * terms["kl"]

    def _examples(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.prepare(x)

    # Use -------------------------------------------------------------------------------------

    def encode(self, images, batch_size: int = 256) -> tuple[np.ndarray, np.ndarray]:
        """Returns mean and log variance of q(z|x), float32 `[n, latents]` each.

        Args:
            images: uint8, or float in `data_range`, `[n, ...]`.
            batch_size: Examples at once.
        """
        parts = [self.encoder(x, training=False) for x in self._batches(images, batch_size)]
        mean, log_variance = zip(*parts, strict=True)
        return np.concatenate(mean), np.concatenate(log_variance)

    def decode(self, latents) -> np.ndarray:
        """Returns the mean of p(x|z) as uint8 images for float latents `[n, latents]`."""
        return self._decode(tf.cast(latents, tf.float32)).numpy()

    def reconstruct(self, images, batch_size: int = 256) -> np.ndarray:
        """Returns the reconstructions from the latents' means, in the kind of `images`."""
        batches = self._batches(images, batch_size)
        return np.concatenate([self.like(images[:1], self(x)) for x in batches])

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

    def interpolate(self, a, b, steps: int = 8) -> np.ndarray:
        """Decodes points on the line between the latents of images `a` and `b`.

        Args:
            a: uint8 or float images `[n, ...]`.
            b: The same number of images.
            steps: Points, both ends included.

        Returns:
            uint8 `[n, steps, ...]`.
        """
        share = np.linspace(0.0, 1.0, steps)[None, :, None]
        start, end = self.encode(a)[0], self.encode(b)[0]
        line = (1 - share) * start[:, None] + share * end[:, None]
        images = self.decode(line.reshape(-1, line.shape[-1]))
        return images.reshape(len(start), steps, *images.shape[1:])

    def signatures(self) -> dict:
        """Returns `reconstruct`, `encode`, `decode` and `sample`; images are uint8."""

        def encode(images):
            mean, log_variance = self.encoder(self.prepare(images), training=False)
            return {"mean": mean, "log_variance": log_variance}

        def decode(latents):
            return {"images": self._decode(latents)}

        def reconstruct(images):
            return decode(encode(images)["mean"])

        def sample(seed, n):
            return decode(self._prior(n, seed))

        images = [tf.TensorSpec([None, *self.encoder.input_shape[1:]], tf.uint8, name="images")]
        latents = [tf.TensorSpec([None, *self.decoder.input_shape[1:]], tf.float32, name="latents")]
        scalars = [tf.TensorSpec([], tf.int32, name=name) for name in ("seed", "n")]
        return {
            "reconstruct": (reconstruct, images),
            "encode": (encode, images),
            "decode": (decode, latents),
            "sample": (sample, scalars),
        }

    def _prior(self, n, seed):
        key = stateless_seed(0, seed, "sample")
        return tf.random.stateless_normal([n, *self.decoder.input_shape[1:]], key)

    def _decode(self, latents):
        return self.to_uint8(self.likelihood.mean(self.decoder(latents, training=False)))

    def _batches(self, images, batch_size):
        for start in range(0, len(images), batch_size):
            yield self.prepare(images[start : start + batch_size])


def _named(terms):
    return {f"{name}_loss": value for name, value in terms.items()}
