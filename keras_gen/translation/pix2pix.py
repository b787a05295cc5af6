"""pix2pix (Isola, Zhu, Zhou, Efros 2017)."""

from functools import partial

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import Player
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.schedules import Weight
from keras_gen.declared import network
from keras_gen.losses.per_example import l1
from keras_gen.networks import patch_discriminator, unet_generator
from keras_gen.translation.predictor import AdversarialPredictor
from keras_gen.translation.translator import (
    Domains,
    Translator,
    any_size,
    require_translation,
)


@keras.saving.register_keras_serializable("keras_gen")
class Pix2Pix(Translator, AdversarialPredictor):
    """Translation learned from pairs, with a conditional GAN and the L1 distance.

    Isola, Zhu, Zhou, Efros: "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017. G minimizes eq. (4), the adversarial loss of eq. (1) plus lambda times the L1
    distance of eq. (3). The discriminator sees the source concatenated with either the target or
    G's prediction of the target.

    With the L1 distance alone, G predicts the median of the possible targets, which is gray where
    many targets are possible. To see this, train without a discriminator. With a discriminator that
    does not see the source, as in eq. (2), a translation need not match its source.

    Deviations: G is updated before the discriminator, which saves one pass.

    Args:
        generator: Network G, which maps float images of the source domain in [-1, 1] to images of
            the target domain with the same height and width.
        discriminator: Network D, which maps the source and the target, concatenated along the
            channels, to logits of any shape. If it accepts only the target's channels, it sees only
            the target, as in eq. (2). If None, only the L1 distance is used.
        objective: Adversarial objective, a name or an object. By default, G's loss is
            non-saturating (sec. 3.3).
        l1_weight: Weight of the L1 distance, lambda in eq. (4); 100 in the paper.
        domains: Names of the source and target domains, used to name the direction and the served
            signature.
        seed: Seed for all randomness in training steps.

    Raises:
        ValueError: If the networks do not match, if the domains share a name, or if `l1_weight` is
            negative.

    Example:
    ```python
    from keras_gen.networks import patch_discriminator, unet_generator
    model = Pix2Pix(
        unet_generator((32, 32, 1), channels=3, filters=8),
        patch_discriminator((32, 32, 4), filters=8),
        domains=("edges", "photo"),
    )
    model.compile()
    edges, photos = np.zeros((8, 32, 32, 1), "uint8"), np.zeros((8, 32, 32, 3), "uint8")
    model.fit(edges, photos, batch_size=1)
    one, another = model.translate(edges, seed=1), model.translate(edges, seed=2)
    ```
    """

    batch = ("x", "y")

    generator: keras.Model = network("x -> y", kw_only=True)
    l1_weight: Weight = 100.0
    domains: Domains = ("source", "target")

    @override
    def train_step(self, data):
        """Updates G, and then updates D on the images that G returned before its update."""
        batch = self.prepare_batch(data)
        x, y = batch["x"], batch["y"]

        def generator_loss():
            fake = any_size(self.generator, x, self.training)
            terms = {"l1": l1(fake, y)}  # eq. (3)
            if self.discriminator:
                terms["adversarial"] = self.objective.generator(self.judged(x, fake))  # eq. (1)
            return self.weighted(terms), terms, fake

        g_loss, terms, fake = self.minimize(generator_loss, "g_optimizer")
        if not self.discriminator:
            return self.report(terms, g_loss=g_loss)

        def discriminator_loss():
            # Halved, as in the paper (sec. 3.3), to slow D down relative to G.
            return 0.5 * self.objective.discriminator(self.judged(x, y), self.judged(x, fake))

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    def judged(self, source, images):
        """Returns D's logits for images, given their sources if D accepts them."""
        if self.discriminator.input_shape[-1] != images.shape[-1]:
            images = tf.concat([source, tf.cast(images, tf.float32)], axis=-1)
        return self.discriminator(images, training=self.training)

    @override
    def predictors(self):
        return Player([self.generator], partial(keras.optimizers.Adam, 2e-4, beta_1=0.5))

    @override
    def loss_weights(self):
        adversarial = {"adversarial": 1.0} if self.discriminator else {}
        return adversarial | {"l1": self.l1_weight}

    # Use -------------------------------------------------------------------------------------

    @override
    def directions(self) -> dict:
        """Returns G, named after the domains, such as `label_to_photo`."""
        source, target = self.domains
        return {f"{source}_to_{target}": self.generator}

    @override
    def call(self, images, training=False):
        return self.generator(images, training=training)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        source = self.generator.input_shape[1:]
        target = self.generator.output_shape[1:]
        require_translation(source, (None, None, target[-1]), self.generator)
        both = source[-1] + target[-1]
        if self.discriminator:
            seen = self.discriminator.input_shape[-1]
            if seen not in (both, target[-1]):
                raise ValueError(
                    f"The discriminator accepts {seen} channels: expected {both} for source and "
                    f"target, or {target[-1]} for the target alone."
                )
        self.edges["x"] = Images(source)
        self.edges["y"] = Images(target, name="targets")

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, channels: int | None = None, filters: int = 64,
        noise: str = "dropout", **kwargs,
    ):  # fmt: skip
        """Builds the model with the paper's networks.

        Args:
            shape: `(height, width, channels)` of the source, with even sides of at least 6 pixels.
                For images below 24 pixels, the discriminator has fewer strided layers.
            channels: Number of channels of the target. If None, the number of channels of the
                source is used.
            filters: Number of channels in the first layers.
            noise: Type of randomness in the generator; see `unet_generator`.
            **kwargs: Additional arguments for the class.
        """
        channels = channels or shape[-1]
        generator = unet_generator(shape, channels, filters, noise)
        seen = (*shape[:2], shape[-1] + channels)
        return cls(generator, patch_discriminator(seen, filters), **kwargs)
