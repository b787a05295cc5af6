"""Conditional GANs (Mirza & Osindero 2014)."""

import keras
from typing_extensions import override

from keras_gen.arguments import (
    checked_shape,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import capability, require_classes
from keras_gen.core.kinds_of_data import label_edges
from keras_gen.declared import Count, argument, network
from keras_gen.gan.gan import GAN, VECTOR_OPTIONS
from keras_gen.latents import WIDEST, truncated_normal
from keras_gen.networks import dcgan_discriminator, dcgan_generator, with_labels


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalGAN(GAN):
    """A GAN whose generator and discriminator are conditioned on the class of the image.

    Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, eq. (2). `fit(images, labels)`
    accepts integer labels; in training, the generator receives the labels of the batch.
    `sample(n, seed, label=3)` generates images of one class; `label` can also be one label per
    image. Without labels, classes are random.

    Deviations: see `GAN`.

    Args:
        generator: Network that maps latents `[batch, latents]` and int32 labels `[batch]` to images
            in [-1, 1].
        discriminator: Network that maps images and int32 labels to logits `[batch, ...]`.
        classes: Number of classes.
        objective: Adversarial objective, a name or an object.
        penalty: See `GAN`.
        discriminator_steps: See `GAN`.
        seed: Seed for the latents.

    Raises:
        ValueError: If `classes` is below 1, if a network is built for a different number of
            classes, or if a label is out of range; see also `GAN`.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator, with_labels
    generator = with_labels(dcgan_generator((32, 32, 1), 16 + 10, filters=8), 10)
    discriminator = with_labels(dcgan_discriminator((32, 32, 1 + 10), filters=8), 10)
    model = ConditionalGAN(generator, discriminator, classes=10)
    model.compile()
    model.fit(np.zeros((8, 32, 32, 1), "uint8"), np.arange(8), batch_size=4)
    sevens = model.sample(9, seed=1, label=7)
    ```
    """

    batch = ("x", "labels")

    generator: keras.Model = network("latents label -> x")
    discriminator: keras.Model = network("x label -> logits")
    classes: Count = argument(kw_only=True)

    @override
    def generated(self, use, batch):
        labels = batch["labels"]
        latents = self.normal(use, [keras.ops.shape(labels)[0], self.latent_dim])
        return self.generator([latents, labels], training=self.training)

    @override
    def discriminator_inputs(self, images, batch):
        return [images, batch["labels"]]

    @override
    @capability
    def generate(self, latents, labels):
        """Generates uint8 images from latents `[n, latents]` and labels `[n]`."""
        return {"x": self.generator([latents, labels], training=False)}

    @override
    def from_noise(self, noise, label=-1, truncation=WIDEST):
        """Returns images of the given class, or of random classes."""
        return self.generator([truncated_normal(noise, truncation), label], training=False)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        labeled = [
            each for each in (self.generator, self.discriminator) if len(each.inputs) == 2
        ]
        require_classes(self.classes, *labeled)
        self.edges |= label_edges(self.classes)

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls, shape: tuple, classes: int, latent_dim: int = 100, filters: int = 64, **kwargs
    ):
        """Builds the model with class-conditional DCGAN networks; see `GAN.for_images`."""
        *sides, channels = shape
        generator = dcgan_generator(shape, latent_dim + classes, filters)
        discriminator = dcgan_discriminator((*sides, channels + classes), filters)
        generator = with_labels(generator, classes)
        discriminator = with_labels(discriminator, classes)
        return cls(generator, discriminator, classes, **kwargs)

    @override
    @classmethod
    @checked_arguments(axes=None)
    def for_vectors(  # type: ignore[override]
        cls,
        shape: int | tuple,
        classes: int,
        latent_dim: int = 8,
        hidden: tuple[int, ...] = (64, 64),
        **kwargs,
    ):
        """Builds the model for labeled rows or series; see `GAN.for_vectors`."""
        *steps, columns = shape = checked_shape("shape", shape)
        seen = (*steps, columns + classes)
        generator, critic = cls.dense_networks(latent_dim + classes, shape, seen, hidden)
        generator = with_labels(generator, classes)
        critic = with_labels(critic, classes)
        return cls(generator, critic, classes, **VECTOR_OPTIONS | kwargs)
