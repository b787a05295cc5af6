"""UNIT (Liu, Breuel, Kautz 2017)."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.bases.edges import Images
from keras_gen.bases.unpaired import UnpairedTranslator
from keras_gen.losses.base import l1, per_example_mean
from keras_gen.networks import patch_discriminator, unit_networks
from keras_gen.networks.blocks import halvings
from keras_gen.training import require_built, schedules


@keras.saving.register_keras_serializable("keras_gen")
class UNIT(UnpairedTranslator):
    """Unpaired translation through latents that two domains share.

    Liu, Breuel, Kautz: "Unsupervised Image-to-Image Translation Networks", NeurIPS 2017. A VAE of
    each domain, eq. (3), a discriminator of each, eq. (4), and cycle consistency, eq. (5), are
    trained together, eq. (2). The last layers of the encoders and the first ones of the generators
    are shared, so that the two images of one scene have the same latents z, and a translation is
    the image of z in the other domain. q(z | x) is Normal with a learned mean and deviation 1, and
    p(x | z) a Laplace distribution, whose logarithm is minus the L1 distance.

    Deviations: divergences and distances are means over values, as in the authors' code, so that
    weights do not depend on sizes. Translations have the mean of q, without noise.

    Args:
        encoder_x: Float images of X in [-1, 1] to maps.
        encoder_y: Those of Y, likewise.
        shared_encoder: Maps to the means of z, `[batch, ..., channels]`.
        shared_generator: z to maps.
        generator_x: G_1, maps to images of X.
        generator_y: G_2, maps to images of Y.
        discriminator_x: D_1, images of X to logits of any shape.
        discriminator_y: D_2, likewise.
        objective: Adversarial objective, a name or an object.
        adversarial_weight: lambda_0.
        kl_weight: lambda_1, of the divergence of q from N(0, 1).
        likelihood_weight: lambda_2, of the distance of reconstructions.
        cycle_kl_weight: lambda_3, of the divergences in the cycle.
        cycle_weight: lambda_4, of the distance after the cycle.
        domains: Names of X and Y, which name the directions and the served signatures.
        seed: Seed of the latents' noise.

    Raises:
        ValueError: If a weight is negative, or the domains share a name.

    Example:
    ```python
    from keras_gen.networks import patch_discriminator, unit_networks
    model = UNIT(
        **unit_networks(filters=4, blocks=1),
        discriminator_x=patch_discriminator((32, 32, 3), filters=4),
        discriminator_y=patch_discriminator((32, 32, 3), filters=4),
        domains=("day", "night"),
    )
    model.compile()
    days = nights = np.zeros((4, 32, 32, 3), "uint8")
    model.fit(days, nights, batch_size=2)
    model.translate(days, "day_to_night")
    ```
    """

    for_users = ("for_images",)

    def __init__(
        self,
        encoder_x,
        encoder_y,
        shared_encoder,
        shared_generator,
        generator_x,
        generator_y,
        discriminator_x,
        discriminator_y,
        objective="non_saturating",
        adversarial_weight: float = 10.0,
        kl_weight: float = 0.1,
        likelihood_weight: float = 100.0,
        cycle_kl_weight: float = 0.1,
        cycle_weight: float = 100.0,
        domains: tuple[str, str] = ("x", "y"),
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(discriminator_x, discriminator_y, objective, 0, domains, seed, **kwargs)
        require_built(
            encoder_x, encoder_y, shared_encoder, shared_generator, generator_x, generator_y
        )
        self.encoder_x = encoder_x
        self.encoder_y = encoder_y
        self.shared_encoder = shared_encoder
        self.shared_generator = shared_generator
        self.generator_x = generator_x
        self.generator_y = generator_y
        self.adversarial_weight = schedules.weight("adversarial_weight", adversarial_weight)
        self.kl_weight = schedules.weight("kl_weight", kl_weight)
        self.likelihood_weight = schedules.weight("likelihood_weight", likelihood_weight)
        self.cycle_kl_weight = schedules.weight("cycle_kl_weight", cycle_kl_weight)
        self.cycle_weight = schedules.weight("cycle_weight", cycle_weight)
        self.edges["x"] = Images(encoder_x.input_shape[1:])
        self.edges["y"] = Images(encoder_y.input_shape[1:])
        self.set_directions(
            self._composed(encoder_x, generator_y), self._composed(encoder_y, generator_x)
        )

    @classmethod
    def for_images(cls, shape: tuple, filters: int = 64, blocks: int = 3, **kwargs):
        """Builds the model with the paper's networks.

        Args:
            shape: `(height, width, channels)` of the images in training, both sides multiples of 4
                and at least 8 pixels; others are translated too. The discriminators of images below
                24 pixels have fewer strided layers.
            filters: Channels of the first layers.
            blocks: Residual blocks that a domain has for itself.
            **kwargs: Further arguments of the class.
        """
        strided = min(3, halvings(shape, smallest=3))
        return cls(
            **unit_networks((shape[-1], shape[-1]), filters, blocks),
            discriminator_x=patch_discriminator(shape, filters, strided),
            discriminator_y=patch_discriminator(shape, filters, strided),
            **kwargs,
        )

    @override
    def generators(self):
        encoders = [self.encoder_x, self.encoder_y, self.shared_encoder]
        return [*encoders, self.shared_generator, self.generator_x, self.generator_y]

    @override
    def default_optimizer(self):
        return Adam(1e-4, beta_1=0.5)  # sec. 4

    @override
    def loss_weights(self):
        return {
            "adversarial": self.adversarial_weight,
            "kl": self.kl_weight,
            "reconstruction": self.likelihood_weight,
            "cycle_kl": self.cycle_kl_weight,
            "cycle": self.cycle_weight,
        }

    # Training --------------------------------------------------------------------------------

    @override
    def generator_terms(self, x, y, training=True):
        encode_x = partial(self._encoded, self.encoder_x, training=training)
        encode_y = partial(self._encoded, self.encoder_y, training=training)
        decode_x = partial(self._decoded, self.generator_x, training=training)
        decode_y = partial(self._decoded, self.generator_y, training=training)

        mean_x = encode_x(x)
        mean_y = encode_y(y)
        z_x = self._drawn(mean_x, "x", training)
        z_y = self._drawn(mean_y, "y", training)
        fake_y = decode_y(z_x)
        fake_x = decode_x(z_y)
        mean_fake_y = encode_y(fake_y)
        mean_fake_x = encode_x(fake_x)
        cycled_x = decode_x(self._drawn(mean_fake_y, "fake_y", training))
        cycled_y = decode_y(self._drawn(mean_fake_x, "fake_x", training))
        terms = {
            # Eq. (4), the part of the generators.
            "adversarial": self.adversarial_loss(fake_x, fake_y, training),
            # Eq. (3); eq. (5) has the same divergences again.
            "kl": _kl(mean_x) + _kl(mean_y),
            "reconstruction": l1(decode_x(z_x), x) + l1(decode_y(z_y), y),
            # Eq. (5).
            "cycle_kl": _kl(mean_x) + _kl(mean_fake_y) + _kl(mean_y) + _kl(mean_fake_x),
            "cycle": l1(cycled_x, x) + l1(cycled_y, y),
        }
        return terms, (fake_x, fake_y)

    def _encoded(self, encoder, images, training):
        """The mean of q(z | images)."""
        return self.shared_encoder(encoder(images, training=training), training=training)

    def _decoded(self, generator, z, training):
        return generator(self.shared_generator(z, training=training), training=training)

    def _drawn(self, mean, use, training):
        """A draw from q, of deviation 1."""
        return mean + self.normal(use, keras.ops.shape(mean), training)

    # Use -------------------------------------------------------------------------------------

    def _composed(self, encoder, generator):
        images = keras.Input(encoder.input_shape[1:])
        z = self.shared_encoder(encoder(images))
        return keras.Model(images, generator(self.shared_generator(z)))

    @override
    def call(self, images, training=False):
        z = self._encoded(self.encoder_x, images, training)
        return self._decoded(self.generator_y, z, training)


def _kl(mean):
    """KL(N(mean, 1) || N(0, 1)) of each latent, the mean over them: `[batch]`."""
    return per_example_mean(0.5 * tf.square(mean))
