"""GANs with an auxiliary classifier (Odena, Olah, Shlens 2017)."""

import keras
from typing_extensions import override

from keras_gen.gan.conditional import ConditionalGAN
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.networks import dcgan_generator, info_gan_discriminator, with_head, with_labels


@keras.saving.register_keras_serializable("keras_gen")
class ACGAN(ConditionalGAN):
    """The discriminator has to find the class, and the generator to make it visible.

    Odena, Olah, Shlens: "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017,
    sec. 3. The discriminator maximizes L_S + L_C, the generator L_C - L_S: L_S, eq. (2), is the
    log-likelihood of the right source, L_C, eq. (3), that of the right class, of real and of
    generated images. `real_class_loss` and `fake_class_loss` are the two parts of -L_C in nats.

    Deviations: the generator's part of L_S has the form of the objective, by default the
    non-saturating one. Else as `GAN`.

    Args:
        generator: Latents `[batch, latents]` and int32 labels `[batch]` to images in [-1, 1].
        discriminator: Images to logits `[batch, ...]` of the source and `[batch, classes]` of the
            class.
        classes: Number of classes.
        objective: Adversarial objective, a name or an object.
        seed: Seed of the latents.
        **kwargs: Further arguments of `GAN`, such as `penalty`.

    Raises:
        ValueError: As `ConditionalGAN`; if the discriminator has other outputs.

    Example:
    ```python
    from keras_gen.networks import (
        info_gan_discriminator, info_gan_generator, with_head, with_labels
    )

    generator = with_labels(info_gan_generator((28, 28, 1), 16 + 10, filters=8), 10)
    discriminator = with_head(info_gan_discriminator((28, 28, 1), filters=8), 10, "classes")
    model = ACGAN(generator, discriminator, classes=10)
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), np.arange(8), batch_size=4)
    sevens = model.sample(9, seed=1, label=7)
    ```
    """

    inputs_of_networks = (2, 1)

    def __init__(
        self, generator, discriminator, classes: int, objective="non_saturating", seed: int = 0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(generator, discriminator, classes, objective, seed=seed, **kwargs)
        shapes = [tuple(output.shape[1:]) for output in discriminator.outputs]
        if shapes[1:] != [(classes,)]:
            raise ValueError(
                f"The discriminator's outputs have shapes {shapes}: expected the logits of the "
                f"source and those of {classes} classes (keras_gen.networks.with_head)."
            )

    @override
    @classmethod
    def for_images(  # type: ignore[override]
        cls, shape: tuple, classes: int, latent_dim: int = 100, filters: int = 64, **kwargs
    ):
        """Builds the model with DCGAN's generator and InfoGAN's discriminator, which has a head.

        Args:
            shape: `(side, side, channels)` of the images, the side a power of two of at least 8.
            classes: Number of classes.
            latent_dim: Dimensions of the latents.
            filters: Channels where the images are largest.
            **kwargs: Further arguments of the class.

        Example: `ACGAN.for_images((32, 32, 1), classes=10)`.
        """
        generator = with_labels(dcgan_generator(shape, latent_dim + classes, filters), classes)
        discriminator = with_head(info_gan_discriminator(shape, filters), classes, "classes")
        return cls(generator, discriminator, classes, **kwargs)

    @override
    def shown(self, images, batch):
        """Returns the images alone."""
        return images

    @override
    def loss_weights(self):
        return super().loss_weights() | {"real_class": 1.0, "fake_class": 1.0}

    @override
    def discriminator_terms(self, batch, fake, use, training):
        """Returns -L_S and -L_C, eq. (2) and (3)."""
        real_logits, real_classes = self.discriminate(self.real(batch), batch, training)
        fake_logits, fake_classes = self.discriminate(fake, batch, training)
        terms = self.terms_of_logits(real_logits, fake_logits, batch, fake, use, training)
        return terms | {
            "real_class": label_cross_entropy(batch["labels"], real_classes),
            "fake_class": label_cross_entropy(batch["labels"], fake_classes),
        }

    @override
    def generator_terms(self, batch, training):
        """Returns the terms of L_S - L_C that depend on the generator."""
        fake = self.generated("generator", batch, training)
        fake_logits, fake_classes = self.discriminate(fake, batch, training)
        real_logits = None
        if self.objective.compares:
            real_logits, _ = self.discriminate(self.real(batch), batch, training)
        return {
            "adversarial": self.objective.generator(fake_logits, real_logits),
            "fake_class": label_cross_entropy(batch["labels"], fake_classes),
        }
