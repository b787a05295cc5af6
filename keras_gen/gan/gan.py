"""Generative adversarial networks (Goodfellow et al. 2014)."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.arguments import (
    checked_size,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import (
    GenerativeModel,
    Player,
    capability,
    for_users,
    parts,
    require_latents,
    require_range,
    sample,
    stateless,
)
from keras_gen.core.kinds_of_data import Images, Number, Vectors
from keras_gen.declared import Named, Steps, argument, made_by, network
from keras_gen.latents import (
    WIDEST,
    draw_latents,
    interpolate_latents,
    latent_arithmetic,
    truncate,
    truncated_normal,
)
from keras_gen.layers.differentiable_augmentations import augment, check_augmentations
from keras_gen.losses import adversarial, penalties
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.penalties import Penalty
from keras_gen.losses.per_example import per_example_mean
from keras_gen.losses.regularizers import lazily
from keras_gen.networks import dcgan_discriminator, dcgan_generator, mlp_decoder, mlp_encoder

ACCURACIES = ("real_accuracy", "fake_accuracy")
KINDS = {"images": Images, "vectors": Vectors}
VECTOR_OPTIONS: dict[str, Any] = {"data": "vectors", "standardize": True}  # for `for_vectors`


@keras.saving.register_keras_serializable("keras_gen")
class GAN(GenerativeModel):
    """A generative adversarial network with one generator and one discriminator.

    Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, algorithm 1. With the networks
    in `keras_gen.networks.gan.dcgan`, the model is the DCGAN of Radford, Metz, Chintala, ICLR 2016.

    Deviations: the generator's default objective is the non-saturating loss of sec. 3, and the
    default optimizer is DCGAN's Adam instead of momentum SGD. As in the DCGAN authors' code, real
    and generated images pass through the discriminator separately, so batch normalization, which
    algorithm 1 does not use, never mixes real and generated images. `evaluate` uses every held-out
    example for both networks, even if k is above 1. Within a step, real and generated images
    receive the same random `augmentation`.

    A variant declares the shapes of its networks and overrides only the methods that differ: the
    generated examples (`generated`), the real examples (`real`), the discriminator's inputs
    (`discriminator_inputs`) or its logits (`discriminate`), or the terms of both losses. A loss is
    the sum of its terms, each multiplied by its weight in `loss_weights`. A term without a weight
    has the weight 1, and a term with the weight None is only reported. The penalty includes its own
    weight.

    Args:
        generator: Network that maps float latents `[batch, latents]` to images in [-1, 1].
        discriminator: Network that maps images to logits of any shape `[batch, ...]`.
        objective: Adversarial objective, a name or an object. `"minimax"` is eq. (1), and
            `"non_saturating"` is the loss recommended in sec. 3.
        penalty: Penalty added to the discriminator's loss: None, `"gradient"` for the penalty of
            WGAN-GP, or an object.
        discriminator_steps: Number of discriminator updates per training step, k in algorithm 1. In
            `fit`, each batch is divided into k minibatches of equal size, each with every k-th
            example. The generator's update uses as many latents as one minibatch has examples.
        seed: Seed for the latents.
        data: Type of the examples: `"images"`, or `"vectors"` of unscaled finite numbers.
        augmentation: Random transformations applied to the discriminator's images, real and
            generated: `"color"`, `"translation"`, `"cutout"`, and `"affine"`
            (`layers.differentiable_augmentations`).
        latent_dim: Number of latent dimensions, determined from the generator.

    Raises:
        ValueError: If the networks do not match, if k is below 1, if the penalty is not suitable
            for the discriminator, or if `data` or an augmentation is unknown.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator
    shape = (32, 32, 1)
    model = GAN(dcgan_generator(shape, 16, filters=8), dcgan_discriminator(shape, filters=8))
    model.compile()
    model.fit(np.zeros((8, *shape), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    default_signature = "sample"
    published_steps = (6000, 14_000)
    predicts = "generate"
    totals = ("d_loss", "g_loss")
    critics = 1  # number of logits (columns) that `discriminate` returns for each example

    generator: keras.Model = network("latents -> x")
    discriminator: keras.Model = network("x -> logits")
    objective: Named[Objective] = made_by(adversarial.get, default="non_saturating")
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None)
    discriminator_steps: Steps = 1
    data: Literal["images", "vectors"] = argument(default="images", kw_only=True)
    augmentation: Sequence[str] = made_by(check_augmentations, default=(), kw_only=True)
    latent_dim: int = argument(check=checked_size, default=None, kw_only=True)

    # Algorithm 1 -----------------------------------------------------------------------------

    @override
    def train_step(self, data):
        """Updates the discriminator k times, and then the generator once (algorithm 1).

        The reported terms of the discriminator's loss are from the last update.
        """
        batch = self.prepare_batch(data)
        minibatches = self.minibatches(batch)
        for i, minibatch in enumerate(minibatches):
            use = f"discriminator {i}"  # names the noise of this update
            # This loss has no gradient with respect to the generator, so the generator's pass is
            # not recorded.
            fake = self.generated(use, minibatch)
            d_loss, d_terms = self.update_discriminator(minibatch, fake, use)

        def generator_loss():
            # The minibatch determines the number of latents and contains the conditions, if there
            # are any.
            terms = self.generator_terms(minibatches[-1])
            return self.weighted(terms), terms

        g_loss, g_terms = self.minimize(generator_loss, "g_optimizer")
        return self.report(d_terms | g_terms, d_loss=d_loss, g_loss=g_loss)

    def update_discriminator(self, batch: dict, fake, use: str) -> tuple:
        """Updates the discriminator on a batch and on `fake`; returns the loss and its terms."""

        def discriminator_loss():
            terms = self.discriminator_terms(batch, fake, use)
            return self.weighted(terms), terms

        return self.minimize(discriminator_loss, "d_optimizer")

    def minibatches(self, batch: dict) -> list[dict]:
        """Returns the batches for the k updates, all of equal size."""
        k = self.discriminator_steps if self.training else 1
        if k == 1:
            return [batch]
        divided = {name: parts(values, k) for name, values in batch.items()}
        return [{name: each[i] for name, each in divided.items()} for i in range(k)]

    def generated(self, use: str, batch: dict):
        """Returns generated examples; within a step, calls with the same `use` share the noise."""
        latents = self.normal(use, [keras.ops.shape(batch["x"])[0], self.latent_dim])
        return self.generator(latents, training=self.training)

    # The discriminator's inputs --------------------------------------------------------------

    def real(self, batch: dict):
        """Returns the real examples of a batch."""
        return batch["x"]

    def discriminator_inputs(self, images, batch: dict):
        """Returns the discriminator's inputs: images alone, or a list of images and conditions."""
        return images

    def discriminate(self, images, batch: dict, keep_state: bool = False, network=None):
        """Returns the discriminator's logits, or a list of all outputs if it has additional heads.

        With `keep_state`, moving statistics do not change. If `network` is given, this network,
        such as a part of the discriminator, replaces the discriminator.
        """
        network = network or self.discriminator
        inputs = self.discriminator_inputs(images, batch)
        if self.augmentation:
            inputs = self.augmented(inputs)
        if keep_state:
            with stateless():
                return network(inputs, training=self.training)
        return network(inputs, training=self.training)

    def logits_of_both(self, batch: dict, fake) -> list:
        """Returns the logits of real and generated examples, without the outputs of other heads."""
        return [self.logits_of(each, batch) for each in (self.real(batch), fake)]

    def logits_of(self, images, batch: dict, keep_state: bool = False):
        """Returns the logits from `discriminate`, without the outputs of additional heads."""
        outputs = self.discriminate(images, batch, keep_state=keep_state)
        return outputs[0] if isinstance(outputs, list) else outputs

    def augmented(self, inputs):
        """Returns the randomly augmented inputs of the discriminator: images and extra channels."""

        def uniform(use, shape):
            return self.uniform(f"augmentation/{use}", shape)

        if isinstance(inputs, list):
            images, *conditions = inputs
            return [augment(images, self.augmentation, uniform), *conditions]
        return augment(inputs, self.augmentation, uniform)

    # Terms of the losses ---------------------------------------------------------------------

    def discriminator_terms(self, batch: dict, fake, use: str) -> dict:
        """Returns the terms of the discriminator's loss, and its accuracy, each `[batch]`.

        `fake` contains examples generated for `use`, a name that also identifies the noise in
        penalties.
        """
        real_logits = self.discriminate(self.real(batch), batch)
        fake_logits = self.discriminate(fake, batch)
        return self.terms_of_logits(real_logits, fake_logits, batch, fake, use)

    def terms_of_logits(self, real_logits, fake_logits, batch, fake, use) -> dict:
        """Returns `discriminator_terms` from logits, for discriminators with additional heads."""
        # By default, -log D(x) - log(1 - D(G(z))), the negative of the value in eq. (1), where D is
        # the sigmoid of the logits.
        terms = {"discrimination": self.objective.discriminator(real_logits, fake_logits)}
        if self.penalty is not None:
            terms["penalty"] = self._penalty(batch, fake, use)
        if "real_accuracy" in self.loss_weights():
            threshold = self.objective.threshold
            real_right = tf.cast(real_logits > threshold, tf.float32)
            fake_right = tf.cast(fake_logits < threshold, tf.float32)
            terms["real_accuracy"] = per_example_mean(real_right)
            terms["fake_accuracy"] = per_example_mean(fake_right)
        return terms

    def generator_terms(self, batch: dict) -> dict:
        """Returns the terms of the generator's loss, each `[batch]`."""
        fake = self.generated("generator", batch)
        return {"adversarial": self.adversarial_loss(fake, batch)}

    def adversarial_loss(self, fake, batch: dict) -> tf.Tensor:
        """Returns the generator's adversarial loss, `[batch]`, for generated examples."""
        fake_logits = self.logits_of(fake, batch)
        if not self.objective.compares:
            return self.objective.generator(fake_logits)  # by default, -log D(G(z)), sec. 3
        real_logits = self.logits_of(self.real(batch), batch)
        return self.objective.generator(fake_logits, real_logits)

    def _penalty(self, batch, fake, use):
        """Returns the penalty, which is computed every few steps and weighted accordingly."""
        penalty = self.penalty
        real = self.real(batch)
        count = keras.ops.shape(real)[0]
        axes = real.shape[1:] if penalty.noise_per_value else [1] * (real.shape.rank - 1)
        draw = getattr(self, penalty.noise)
        noise = draw(f"{use}/penalty", [count, *axes])

        def critic(number, images):
            logits = self.logits_of(images, batch, keep_state=True)
            return logits if self.critics == 1 else logits[:, number]

        def compute():
            # Each critic is checked separately, because the critics' gradients may cancel in the
            # mean.
            critics = [partial(critic, number) for number in range(self.critics)]
            return tf.reduce_mean([penalty(one, real, fake, noise) for one in critics], axis=0)

        every = penalty.every if self.training else 1
        return lazily(every, self.step.value, count, compute)

    @override
    def players(self):
        return {
            "d_optimizer": Player([self.discriminator], self.default_optimizer),
            "g_optimizer": Player([self.generator], self.default_optimizer),
        }

    def default_optimizer(self):
        """Returns the default optimizer, Adam(2e-4, beta_1=0.5), as in DCGAN."""
        return Adam(2e-4, beta_1=0.5)

    @override
    def loss_weights(self) -> dict:
        return {} if self.objective.threshold is None else dict.fromkeys(ACCURACIES)

    # Use -------------------------------------------------------------------------------------

    @override
    def call(self, latents, training=False):
        """Returns images in [-1, 1] for latents `[batch, latents]`."""
        return self.generator(latents, training=training)

    @capability
    def generate(self, latents):
        """Generates images, uint8 `[n, height, width, channels]`, from latents `[n, latents]`."""
        return {"x": self.call(latents)}

    # Samples are the output of `from_noise` for `noise`.
    sample = sample

    def noise(self, n, key):
        """Returns random latents for n examples."""
        return tf.random.stateless_normal([n, self.latent_dim], key)

    def from_noise(self, noise, truncation=WIDEST):
        """Returns the images generated from truncated latents."""
        return self.call(truncated_normal(noise, truncation))

    # Methods for latents: samples, truncation, paths, and arithmetic.
    draw_latents = draw_latents
    truncate = truncate
    interpolate = interpolate_latents
    latent_arithmetic = latent_arithmetic

    @for_users
    def nearest_neighbors(self, examples, training, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Returns each example's k nearest training examples, `[n, k, ...]`, and their distances.

        Memorized examples are close to training examples; see
        `keras_gen.metrics.nearest_neighbors`.

        Example: `neighbors, distances = model.nearest_neighbors(model.sample(8), images, k=3)`.
        """
        # Imported in this method to avoid a circular import: the metrics package imports models.
        from keras_gen.metrics import nearest_neighbors

        distances, indices = nearest_neighbors(examples, training, k)
        return np.asarray(training)[indices], distances

    # Building --------------------------------------------------------------------------------

    discriminator_normalization: ClassVar[str] = "batch"  # used in `for_images`
    has_dense_networks = True  # whether `for_vectors` can build networks for the class

    @override
    def set_up(self):
        latents = self.latent_network.inputs[0].shape
        if len(latents) != 2 or latents[1] is None:
            raise ValueError(
                f"The generator's input has shape {tuple(latents)}: expected latents [batch, "
                "latents], with a known number of latents."
            )
        self.latent_dim = require_latents(self.latent_dim, self.latent_network)
        if self.penalty is not None:
            self.penalty.check(self.discriminator)
        self.edges["latents"] = Vectors((self.latent_dim,))
        self.edges["truncation"] = Number(0.0, WIDEST, "truncation")
        shape = tuple(self.generator.outputs[-1].shape[1:])
        self.edges["x"] = self.in_any_units(KINDS[self.data](shape, name=self.data))
        require_range(self.edges["x"].span, self.data, self.generator)

    def __getattr__(self, name):
        if name in ("encode", "reconstruct"):
            raise AttributeError(
                f"{type(self).__name__} has no {name} method, because it has no encoder: "
                "use keras_gen.gan.nearest_latents(model, images), which finds latents."
            )
        return self.__getattribute__(name)  # raises the usual AttributeError

    @property
    def latent_network(self) -> keras.Model:
        """The network that accepts the latents."""
        return self.generator

    @classmethod
    @checked_arguments(square=True)
    def for_images(cls, shape: tuple, latent_dim: int = 100, filters: int = 64, **kwargs):
        """Builds the model with DCGAN networks, by default half as wide as in the DCGAN paper.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 8 pixels.
            latent_dim: Number of latent dimensions.
            filters: Number of channels at full resolution.
            **kwargs: Additional arguments for the class.

        Example: `GAN.for_images((64, 64, 3))`.
        """
        discriminator = dcgan_discriminator(shape, filters, cls.discriminator_normalization)
        return cls(dcgan_generator(shape, latent_dim, filters), discriminator, **kwargs)

    @classmethod
    @checked_arguments(axes=None)
    def for_vectors(
        cls,
        shape: int | tuple,
        latent_dim: int = 8,
        hidden: tuple[int, ...] = (64, 64),
        **kwargs,
    ):
        """Builds the model for rows of numbers in any units, with dense networks.

        The first `fit` computes the mean and standard deviation of each column, which are used to
        standardize the networks' inputs and outputs. Samples are in the units of the data.

        Args:
            shape: Number of columns, or `(steps, channels)` for series.
            latent_dim: Number of latent dimensions.
            hidden: Number of units in each hidden layer of each network.
            **kwargs: Additional arguments for the class.

        Raises:
            TypeError: If the class has networks other than a generator and a discriminator that
                accepts only examples.

        Example: `GAN.for_vectors(8)`.
        """
        networks = cls.dense_networks(latent_dim, shape, shape, hidden)
        return cls(*networks, **VECTOR_OPTIONS | kwargs)

    @classmethod
    def dense_networks(cls, latents: int, made, seen, hidden) -> tuple:
        """Builds a dense generator and a dense discriminator for rows or series.

        Args:
            latents: Number of inputs of the generator.
            made: Shape of a generated example.
            seen: Shape of a discriminator input.
            hidden: Number of units in each hidden layer of each network.
        """
        if not cls.has_dense_networks:
            raise TypeError(
                f"{cls.__name__} has no standard networks for vectors: pass your own networks."
            )
        generator = mlp_decoder(made, latents, hidden, "relu", name="generator")
        critic = mlp_encoder(
            seen, 1, hidden, "leaky_relu", heads=("logits",), name="discriminator"
        )
        return generator, critic
