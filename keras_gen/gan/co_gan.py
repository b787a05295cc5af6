"""CoGAN (Liu, Tuzel 2016)."""

from typing import cast

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import capability, require_logits
from keras_gen.core.kinds_of_data import Labels
from keras_gen.core.schedules import Weight
from keras_gen.declared import Named, Steps, argument, made_by, network
from keras_gen.gan.gan import GAN, KINDS
from keras_gen.losses import kl_categorical, penalties
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.losses.penalties import Penalty
from keras_gen.networks import co_gan_discriminator, co_gan_generator


@keras.saving.register_keras_serializable("keras_gen")
class CoGAN(GAN):
    """Two GANs for two domains that share layers and generate pairs, but are trained without pairs.

    Liu, Tuzel: "Coupled Generative Adversarial Networks", NeurIPS 2016, eq. (2). Both generators
    receive the same latents. The generators share their first layers, and the discriminators share
    their last layers, so that the two images of a pair differ only in domain-specific ways.

    If the discriminators also classify, as in sec. 4 for domain adaptation, `fit` accepts the
    labels for X as a third array. The discriminators learn the classes from images in X; because of
    the shared layers, `classify` can predict the classes of images in Y.

    A step is a `GAN` step on pairs: first, the discriminators are updated on newly generated pairs;
    then, the generators are updated on other generated pairs.

    Deviations: losses are averaged over the two domains instead of summed. With Adam, averaging and
    summing are equivalent, except that the classification and pair losses have twice the relative
    weight when losses are averaged. In the paper, only the shared layers connect the classes of X
    and Y, and accuracy on Y is at chance level if the first layers of the discriminators differ
    greatly. Here, `pair_weight` adds a loss that requires both images of a generated pair to have
    the same class. Latents are normal, as in `GAN`.

    Args:
        generator: Network that maps float latents `[batch, latents]` to pairs of images in [-1, 1],
            `[batch, 2, height, width, channels]`, with X first
            (`keras_gen.networks.co_gan_generator`).
        discriminator: Network that maps pairs to logits `[batch, 2]` and, for classification, to
            class logits `[batch, 2, classes]` (`keras_gen.networks.co_gan_discriminator`).
        objective: See `GAN`.
        class_weight: Weight of the classification loss relative to the discriminators' loss.
        pair_weight: Weight of the KL divergence from the class probabilities of a generated pair's
            first image to the class probabilities of its second image. The first image's
            probabilities are held constant. A weight of 0, as in the paper, disables this term.
        seed: Seed for the latents.
        **kwargs: Additional arguments for `GAN`, such as `penalty`.

    Raises:
        ValueError: If the networks do not accept and return pairs; see also `GAN`.

    Example:
    ```python
    import tensorflow as tf
    model = CoGAN.for_images((28, 28, 1), classes=10, latent_dim=16, filters=8)
    model.compile()
    digits = negatives = np.zeros((8, 28, 28, 1), "uint8")
    data = tf.data.Dataset.from_tensor_slices((digits, negatives, np.arange(8)))
    model.fit(data.batch(4))
    pairs = model.sample(9, seed=1)
    logits = model.classify(negatives)
    ```
    """

    batch = cast(tuple[str, ...], ("x", "y"))
    critics = 2  # one discriminator output for each domain
    has_dense_networks = False

    discriminator: keras.Model = network("x -> logits ...")  # and possibly class logits
    class_weight: Weight = 1.0
    pair_weight: Weight = 0.0
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None, kw_only=True)
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    # The losses of eq. (2) -------------------------------------------------------------------

    @override
    def real(self, batch):
        """Returns images from both domains, stacked as pairs whose images do not correspond."""
        return tf.stack([batch["x"], batch["y"]], axis=1)

    @override
    def discriminator_terms(self, batch, fake, use):
        if not self.classes:
            return super().discriminator_terms(batch, fake, use)
        real_logits, class_logits = self.discriminate(self.real(batch), batch)
        fake_logits, fake_classes = self.discriminate(fake, batch)
        terms = self.terms_of_logits(real_logits, fake_logits, batch, fake, use)
        terms["class"] = label_cross_entropy(batch["labels"], class_logits[:, 0])
        if self.pair_weight:
            # KL(classes of the first image || classes of the second image).
            of_x = tf.stop_gradient(fake_classes[:, 0])
            terms["pair"] = kl_categorical(of_x, fake_classes[:, 1])
        return terms

    @property
    def classes(self) -> int:
        """Number of classes that the discriminators predict, or 0."""
        outputs = self.discriminator.outputs
        return outputs[1].shape[-1] if len(outputs) > 1 else 0

    @override
    def loss_weights(self):
        weights = super().loss_weights()
        if self.classes:
            weights |= {"class": self.class_weight}
        if self.pair_weight:
            weights |= {"pair": self.pair_weight}
        return weights

    # Use -------------------------------------------------------------------------------------

    @capability
    def classify(self, y):
        """Returns the class logits of images in Y, float32 `[n, classes]`."""
        if not self.classes:
            raise ValueError(
                "This CoGAN has no classes: pass the number of classes to co_gan_discriminator, "
                "and the labels of X to fit."
            )
        _, class_logits = self.discriminator(tf.stack([y, y], axis=1), training=False)
        return {"logits": class_logits[:, 1]}

    @override
    def signatures(self):
        served = super().signatures()
        return {
            name: each for name, each in served.items() if name != "classify" or self.classes
        }

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        require_logits(self.discriminator)
        made = self.generator.output_shape[1:]
        _, *shape = made
        outputs = [tuple(output.shape[1:]) for output in self.discriminator.outputs]
        if made[0] != 2 or outputs not in ([(2,)], [(2,), (2, self.classes)]):
            raise ValueError(
                f"The generator returns {made}, and the discriminator returns {outputs}: expected "
                "a generator that returns pairs of shape (2, ...), and a discriminator that "
                "returns logits of shape (2,) and, optionally, class logits of shape (2, classes)."
            )
        if self.pair_weight and not self.classes:
            raise ValueError(
                f"pair_weight is {self.pair_weight}, but the discriminator has no classes on "
                "which the images of a pair could agree: pass the number of classes to "
                "co_gan_discriminator."
            )
        super().set_up()
        for domain in self.batch:
            self.training_edges[domain] = KINDS[self.data](tuple(shape), name=self.data)
        self.edges["y"] = self.training_edges["y"]
        if self.classes:
            self.batch = ("x", "y", "labels")
            self.edges["labels"] = Labels(self.classes)

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls, shape: tuple, classes: int = 0, latent_dim: int = 100, filters: int = 64, **kwargs
    ):
        """Builds the model with the paper's networks for digits.

        Args:
            shape: `(height, width, channels)` of the images in both domains, with sides of at least
                4 pixels.
            classes: Number of classes to learn from X. With 0, the discriminators do not classify.
            latent_dim: Number of latent dimensions.
            filters: Number of channels in the generators at full resolution. The discriminators
                have a third as many channels.
            **kwargs: Additional arguments for the class.
        """
        discriminator = co_gan_discriminator(shape, classes, max(1, filters // 3), 8 * filters)
        return cls(co_gan_generator(shape, latent_dim, filters), discriminator, **kwargs)
