"""Beside a GAN: a generator of latents and of codes, and a network that finds the codes again."""

from typing import Any

import tensorflow as tf

from keras_gen.bases.capabilities import capability
from keras_gen.bases.edges import Labels, Vectors
from keras_gen.bases.generating import Generating


class Coded(Generating):
    """Its generator takes codes beside latents, its discriminator's second output tells them.

    Codes are categories, as one-hot vectors, and then numbers uniform in [-1, 1]. There are
    `sample(n, seed, label=3)` of a category of the first code, `generate(latents, codes)` and
    `recognize(x)`.
    """

    generator: Any
    discriminator_outputs: Any  # of `AdversarialModel`

    def keep_codes(self, generator, discriminator, categories, continuous: int) -> None:
        """Keeps how many codes there are, and names their edges.

        Args:
            generator: From latents `[batch, latents]` and codes `[batch, codes]`.
            discriminator: Its second output holds logits of all categories, means of the numbers,
                and, where it tells these, what their scales are made of.
            categories: Classes of each categorical code.
            continuous: How many codes are numbers.

        Raises:
            ValueError: If there is no categorical code, or a network has another number of inputs
                or outputs for the codes.
        """
        self.categories, self.continuous = tuple(categories), continuous
        self.drawn_codes = len(self.categories) + continuous
        classes = sum(self.categories)
        codes, told = classes + continuous, classes + 2 * continuous
        found = [generator.inputs[1], *discriminator.outputs[1:]]
        shapes = [tuple(tensor.shape[1:]) for tensor in found]
        if not self.categories or shapes not in ([(codes,), (codes,)], [(codes,), (told,)]):
            raise ValueError(
                f"The categories are {self.categories} and there are {continuous} numbers: wanted "
                f"are at least one category, a generator of {codes} codes, and a second output of "
                f"the discriminator of {told}, or of {codes} without scales (see "
                "info_gan_networks)."
            )
        self.edges["codes"] = Vectors((codes,), name="codes")
        self.edges["label"] = Labels(self.categories[0], unknown=True, name="label")

    def codes_of(self, uniform) -> tf.Tensor:
        """Returns codes `[n, codes]` of noise in [0, 1), one number for each code."""
        ones = [
            tf.one_hot(tf.cast(classes * uniform[:, place], tf.int32), classes)
            for place, classes in enumerate(self.categories)
        ]
        return tf.concat([*ones, 2.0 * uniform[:, len(self.categories) :] - 1.0], axis=1)

    @capability
    def generate(self, latents, codes):
        """Turns latents `[n, latents]` and codes `[n, codes]` into images, uint8."""
        return {"x": self.generator([latents, codes], training=False)}

    @capability
    def recognize(self, x):
        """Returns what Q finds: logits of all categories `[n, classes]`, and means of the numbers.

        Args:
            x: Images, as their edge takes them.
            batch_size: Images at once.
        """
        found, classes = self.discriminator_outputs(x, {}, training=False)[1], sum(self.categories)
        logits, means, _ = tf.split(found, [classes, self.continuous, -1], axis=1)
        return {"logits": logits, "means": means}

    def noise(self, n, key):
        """Draws latents and codes."""
        other = tf.random.experimental.stateless_fold_in(key, 1)
        uniform = tf.random.stateless_uniform([n, self.drawn_codes], other)
        return {"latents": super().noise(n, key), "codes": self.codes_of(uniform)}

    def from_noise(self, noise, label=-1):
        """Returns images, whose first code is the label where one is asked for."""
        codes, classes = noise["codes"], self.categories[0]
        first = tf.where(label[:, None] < 0, codes[:, :classes], tf.one_hot(label, classes))
        codes = tf.concat([first, codes[:, classes:]], axis=1)
        return self.generator([noise["latents"], codes], training=False)
