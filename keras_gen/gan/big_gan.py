"""BigGAN (Brock, Donahue, Simonyan 2019)."""

from functools import partial

import keras
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import Player
from keras_gen.core.schedules import Weight
from keras_gen.declared import Named, Steps, made_by
from keras_gen.gan.conditional_gan import ConditionalGAN
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.regularizers import orthogonality
from keras_gen.networks import big_gan_discriminator, big_gan_generator


@keras.saving.register_keras_serializable("keras_gen")
class BigGAN(ConditionalGAN):
    """A conditional GAN with residual networks, attention, and truncated latents.

    Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    ICLR 2019. Both the batches and the networks are large; the networks are `big_gan_generator` and
    `big_gan_discriminator` in `keras_gen.networks`. The loss is the hinge loss. The generator's
    filters are kept nearly orthogonal (sec. 3.1), so that truncated latents still produce images:
    `sample(n, seed, label=3, truncation=0.5)`.

    Deviations: see the networks and `truncate`. The moving average of the generator's weights, with
    a decay of 0.9999 in the paper, is set in the generator's optimizer (`use_ema`).

    Args:
        generator: Network that maps latents `[batch, latents]` and int32 labels `[batch]` to images
            in [-1, 1].
        discriminator: Network that maps images and int32 labels to logits `[batch, ...]`.
        classes: Number of classes.
        objective: Adversarial objective, a name or an object.
        penalty: See `GAN`.
        discriminator_steps: See `GAN`.
        orthogonal_weight: Weight of the orthogonal regularization, a number or a schedule.
        seed: Seed for the latents.

    Raises:
        ValueError: If `orthogonal_weight` is negative; see also `ConditionalGAN`.

    Example:
    ```python
    model = BigGAN.for_images((16, 16, 1), classes=10, latent_dim=6, filters=8)
    model.compile()
    model.fit(np.zeros((8, 16, 16, 1), "uint8"), np.arange(8), batch_size=4)
    sevens = model.sample(9, seed=1, label=7, truncation=0.5)
    ```
    """

    has_dense_networks = False

    objective: Named[Objective] = made_by(adversarial.get, default="hinge")
    discriminator_steps: Steps = 2
    orthogonal_weight: Weight = 1e-4

    @override
    def generator_terms(self, batch):
        """Returns the generator's loss and its filters' deviation from orthogonality, eq. (3)."""
        terms = super().generator_terms(batch)
        return terms | {"orthogonality": orthogonality(self.generator)}

    @override
    def players(self):
        return {
            "d_optimizer": Player([self.discriminator], partial(Adam, 2e-4, beta_1=0.0)),
            "g_optimizer": Player([self.generator], partial(Adam, 5e-5, beta_1=0.0)),
        }

    @override
    def loss_weights(self):
        return super().loss_weights() | {"orthogonality": self.orthogonal_weight}

    # Building --------------------------------------------------------------------------------

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls, shape: tuple, classes: int, latent_dim: int | None = None, filters: int = 64,
        attention: int | None = None, **kwargs,
    ):  # fmt: skip
        """Builds the model with networks that are, by default, a quarter as wide as the paper's.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 16 pixels.
            latent_dim: Number of latent dimensions. If None, the default of `big_gan_generator` is
                used.
            filters: Number of channels in every feature map.
            attention: Side length of the feature maps with self-attention. If None, half the side
                length of the images is used.
            classes: Number of classes.
            **kwargs: Additional arguments for the class.
        """
        side = attention or shape[0] // 2
        generator = big_gan_generator(shape, classes, latent_dim, filters, attention=side)
        discriminator = big_gan_discriminator(shape, classes, filters, attention=side)
        return cls(generator, discriminator, classes, **kwargs)
