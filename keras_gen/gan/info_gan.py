"""InfoGAN (Chen et al. 2016)."""

from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.arguments import (
    checked_sizes,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import Player, capability
from keras_gen.core.kinds_of_data import Labels, Vectors
from keras_gen.core.schedules import Weight
from keras_gen.declared import (
    CountFrom0,
    Named,
    Positive,
    Steps,
    argument,
    made_by,
    network,
)
from keras_gen.gan.gan import GAN, VECTOR_OPTIONS
from keras_gen.latents import WIDEST, truncated_normal
from keras_gen.losses import adversarial, code_information, penalties
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.penalties import Penalty
from keras_gen.networks import info_gan_networks, with_codes, with_head


def _checked_categories(name: str, value) -> tuple[int, ...]:
    sizes = checked_sizes(name, value)
    if not sizes:
        raise ValueError(
            f"{name} is empty: expected the number of classes for at least one code."
        )
    return sizes


@keras.saving.register_keras_serializable("keras_gen")
class InfoGAN(GAN):
    """A GAN whose generator receives codes, which another network recovers from the images.

    Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: "InfoGAN: Interpretable Representation
    Learning by Information Maximizing Generative Adversarial Nets", NeurIPS 2016. The codes c are
    one-hot categories and continuous codes that are uniform in [-1, 1]. A network Q, which shares
    all layers except the last ones with the discriminator, predicts the codes of an image: L_I =
    E[log Q(c|x)] + H(c), eq. (5), is a lower bound on the mutual information between codes and
    images. The generator and Q minimize the GAN's loss minus lambda L_I, eq. (6). The metric
    `information` is L_I in nats; for categories, it is at most H(c). `sample(n, seed, label=3)`
    generates images with category 3 of the first code.

    Deviations: Q is trained in the discriminator's step, as in the authors' code. A predicted scale
    is a softplus of at least 0.001, whereas the paper uses an exponential. Latents are normal,
    whereas the paper's latents are uniform. Real and generated images pass through the
    discriminator together, and therefore share batch statistics. With separate passes, as in `GAN`,
    most runs ended in noise, because normalizing a batch of generated images alone amplifies their
    peculiarities.

    Args:
        generator: Network that maps latents `[batch, latents]` and codes `[batch, codes]` to images
            in [-1, 1]. The one-hot categories are the first codes.
        discriminator: Network that maps images to logits `[batch, ...]` and Q's outputs: logits of
            all categories, means of the continuous codes, and, if scales are predicted, the values
            to which the softplus is applied.
        categories: Number of classes of each categorical code, such as `(10,)`.
        continuous: Number of continuous codes.
        weight: Weight lambda of the information about the categorical codes; 1 in the paper (app.
            C).
        continuous_weight: Weight of the information about the continuous codes. The paper
            recommends a value smaller than `weight`.
        scale: Standard deviation of the continuous codes if Q predicts only means, as in the
            authors' code for digits. A predicted scale, as in the paper, rewards precise continuous
            codes, which can crowd out the categories.
        objective: See `GAN`.
        seed: Seed for the latents and the codes.
        **kwargs: Additional arguments for `GAN`, such as `penalty`.

    Raises:
        ValueError: If there is no categorical code, if the networks do not match the codes, or if
            `scale` is not positive; see also `GAN`.

    Example:
    ```python
    model = InfoGAN.for_images((28, 28, 1), latent_dim=16, filters=8)
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1, label=7)
    logits, means = model.recognize(images)
    ```
    """

    generator: keras.Model = network("latents codes -> x")
    discriminator: keras.Model = network("x -> logits q")
    categories: Sequence[int] = argument(check=_checked_categories, kw_only=True)
    continuous: CountFrom0 = argument(kw_only=True)
    weight: Weight = 1.0
    continuous_weight: Weight = 0.1
    scale: Positive = 1.0
    objective: Named[Objective] = made_by(adversarial.get, default="non_saturating", later=True)
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None, kw_only=True)
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    # The losses of eq. (6) -------------------------------------------------------------------

    def coded(self, use, batch) -> dict:
        """Returns the batch, with codes added for the images that will be generated for `use`."""
        count = keras.ops.shape(batch["x"])[0]
        shape = [count, len(self.categories) + self.continuous]
        return batch | {"codes": self.codes_of(self.uniform(f"{use}/codes", shape))}

    def codes_of(self, uniform) -> tf.Tensor:
        """Returns codes `[n, codes]` computed from noise in [0, 1), one number per code."""
        parts = []
        for place, classes in enumerate(self.categories):
            category = tf.cast(classes * uniform[:, place], tf.int32)
            parts.append(tf.one_hot(category, classes))
        parts.append(2.0 * uniform[:, len(self.categories) :] - 1.0)
        return tf.concat(parts, axis=1)

    @override
    def minibatches(self, batch):
        """Returns the batches for the k updates, with codes for the images to be generated."""
        minibatches = enumerate(super().minibatches(batch))
        return [self.coded(f"discriminator {k}", minibatch) for k, minibatch in minibatches]

    @override
    def generated(self, use, batch):
        latents = self.normal(use, [keras.ops.shape(batch["x"])[0], self.latent_dim])
        return self.generator([latents, batch["codes"]], training=self.training)

    def discriminate_together(self, batch, fake):
        """Returns logits of real and generated images, and Q's outputs for generated images."""
        both = keras.ops.concatenate([self.real(batch), fake])
        logits, q = self.discriminate(both, batch)
        count = keras.ops.shape(fake)[0]
        return logits[:count], logits[count:], q[count:]

    @override
    def logits_of_both(self, batch, fake):
        real_logits, fake_logits, _ = self.discriminate_together(batch, fake)
        return [real_logits, fake_logits]

    @override
    def discriminator_terms(self, batch, fake, use):
        real_logits, fake_logits, q = self.discriminate_together(batch, fake)
        terms = self.terms_of_logits(real_logits, fake_logits, batch, fake, use)
        return terms | self.information_terms(batch, q)

    @override
    def generator_terms(self, batch):
        batch = self.coded("generator", batch)
        fake = self.generated("generator", batch)
        real_logits, fake_logits, q = self.discriminate_together(batch, fake)
        loss = self.objective.generator(fake_logits, real_logits)
        return {"adversarial": loss, **self.information_terms(batch, q)}

    def information_terms(self, batch, q):
        """Returns the loss terms that compare Q's outputs with the codes of the batch."""
        return code_information(batch["codes"], q, self.categories, self.scale)

    @override
    def players(self):
        adam = partial(Adam, 1e-3, beta_1=0.5)  # app. C
        return super().players() | {"g_optimizer": Player([self.generator], adam)}

    @override
    def loss_weights(self):
        weights = {"categorical": self.weight, "continuous": self.continuous_weight}
        return super().loss_weights() | weights | {"information": None}

    # Use -------------------------------------------------------------------------------------

    @override
    @capability
    def generate(self, latents, codes):
        """Generates uint8 images from latents `[n, latents]` and codes `[n, codes]`."""
        return {"x": self.generator([latents, codes], training=False)}

    @capability
    def recognize(self, x):
        """Returns Q's category logits, `[n, classes]`, and its means of the continuous codes."""
        _, found = self.discriminator(x, training=False)  # without augmentation
        logits, means, _ = tf.split(found, [sum(self.categories), self.continuous, -1], axis=1)
        return {"logits": logits, "means": means}

    @override
    def noise(self, n, key):
        return {"latents": super().noise(n, key), "codes": self._sampled_codes(n, key)}

    @override
    def drawn_labels(self, n, key, classes):
        first = self._sampled_codes(n, key)[:, :classes]
        return tf.argmax(first, axis=1, output_type=tf.int32)

    def _sampled_codes(self, n, key):
        other = tf.random.experimental.stateless_fold_in(key, 1)
        count = len(self.categories) + self.continuous
        return self.codes_of(tf.random.stateless_uniform([n, count], other))

    @override
    def from_noise(self, noise, label=-1, truncation=WIDEST):
        """Returns images; the label is the category of the first code."""
        classes = self.categories[0]
        codes = tf.concat([tf.one_hot(label, classes), noise["codes"][:, classes:]], axis=1)
        latents = truncated_normal(noise["latents"], truncation)
        return self.generator([latents, codes], training=False)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        codes = sum(self.categories) + self.continuous
        taken = self.generator.inputs[1].shape[1]
        predicted = self.discriminator.outputs[1].shape[1]
        if taken != codes or predicted not in (codes, codes + self.continuous):
            raise ValueError(
                f"The generator accepts {taken} codes, and the discriminator's second output "
                f"has {predicted} numbers: expected {codes} codes for "
                f"categories={self.categories} and {self.continuous} continuous codes, and "
                f"{codes} outputs (or {codes + self.continuous}, if the scales of the "
                "continuous codes are predicted). Build both networks with info_gan_networks."
            )
        self.edges["codes"] = Vectors((codes,), name="codes")
        self.edges["label"] = Labels(self.categories[0], unknown=True, name="label")

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls,
        shape: tuple,
        latent_dim: int = 62,
        filters: int = 64,
        categories: Sequence[int] = (10,),
        continuous: CountFrom0 = 2,
        scales: bool = True,
        **kwargs,
    ):
        """Builds the model with the paper's networks for digits.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 4 pixels.
            latent_dim: Number of latent dimensions, not counting the codes.
            filters: Number of channels at full resolution.
            categories: See the class.
            continuous: See the class.
            scales: Whether Q predicts the scales of the continuous codes.
            **kwargs: Additional arguments for the class.
        """
        sizes = shape, latent_dim, sum(categories), continuous, filters
        return cls(*info_gan_networks(*sizes, scales=scales), categories, continuous, **kwargs)

    @override
    @classmethod
    @checked_arguments(axes=None)
    def for_vectors(
        cls,
        shape: int | tuple,
        latent_dim: int = 8,
        hidden: tuple[int, ...] = (64, 64),
        categories: Sequence[int] = (10,),
        continuous: CountFrom0 = 2,
        scales: bool = True,
        **kwargs,
    ):
        """Builds the model for rows or series, with dense networks; see `for_images` and `GAN`."""
        codes = sum(categories) + continuous
        generator, critic = cls.dense_networks(latent_dim + codes, shape, shape, hidden)
        outputs = codes + scales * continuous
        networks = with_codes(generator, codes), with_head(critic, outputs, "codes")
        return cls(*networks, categories, continuous, **VECTOR_OPTIONS | kwargs)
