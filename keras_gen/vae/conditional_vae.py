"""The conditional variational autoencoder, CVAE (Sohn, Lee, Yan 2015)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_shape, only_given
from keras_gen.autoencoders.coder import (
    decoder_to,
    require_moments,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import (
    SCORE_SAMPLES,
    capability,
    require_classes,
)
from keras_gen.core.kinds_of_data import Edge, Images, Vectors, label_edges
from keras_gen.core.schedules import Weight
from keras_gen.declared import Count, argument, network
from keras_gen.keras_internals import put_first
from keras_gen.losses import kl_normal, kl_standard_normal, likelihoods
from keras_gen.networks import (
    conv_decoder,
    conv_encoder,
    mlp_decoder,
    mlp_encoder,
    with_codes,
    with_labels,
)
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalVAE(VAE):
    """A VAE conditioned on a label, a vector, or an image.

    Sohn, Lee, Yan: "Learning Structured Output Representation using Deep Conditional Generative
    Models", NeurIPS 2015. Here, the paper's output y is the example, and its input x is the
    condition c. The loss is the negative of eq. (5), `reconstruction_loss + beta * kl_loss` in
    nats. `score` and `log_prob` return the bound of eq. (4) on the likelihood given the condition,
    estimated with 16 latent samples per example.

    `fit(images, labels)` accepts integer labels. `fit(images, conditions)` accepts vectors or
    images, uint8 or floats in [0, 1] `[n, height, width, channels]`, such as the known part of an
    image if the examples are the missing part. `sample(n, seed, label=3)` generates examples of one
    class; `label` can also contain one label per example. Without labels, classes are random. For
    vectors and images, `sample` accepts `condition`, either one condition for all examples or one
    per example.

    Deviations: without a prior network, the prior is N(0, 1) for every condition, which sec. 4
    allows. The paper's baseline network, whose prediction the generation network refines, and the
    hybrid objective (eq. (9)) are not included.

    Args:
        encoder: Recognition network that maps examples and conditions to the mean and log variance
            of q(z|x,c).
        decoder: Generation network that maps latents and conditions to the likelihood's parameters.
        classes: Number of classes if the condition is a label; None for vectors and images.
        likelihood: Likelihood p(x|z,c), a name or an object.
        prior: Prior network that maps conditions to the mean and log variance of p(z|c). If None,
            the prior is N(0, 1).
        beta: Weight of the KL divergence, a number or a schedule.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match each other or the condition.

    Example:
    ```python
    model = ConditionalVAE.for_images((28, 28, 1), classes=10, latent_dim=2)
    model.compile()
    digits, labels = np.zeros((8, 28, 28, 1), "uint8"), np.arange(8)
    model.fit(digits, labels, batch_size=4)
    sevens = model.sample(9, seed=1, label=7)
    nats = -model.log_prob(digits, labels)
    ```
    """

    encoder: keras.Model = network("x c -> z z")
    decoder: keras.Model = network("z c -> parameters")
    classes: Count | None = argument(kw_only=True)
    prior: keras.Model | None = network("c -> z z", default=None)
    beta: Weight = argument(default=1.0, later=True)

    @override
    def terms(self, batch):
        x = batch["x"]
        condition = batch[self.given[0]]
        posterior = self.encoded(x, condition)
        latents, _ = self.drawn(posterior, self.stateless_seed("latents"))
        return {
            "reconstruction": self.reconstruction(latents, x, condition),  # -log p(x|z,c)
            "kl": self._kl(posterior, condition),  # KL(q(z|x,c) || p(z|c))
        }

    # The bound, eqs. (4) and (5) -------------------------------------------------------------

    def prior_of(self, condition):
        """Returns the mean and log variance of p(z|c) from the prior network, float32."""
        found = self.prior(condition, training=self.training)
        return [tf.cast(each, tf.float32) for each in found]

    def _kl(self, posterior, condition):
        if self.prior is None:
            return kl_standard_normal(*posterior)
        return kl_normal(*posterior, *self.prior_of(condition))

    @override
    def nats(self, x, **given):
        (condition,) = given.values()
        return -tf.reduce_mean(
            self.log_weights(x, SCORE_SAMPLES, self.score_seeds(x), condition), 0
        )

    @override
    def log_weights(self, x, samples: int, seed, condition):  # type: ignore[override]
        """Returns log p(x, z | c) - log q(z|x,c) for samples from q, in nats `[samples, batch]`.

        The mean over the samples is the bound of eq. (4), and the log-mean-exp is the estimate of
        eq. (7).
        """
        inferred = self.drawn(self.encoded(x, condition), seed, samples)
        return self.log_ratio(x, inferred, condition)

    @override
    def log_ratio(self, x, inferred, *given):
        ratio = super().log_ratio(x, inferred, *given)
        if self.prior is None:
            return ratio
        mean, log_variance = self.prior_of(*given)
        latents = inferred.latents
        noise = (latents - mean) * tf.exp(-0.5 * log_variance)
        # log p(z|c) - log N(z; 0, 1); the constants of the two log densities cancel.
        change = 0.5 * (tf.square(latents) - tf.square(noise) - log_variance)
        return ratio + tf.reduce_sum(change, axis=list(range(1 - mean.shape.rank, 0)))

    # Use -------------------------------------------------------------------------------------

    @override
    def call(self, inputs, training=False):
        """Returns the mean of p(x|z,c) for prepared examples and conditions."""
        x, condition = inputs
        return self.reconstructed(self.encoded(x, condition)[0], condition)

    @override
    @capability
    def reconstruct(self, x, **given):
        """Returns reconstructions given the conditions, in the same format as the examples."""
        return {"x": self((x, *given.values()))}

    @override
    @capability
    def encode(self, x, **given):
        """Returns the mean and log variance of q(z|x,c), each float32 `[n, latents]`."""
        return dict(zip(self.code_names, self.encoded(x, *given.values()), strict=True))

    @override
    @capability
    def decode(self, latents, **given):
        """Returns the mean of p(x|z,c) for latents `[n, latents]` and conditions."""
        return {"x": self.reconstructed(latents, *given.values())}

    @override
    def from_noise(self, noise, temperature=1.0, **given):
        """Generates examples for a condition or a label; without a label, classes are random."""
        (condition,) = given.values()
        latents = temperature * noise["latents"]
        if self.prior is not None:
            mean, log_variance = self.prior_of(condition)
            latents = mean + tf.exp(0.5 * log_variance) * latents
        return self.example_of(noise | {"latents": latents}, condition)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        shape = tuple(self.encoder.inputs[1].shape[1:])
        if bool(self.classes) != (shape == ()):
            expected = "labels of shape ()" if self.classes else "vectors or images, or classes"
            raise ValueError(
                f"encoder accepts conditions of shape {shape}: expected {expected}."
            )
        if self.prior is not None:
            require_moments(self.prior, self.prior.outputs)
        if self.classes:
            require_classes(self.classes, self.encoder, self.decoder)
            if self.prior is not None:
                require_classes(self.classes, self.prior, place=0)
            self.condition_on("labels", label_edges(self.classes))
        else:
            conditions: Edge = Images(shape, 0.0, 1.0, "conditions")
            if len(shape) != 3:
                conditions = self.in_any_units(Vectors(shape, "conditions"))
            edges = {"conditions": conditions, "condition": conditions}
            self.condition_on("conditions", edges)
        put_first(self, self.encoder, self.decoder, self.edges["x"], self.prior)

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        classes: int = 10,
        latent_dim: int = 16,
        filters: tuple[int, ...] = (32, 64),
        **kwargs,
    ):
        """Builds a convolutional model in which labels are one-hot input channels.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 2^len(filters).
            classes: Number of classes.
            latent_dim: Number of latent dimensions.
            filters: Number of channels in each convolution; each convolution halves the sides.
            **kwargs: Additional arguments for the class.
        """
        *sides, channels = shape
        likelihood = likelihoods.get(kwargs.get("likelihood", "bernoulli"))
        seen = (*sides, channels + classes)
        encoder = conv_encoder(seen, latent_dim, filters, heads=cls.code_names)
        decoder = decoder_to(likelihood, conv_decoder, shape, latent_dim + classes, filters)
        return cls(
            with_labels(encoder, classes), with_labels(decoder, classes), classes, **kwargs
        )

    @override
    @classmethod
    @checked_arguments(axes=None)
    def for_vectors(  # type: ignore[override]
        cls,
        shape: int | tuple,
        classes: int | None = None,
        conditions: int | None = None,
        latent_dim: int = 2,
        hidden: tuple[int, ...] = (64, 64),
        **kwargs,
    ):
        """Builds the model for rows of numbers in any units, with dense networks.

        Args:
            shape: Number of columns or, if `classes` is given, the shape `(steps, channels)` of a
                series.
            classes: Number of classes, or None.
            conditions: Number of columns of a condition that is a vector of numbers in any units,
                or None.
            latent_dim: Number of latent dimensions.
            hidden: Number of units in each hidden layer of the encoder; the decoder mirrors the
                encoder.
            **kwargs: Additional arguments for the class. The default likelihood is `ColumnNormal`,
                with one learned standard deviation per column.

        Raises:
            ValueError: If both or neither of `classes` and `conditions` are given.

        Example: `ConditionalVAE.for_vectors(8, conditions=2).fit(rows, conditions)`.
        """
        *steps, channels = shape = checked_shape("shape", shape)
        count = only_given(classes=classes, conditions=conditions)
        kwargs = cls.options_of_vectors | kwargs
        likelihood = likelihoods.get(kwargs["likelihood"])
        seen = (*steps, channels + count)
        encoder = mlp_encoder(seen, latent_dim, hidden, heads=cls.code_names)
        decoder = decoder_to(likelihood, mlp_decoder, shape, latent_dim + count, hidden[::-1])
        conditioned = with_labels if classes else with_codes
        return cls(conditioned(encoder, count), conditioned(decoder, count), classes, **kwargs)
