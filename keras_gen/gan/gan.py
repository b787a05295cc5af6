"""Generative adversarial networks (Goodfellow et al. 2014)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.bases import AdversarialModel, LatentSampler
from keras_gen.bases.edges import Images, Vectors
from keras_gen.bases.latent_sampler import WIDEST, truncated_normal
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.training import (
    capability,
    minimize,
    require_built,
    require_inputs,
    require_logits,
)

KINDS = {"images": Images, "vectors": Vectors}


@keras.saving.register_keras_serializable("keras_gen")
class GAN(LatentSampler, AdversarialModel):
    """One generator against one discriminator.

    Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, algorithm 1. With the networks
    of `keras_gen.networks.dcgan` it is the DCGAN of Radford, Metz, Chintala, ICLR 2016.

    Deviation: the discriminator sees real and generated images in two passes, so that batch
    normalization never mixes them, as DCGAN's authors do; algorithm 1 has no such layers.

    Args:
        generator: Float latents `[batch, latents]` to images in [-1, 1].
        discriminator: Images to logits of any shape `[batch, ...]`.
        objective: Adversarial objective, a name or an object. `"minimax"` is eq. (1),
            `"non_saturating"` the one that sec. 3 recommends.
        penalty: None, or `"gradient"` or an object, added to the discriminator's loss.
        discriminator_steps: k of algorithm 1. A batch given to `fit` holds the k fresh batches.
        seed: Seed of the latents.
        data: What the examples are: `"images"`, or `"vectors"` of unscaled finite numbers.

    Raises:
        ValueError: If the networks have other inputs, k is below 1, the penalty does not fit the
            discriminator, or `data` is unknown.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator
    shape = (32, 32, 1)
    model = GAN(dcgan_generator(shape, 16, filters=8), dcgan_discriminator(shape, filters=8))
    model.compile()
    model.fit(np.zeros((8, *shape), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    for_users: tuple[str, ...] = ("for_images",)
    inputs_of_networks = (1, 1)  # of the generator, of the discriminator
    discriminator_normalization: str = "batch"  # in the networks of `for_images`

    def __init__(
        self, generator, discriminator, objective="non_saturating", penalty=None,
        discriminator_steps: int = 1, seed: int = 0, data: str = "images", **kwargs,
    ):  # fmt: skip
        require_built(generator, discriminator)
        require_logits(discriminator)
        for count, network in zip(
            self.inputs_of_networks, (generator, discriminator), strict=True
        ):
            require_inputs(count, type(self), network)
        latents = generator.inputs[0].shape
        if len(latents) != 2 or latents[1] is None:
            raise ValueError(
                f"The generator's input has shape {tuple(latents)}: expected latents "
                "[batch, number], with a known number."
            )
        super().__init__(
            generator, discriminator, objective, penalty, discriminator_steps, seed, **kwargs
        )
        self.set_latents(latents[1])
        if data not in KINDS:
            raise ValueError(f"data is {data!r}: expected one of {', '.join(KINDS)}.")
        self.data = data
        self.edges["x"] = KINDS[data](tuple(discriminator.inputs[0].shape[1:]), name=data)

    @classmethod
    def for_images(cls, shape: tuple, latent_dim: int = 100, filters: int = 64, **kwargs):
        """Builds the model with the networks of DCGAN, of half the paper's width by default.

        Args:
            shape: `(height, width, channels)` of the images, both sides of at least 8 pixels.
            latent_dim: Dimensions of the latents.
            filters: Channels where the images are largest.
            **kwargs: Further arguments of the class.

        Example: `GAN.for_images((64, 64, 3))`.
        """
        discriminator = dcgan_discriminator(shape, filters, cls.discriminator_normalization)
        return cls(dcgan_generator(shape, latent_dim, filters), discriminator, **kwargs)

    # Algorithm 1 -----------------------------------------------------------------------------

    @override
    def train_step(self, data):
        """Algorithm 1: k updates of the discriminator, then one of the generator."""
        for k, batch in enumerate(self.minibatches(self.prepare_batch(data))):
            use = f"discriminator {k}"
            # The generator takes no gradient from this loss, so its pass is not differentiated.
            fake = self.generated(use, batch, training=True)

            def discriminator_loss(batch=batch, fake=fake, use=use):
                terms = self.discriminator_terms(batch, fake, use, training=True)
                return self.weighted(terms), terms

            networks = self.networks_of("d_optimizer")
            d_loss, d_terms = minimize(discriminator_loss, self.d_optimizer, *networks)
            with tf.control_dependencies([d_loss]):
                self.discriminator_updated()

        def generator_loss():
            terms = self.generator_terms(batch, training=True)
            return self.weighted(terms), terms

        networks = self.networks_of("g_optimizer")
        g_loss, g_terms = minimize(generator_loss, self.g_optimizer, *networks)
        return self.report(d_terms | g_terms, d_loss=d_loss, g_loss=g_loss)

    def discriminator_updated(self) -> None:
        """Runs after each update of the discriminator: does nothing unless overridden."""

    @override
    def generated(self, use, batch, training):
        latents = self.normal(use, [keras.ops.shape(batch["x"])[0], self.latent_dim], training)
        return self.generator(latents, training=training)

    # Use -------------------------------------------------------------------------------------

    @override
    def call(self, latents, training=False):
        """Turns latents `[batch, latents]` into images in [-1, 1]."""
        return self.generator(latents, training=training)

    @capability
    def generate(self, latents):
        """Turns latents `[n, latents]` into images, uint8 `[n, height, width, channels]`."""
        return {"x": self.call(latents)}

    def from_noise(self, noise, truncation=WIDEST):
        """Returns the images of latents that are truncated."""
        return self.call(truncated_normal(noise, truncation))
