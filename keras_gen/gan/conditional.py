"""Conditional GANs (Mirza & Osindero 2014)."""

import keras

from keras_gen.bases import ClassSampler, capability
from keras_gen.gan.gan import GAN
from keras_gen.networks import dcgan_discriminator, dcgan_generator, with_labels


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalGAN(ClassSampler, GAN):
    """Generator and discriminator know the class of the image that is drawn or looked at.

    Mirza, Osindero: "Conditional Generative Adversarial Nets", 2014, eq. (2). `fit(images, labels)`
    takes integers; fakes are drawn for the labels of the batch. `sample(n, seed, label=3)` draws
    images of one class, or of a label for each; without one each image has a random class.

    Deviations: as `GAN`.

    Args:
        generator: Latents `[batch, latents]` and int32 labels `[batch]` to images in [-1, 1].
        discriminator: Images and int32 labels to logits `[batch, ...]`.
        classes: Number of classes.
        objective: Adversarial objective, a name or an object.
        penalty: As of `GAN`.
        discriminator_steps: As of `GAN`.
        seed: Seed of the latents.

    Raises:
        ValueError: As `GAN`; if `classes` is below 1, or a label out of range.

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
    inputs_of_networks = (2, 2)

    def __init__(
        self, generator, discriminator, classes: int, objective="non_saturating", penalty=None,
        discriminator_steps: int = 1, seed=0, **kwargs,
    ):  # fmt: skip
        super().__init__(
            generator, discriminator, objective, penalty, discriminator_steps, seed, **kwargs
        )
        self.keep_classes(classes)

    @classmethod
    def for_images(  # type: ignore[override]
        cls, shape: tuple, classes: int, latent_dim: int = 100, filters: int = 64, **kwargs
    ):
        """Builds the model with DCGAN's networks, as `GAN.for_images`, which are told the class.

        Args:
            shape: `(side, side, channels)` of the images, the side a power of two of at least 8.
            classes: Number of classes.
            latent_dim: Dimensions of the latents.
            filters: Channels where the images are largest.
            **kwargs: Further arguments of the class.

        Example: `ConditionalGAN.for_images((32, 32, 1), classes=10)`.
        """
        *sides, channels = shape
        generator = dcgan_generator(shape, latent_dim + classes, filters)
        discriminator = dcgan_discriminator((*sides, channels + classes), filters)
        labeled = with_labels(generator, classes), with_labels(discriminator, classes)
        return cls(*labeled, classes, **kwargs)

    def generated(self, use, batch, training):
        """Returns images of the batch's labels."""
        labels = batch["labels"]
        latents = self.normal(use, [keras.ops.shape(labels)[0], self.latent_dim], training)
        return self.generator([latents, labels], training=training)

    def shown(self, images, batch):
        """Returns images with the batch's labels."""
        return [images, batch["labels"]]

    @capability
    def generate(self, latents, labels):
        """Turns latents `[n, latents]` and labels `[n]` into images, uint8."""
        return {"x": self.of_class(latents, labels)}

    def of_class(self, latents, labels):
        """Returns the images of latents and classes."""
        return self.generator([latents, labels], training=False)
