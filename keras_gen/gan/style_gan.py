"""StyleGAN (Karras, Laine, Aila 2019; Karras et al. 2020)."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import (
    Player,
    batch_mean,
    capability,
    stateless,
)
from keras_gen.core.kinds_of_data import Number, Vectors
from keras_gen.core.schedules import Weight
from keras_gen.declared import (
    CountFrom0,
    Fraction,
    Named,
    PositiveInteger,
    Steps,
    argument,
    made_by,
    network,
)
from keras_gen.gan.gan import GAN
from keras_gen.keras_internals import put_first
from keras_gen.latents import WIDEST, truncated_normal
from keras_gen.losses import R1, path_lengths, penalties
from keras_gen.losses.penalties import Penalty
from keras_gen.losses.regularizers import lazily
from keras_gen.networks import style_discriminator, style_generator, style_mapping

# Weight of the latest batch in the running means.
MEAN_STYLE = 0.005
MEAN_PATH = 0.01


@keras.saving.register_keras_serializable("keras_gen")
class StyleGAN(GAN):
    """A GAN whose latents are mapped to styles, which control every layer; noise adds the details.

    Karras, Laine, Aila: "A Style-Based Generator Architecture for Generative Adversarial Networks",
    CVPR 2019; and Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: "Analyzing and Improving the
    Image Quality of StyleGAN", CVPR 2020. The mapping network turns latents into styles w. During
    training, some images use one style up to a random layer and a second style after it (2019, sec.
    3.1). `sample(n, psi=0.7)` moves styles toward their mean (2019, appendix B). The generator's
    loss includes path length regularization (2020, eq. 4), and the discriminator's loss includes
    R1; both are computed every few steps with proportionally larger weights (2020, sec. 3.1).

    Deviations: as in 2020, there is no progressive growing. Regularizers are terms of the losses
    instead of separate steps, so Adam's hyperparameters need no correction. Path lengths are
    computed on the whole batch instead of half of it. The layer at which styles are mixed is chosen
    for each image instead of each batch. The mean style is computed from newly sampled latents.

    Args:
        mapping: Network that maps latents `[batch, latents]` to styles `[batch, style]`; see
            `style_mapping`.
        generator: Network that maps styles `[batch, layers, style]` and noise `[batch, numbers]` to
            images in [-1, 1]; see `style_generator`. The `styling` argument of that function
            selects the paper.
        discriminator: Network that maps images to logits; see `style_discriminator`.
        objective: Adversarial objective, a name or an object.
        penalty: See `GAN`.
        mixing: Probability that an image uses two styles.
        path_weight: Weight of the path length regularization, a number or a schedule.
        path_every: Interval, in steps, at which the regularization is computed. In all other steps,
            the metric `path_length` is the running mean.
        seed: Seed for the latents and the noise.

    Raises:
        ValueError: If the networks do not match, if `mixing` is not a probability, if `path_weight`
            is negative, if `path_every` is below 1, or if the penalty is not suitable for the
            discriminator. `sample` raises a ValueError if `psi` is not in [-1, 1].

    Example:
    ```python
    model = StyleGAN.for_images((16, 16, 1), latent_dim=8, filters=8)
    model.compile()
    model.fit(np.zeros((8, 16, 16, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1, psi=0.7)
    ```
    """

    has_dense_networks = False

    mapping: keras.Model = network("latents -> style", kw_only=True)
    generator: keras.Model = network("styles pixels -> x", later=True)
    discriminator: keras.Model = network("x -> logits", later=True)
    penalty: Named[Penalty | None] = made_by(penalties.get, default=R1(10.0, every=16))
    mixing: Fraction = 0.9
    path_weight: Weight = 2.0
    path_every: PositiveInteger = 8
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    # The step --------------------------------------------------------------------------------

    @override
    def train_step(self, data):
        """Updates the discriminator, then the generator and mapping, then the running means."""
        losses = super().train_step(data)
        if self.training:
            with tf.control_dependencies([losses["g_loss"]]):
                self._move_means(losses["path_length"])
        return losses

    def sampled_noise(self, use, n):
        """Returns two latent vectors per image, the layer at which the style changes, and noise."""
        latents = self.normal(f"{use}/latents", [n, 2, self.latent_dim])
        mixed = self.uniform(f"{use}/mixing", [n, 2])
        return latents, mixed, self.normal(f"{use}/noise", [n, self.pixels])

    def styled(self, latents, mixed):
        """Returns styles `[n, layers, style]` for results of `sampled_noise` (2019, sec. 3.1)."""
        styles = self.mapping(tf.reshape(latents, [-1, self.latent_dim]), training=self.training)
        places = 1 + tf.floor(mixed[:, 1] * (self.layers_of_style - 1))
        ends = tf.where(mixed[:, 0] < self.mixing, places, self.layers_of_style)
        first = tf.range(self.layers_of_style, dtype=tf.float32) < ends[:, None]
        return tf.where(first[..., None], styles[::2, None], styles[1::2, None])

    @override
    def generated(self, use, batch):
        *styles, noise = self.sampled_noise(use, keras.ops.shape(batch["x"])[0])
        return self.generator([self.styled(*styles), noise], training=self.training)

    @override
    def generator_terms(self, batch):
        """Returns the terms of the generator's loss, including path length regularization."""
        n = keras.ops.shape(batch["x"])[0]
        every = self.path_every if self.training else 1
        *styles, noise = self.sampled_noise("path", n)
        directions = self.normal("directions", [n, *self.edges["x"].shape])

        def compute():
            def generate(styles):
                with stateless():
                    return self.generator([styles, noise], training=self.training)

            lengths = path_lengths(generate, self.styled(*styles), directions)
            return (lengths - self.mean_path.value) / every

        # In steps that do not compute the penalty, the term is 0, so neither the loss nor the mean
        # changes.
        deviation = lazily(every, self.step.value, n, compute)
        path = {"path": every * deviation**2, "path_length": self.mean_path.value + deviation}
        return super().generator_terms(batch) | path

    def _move_means(self, path_lengths):
        """Updates the mean style and the mean path length (a in eq. (4))."""
        self.mean_path.assign_add(MEAN_PATH * (batch_mean(path_lengths) - self.mean_path.value))
        n = keras.ops.shape(path_lengths)[0]
        latents = self.normal("mean style", [n, self.latent_dim])
        style = batch_mean(self.mapping(latents, training=False))
        self.mean_style.assign_add(MEAN_STYLE * (style - self.mean_style.value))

    @override
    def players(self):
        networks = [self.mapping, self.generator]
        return super().players() | {"g_optimizer": Player(networks, self.default_optimizer)}

    @override
    def default_optimizer(self):
        return keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)

    @override
    def loss_weights(self):
        return super().loss_weights() | {"path": self.path_weight, "path_length": None}

    # Use -------------------------------------------------------------------------------------

    @override
    def noise(self, n, key):
        both = tf.random.stateless_normal([n, self.latent_dim + self.pixels], key)
        return {"latents": both[:, : self.latent_dim], "pixels": both[:, self.latent_dim :]}

    def from_noise(self, noise, psi=1.0, truncation=WIDEST):
        """Returns the images for latents and noise.

        Args:
            noise: Return value of `noise`.
            psi: Factor in [-1, 1] applied to the difference between each style and the mean style
                (2019, appendix B).
            truncation: Maximum absolute value of a latent, in standard deviations.
        """
        latents = truncated_normal(noise["latents"], truncation)
        styles = self.mapping(latents, training=False)
        styles = (1.0 - psi) * self.mean_style.value + psi * styles
        return self.generator([self._everywhere(styles), noise["pixels"]], training=False)

    @override
    def call(self, latents, training=False):
        """Returns images in [-1, 1] for latents `[batch, latents]`, with fixed noise."""
        return self.from_style(self.mapping(latents, training=training))

    def from_style(self, style):
        """Returns images in [-1, 1] for styles `[batch, style]`, each used in all layers."""
        return self._synthesized(self._everywhere(style))

    @capability
    def generate(self, latents):
        """Generates uint8 images from latents `[n, latents]`, with fixed noise."""
        return {"x": self.call(latents)}

    @capability
    def style(self, latents):
        """Returns the styles of latents `[n, latents]` for all layers, `[n, layers, style]`."""
        return {"styles": self._everywhere(self.mapping(latents, training=False))}

    @capability
    def synthesize(self, styles):
        """Generates uint8 images from styles `[n, layers, style]`, coarse layers first."""
        return {"x": self._synthesized(styles)}

    def _everywhere(self, styles):
        return tf.repeat(styles[:, None], self.layers_of_style, axis=1)

    def _synthesized(self, styles):
        noise = np.random.default_rng(0).normal(size=(1, self.pixels)).astype("float32")
        noise = tf.repeat(tf.constant(noise), keras.ops.shape(styles)[0], axis=0)
        return self.generator([styles, noise], training=False)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        put_first(self, self.generator, self.discriminator, self.mapping)
        super().set_up()
        styles, pixels = self.generator.inputs
        self.layers_of_style, dim = styles.shape[1:]
        self.pixels = pixels.shape[1]
        if self.mapping.output_shape != (None, dim):
            raise ValueError(
                f"The mapping returns styles of shape {self.mapping.output_shape}, but the "
                f"generator accepts styles of {dim} numbers: expected [batch, {dim}]."
            )
        self.edges["styles"] = Vectors((self.layers_of_style, dim), "styles")
        self.edges["psi"] = Number(-1.0, 1.0, "psi")
        state = dict(initializer="zeros", trainable=False, aggregation="only_first_replica")
        self.mean_style = self.add_weight(name="mean_style", shape=(dim,), **state)
        self.mean_path = self.add_weight(name="mean_path", shape=(), **state)

    @property
    @override
    def latent_network(self):
        return self.mapping

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, latent_dim: int = 512, filters: int = 512, width: int = 16_384,
        styling: str = "modulated", depth: CountFrom0 = 8, **kwargs,
    ):  # fmt: skip
        """Builds the model with the paper's networks; see `style_generator` and `style_mapping`.

        Args:
            shape: `(side, side, channels)` of the images; the side is a power of two, at least 8.
            latent_dim: Number of latent dimensions, which is also the size of the styles.
            filters: See `style_generator`.
            width: See `style_generator`.
            styling: See `style_generator`.
            depth: See `style_mapping`.
            **kwargs: Additional arguments for the class.
        """
        mapping = style_mapping(latent_dim, latent_dim, depth)
        generator = style_generator(shape, latent_dim, filters, width, styling)
        return cls(mapping, generator, style_discriminator(shape, filters, width), **kwargs)
