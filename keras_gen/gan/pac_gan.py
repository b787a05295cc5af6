"""PacGAN (Lin, Khetan, Fanti, Oh 2018)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import (
    checked_shape,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import require
from keras_gen.declared import Count, Named, Steps, argument, made_by, network
from keras_gen.gan.gan import GAN, VECTOR_OPTIONS
from keras_gen.losses import penalties
from keras_gen.losses.penalties import Penalty
from keras_gen.networks import dcgan_discriminator, dcgan_generator

NO_MULTIPLE = (
    "Each replica gets {} examples per batch: expected a multiple of pack * k = {} * {}. Pass fit "
    "a batch size that is a multiple of pack * k * replicas."
)


@keras.saving.register_keras_serializable("keras_gen")
class PacGAN(GAN):
    """A GAN whose discriminator sees packs of images, all real or all generated.

    Lin, Khetan, Fanti, Oh: "PacGAN: The Power of Two Samples in Generative Adversarial Networks",
    NeurIPS 2018, sec. 2. A generator that covers only a few modes produces packs of images that are
    too similar. The images of a pack are concatenated as channels; losses, penalties, and
    accuracies apply to packs.

    Deviations: see `GAN`. Consecutive images in the shuffled batch form a pack.

    Args:
        generator: Network that maps float latents `[batch, latents]` to images in [-1, 1].
        discriminator: Network that maps packs `[batch, height, width, pack * channels]` to logits
            `[batch, ...]`.
        pack: Number m of images in a pack. The paper uses 2 to 4; 1 gives a standard GAN.
        objective: See `GAN`.
        seed: Seed for the latents.
        **kwargs: Additional arguments for `GAN`, such as `penalty`.

    Raises:
        ValueError: If `pack` is below 1, if the discriminator does not accept packs of generated
            images, or if a replica's batch is not a multiple of `pack * discriminator_steps`; see
            also `GAN`.

    Example:
    ```python
    model = PacGAN.for_images((32, 32, 1), latent_dim=16, filters=8, pack=2)
    model.compile()
    model.fit(np.zeros((8, 32, 32, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    discriminator: keras.Model = network("pack -> logits")
    pack: Count = argument(kw_only=True)
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None, kw_only=True)
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    @override
    def prepare_batch(self, data):
        batch = super().prepare_batch(data)
        count = keras.ops.shape(batch["x"])[0]
        k = self.discriminator_steps if self.training else 1
        whole = require(count % (self.pack * k) == 0, NO_MULTIPLE, count, self.pack, k)
        with tf.control_dependencies([whole]):
            return batch | {"x": self.packed(tf.identity(batch["x"]))}

    def packed(self, images) -> tf.Tensor:
        """Returns packs of images, concatenated as channels."""
        return tf.concat([images[place :: self.pack] for place in range(self.pack)], axis=-1)

    @override
    def generated(self, use, batch):
        count = self.pack * keras.ops.shape(batch["x"])[0]
        latents = self.normal(use, [count, self.latent_dim])
        return self.packed(self.generator(latents, training=self.training))

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        *places, channels = shape = self.edges["x"].shape
        taken = tuple(self.discriminator.inputs[0].shape[1:])
        if taken != (*places, self.pack * channels):
            raise ValueError(
                f"pack is {self.pack}, but the discriminator accepts {taken}: expected "
                f"{(*places, self.pack * channels)}, for {self.pack} examples of shape {shape}, "
                "stacked along the channels."
            )

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls, shape: tuple, latent_dim: int = 100, filters: int = 64, pack: int = 2, **kwargs
    ):
        """Builds the model with DCGAN networks for packs of images; see `GAN.for_images`."""
        *sides, channels = shape
        discriminator = dcgan_discriminator((*sides, pack * channels), filters)
        return cls(dcgan_generator(shape, latent_dim, filters), discriminator, pack, **kwargs)

    @override
    @classmethod
    @checked_arguments(axes=None)
    def for_vectors(  # type: ignore[override]
        cls,
        shape: int | tuple,
        latent_dim: int = 8,
        hidden: tuple[int, ...] = (64, 64),
        pack: int = 2,
        **kwargs,
    ):
        """Builds the model for packs of rows or series; see `GAN.for_vectors`."""
        *steps, columns = shape = checked_shape("shape", shape)
        seen = (*steps, pack * columns)
        generator, critic = cls.dense_networks(latent_dim, shape, seen, hidden)
        return cls(generator, critic, pack, **VECTOR_OPTIONS | kwargs)
