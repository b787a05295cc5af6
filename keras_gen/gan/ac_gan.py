"""GANs with an auxiliary classifier (Odena, Olah, Shlens 2017)."""

import keras
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import Named, Steps, argument, made_by, network
from keras_gen.gan.conditional_gan import ConditionalGAN
from keras_gen.gan.gan import VECTOR_OPTIONS
from keras_gen.losses import penalties
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.losses.penalties import Penalty
from keras_gen.networks import dcgan_generator, info_gan_discriminator, with_head, with_labels


@keras.saving.register_keras_serializable("keras_gen")
class ACGAN(ConditionalGAN):
    """A GAN whose discriminator also classifies real and generated images.

    Odena, Olah, Shlens: "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017,
    sec. 3. The discriminator maximizes L_S + L_C, and the generator maximizes L_C - L_S. L_S, eq.
    (2), is the log-likelihood of the correct source (real or generated), and L_C, eq. (3), is the
    log-likelihood of the correct class, for both real and generated images. The metrics
    `real_class_loss` and `fake_class_loss` are the two parts of -L_C, in nats.

    Deviations: the objective determines which form of L_S the generator uses; the default is the
    non-saturating loss. See also `GAN`.

    Args:
        generator: Network that maps latents `[batch, latents]` and int32 labels `[batch]` to images
            in [-1, 1].
        discriminator: Network that maps images to source logits `[batch, ...]` and class logits
            `[batch, classes]`.
        classes: Number of classes.
        objective: Adversarial objective, a name or an object.
        seed: Seed for the latents.
        **kwargs: Additional arguments for `GAN`, such as `penalty`.

    Raises:
        ValueError: If the discriminator does not return source logits and logits of `classes`
            classes; see also `ConditionalGAN`.

    Example:
    ```python
    model = ACGAN.for_images((32, 32, 1), classes=10, latent_dim=16, filters=8)
    model.compile()
    model.fit(np.zeros((8, 32, 32, 1), "uint8"), np.arange(8), batch_size=4)
    sevens = model.sample(9, seed=1, label=7)
    ```
    """

    discriminator: keras.Model = network("x -> logits class_logits")
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None, kw_only=True)
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    @override
    def discriminator_inputs(self, images, batch):
        return images

    @override
    def discriminator_terms(self, batch, fake, use):
        real_logits, real_classes = self.discriminate(self.real(batch), batch)
        fake_logits, fake_classes = self.discriminate(fake, batch)
        terms = self.terms_of_logits(real_logits, fake_logits, batch, fake, use)
        return terms | {
            "real_class": label_cross_entropy(batch["labels"], real_classes),
            "fake_class": label_cross_entropy(batch["labels"], fake_classes),
        }

    @override
    def generator_terms(self, batch):
        fake = self.generated("generator", batch)
        fake_logits, fake_classes = self.discriminate(fake, batch)
        real_logits = None
        if self.objective.compares:
            real_logits = self.logits_of(self.real(batch), batch)
        return {
            "adversarial": self.objective.generator(fake_logits, real_logits),
            "fake_class": label_cross_entropy(batch["labels"], fake_classes),
        }

    @override
    def loss_weights(self):
        return super().loss_weights() | {"real_class": 1.0, "fake_class": 1.0}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        outputs = tuple(self.discriminator.outputs[1].shape[1:])
        if outputs != (self.classes,):
            raise ValueError(
                f"The discriminator's second output has shape {outputs}: expected the logits of "
                f"{self.classes} classes. Add them with keras_gen.networks.with_head."
            )

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls, shape: tuple, classes: int, latent_dim: int = 100, filters: int = 64, **kwargs
    ):
        """Builds the model with the networks of DCGAN and InfoGAN; see `GAN.for_images`."""
        generator = with_labels(dcgan_generator(shape, latent_dim + classes, filters), classes)
        discriminator = with_head(info_gan_discriminator(shape, filters), classes, "classes")
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
        generator, critic = cls.dense_networks(latent_dim + classes, shape, shape, hidden)
        generator = with_labels(generator, classes)
        critic = with_head(critic, classes, "classes")
        return cls(generator, critic, classes, **VECTOR_OPTIONS | kwargs)
