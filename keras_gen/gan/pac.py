"""PacGAN (Lin, Khetan, Fanti, Oh 2018)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.gan.gan import GAN, KINDS
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.training import require

NO_MULTIPLE = (
    "There are {} examples in a batch on each replica, which is no multiple of pack x k = {} x {}: "
    "give fit batches of a multiple of pack x k x replicas."
)


@keras.saving.register_keras_serializable("keras_gen")
class PacGAN(GAN):
    """The discriminator is shown several images at once, all of them real or all generated.

    Lin, Khetan, Fanti, Oh: "PacGAN: The Power of Two Samples in Generative Adversarial Networks",
    NeurIPS 2018, sec. 2. A generator that draws few modes makes packs of images that are too much
    alike. The images of a pack lie side by side as channels, so that all else is as in a GAN:
    losses, penalties and accuracies are of packs.

    Deviations: as `GAN`. Images that follow each other in the shuffled batch make a pack.

    Args:
        generator: Float latents `[batch, latents]` to images in [-1, 1].
        discriminator: Packs `[batch, height, width, pack * channels]` to logits `[batch, ...]`.
        pack: m, images in a pack: 2 to 4 in the paper; 1 is the plain GAN.
        objective: As of `GAN`.
        seed: Seed of the latents.
        **kwargs: Further arguments of `GAN`, such as `penalty`.

    Raises:
        ValueError: As `GAN`; if `pack` is below 1, or the discriminator does not take packs of what
            the generator makes; in use, if a batch is no multiple of `pack * discriminator_steps`
            on each replica.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator

    discriminator = dcgan_discriminator((32, 32, 2 * 1), filters=8)
    model = PacGAN(dcgan_generator((32, 32, 1), 16, filters=8), discriminator, pack=2)
    model.compile()
    model.fit(np.zeros((8, 32, 32, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    def __init__(
        self, generator, discriminator, pack: int, objective="non_saturating", seed: int = 0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(generator, discriminator, objective, seed=seed, **kwargs)
        *places, channels = shape = generator.output_shape[1:]
        taken = tuple(discriminator.inputs[0].shape[1:])
        if pack < 1 or taken != (*places, pack * channels):
            raise ValueError(
                f"pack is {pack} and the discriminator takes {taken}: expected at least 1, and as "
                f"many times the {channels} channels of {shape}."
            )
        self.pack = pack
        self.edges["x"] = KINDS[self.data](shape, name=self.data)

    @override
    @classmethod
    def for_images(  # type: ignore[override]
        cls, shape: tuple, latent_dim: int = 100, filters: int = 64, pack: int = 2, **kwargs
    ):
        """Builds the model with DCGAN's networks, as `GAN.for_images`; packs are discriminated.

        Args:
            shape: `(side, side, channels)` of the images, the side a power of two of at least 8.
            latent_dim: Dimensions of the latents.
            filters: Channels where the images are largest.
            pack: Images in a pack.
            **kwargs: Further arguments of the class.

        Example: `PacGAN.for_images((32, 32, 1), pack=2)`.
        """
        *sides, channels = shape
        discriminator = dcgan_discriminator((*sides, pack * channels), filters)
        return cls(dcgan_generator(shape, latent_dim, filters), discriminator, pack, **kwargs)

    @override
    def prepare_batch(self, data):
        """Returns the batch, whose images are packs."""
        batch = super().prepare_batch(data)
        count = keras.ops.shape(batch["x"])[0]
        k = self.discriminator_steps
        whole = require(count % (self.pack * k) == 0, NO_MULTIPLE, count, self.pack, k)
        with tf.control_dependencies([whole]):
            return batch | {"x": self.packed(tf.identity(batch["x"]))}

    def packed(self, images) -> tf.Tensor:
        """Returns images in packs, the channels of one after those of the other."""
        return tf.concat([images[place :: self.pack] for place in range(self.pack)], axis=-1)

    @override
    def generated(self, use, batch, training):
        """Returns as many packs of generated images as there are real ones."""
        count = self.pack * keras.ops.shape(batch["x"])[0]
        latents = self.normal(use, [count, self.latent_dim], training)
        return self.packed(self.generator(latents, training=training))
