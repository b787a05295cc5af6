"""UNIT (Liu, Breuel, Kautz 2017)."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import (
    Player,
    require_range,
)
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.network_checks import UNBOUNDED
from keras_gen.core.schedules import Weight
from keras_gen.declared import CountFrom0, Named, made_by, network
from keras_gen.keras_internals import put_first
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.per_example import l1, per_example_mean
from keras_gen.networks import patch_discriminator, unit_networks
from keras_gen.translation.translator import (
    Domains,
    Translator,
    require_translation,
)


@keras.saving.register_keras_serializable("keras_gen")
class UNIT(Translator):
    """Unpaired translation through latents that two domains share.

    Liu, Breuel, Kautz: "Unsupervised Image-to-Image Translation Networks", NeurIPS 2017. For each
    domain, a VAE, eq. (3), and a discriminator, eq. (4), are trained together with cycle
    consistency, eq. (5); the total loss is eq. (2). The last layers of the encoders and the first
    layers of the generators are shared, so that the two images of a scene have the same latents z.
    A translation is the image generated from z in the other domain. q(z | x) is normal with a
    learned mean and a standard deviation of 1, and p(x | z) is a Laplace distribution, whose log
    density is the negative L1 distance plus a constant.

    Deviations: divergences and distances are means over values, as in the authors' code, so weights
    do not depend on sizes. Translations use the mean of q, without noise.

    Args:
        encoder_x: Network that maps float images of X in [-1, 1] to feature maps.
        encoder_y: Network that maps float images of Y in [-1, 1] to feature maps.
        shared_encoder: Network that maps feature maps to the means of z, `[batch, ..., channels]`.
        shared_generator: Network that maps z to feature maps.
        generator_x: Network G_1, which maps feature maps to images of X.
        generator_y: Network G_2, which maps feature maps to images of Y.
        discriminator_x: Network D_1, which maps images of X to logits of any shape.
        discriminator_y: Network D_2, which maps images of Y to logits of any shape.
        objective: Adversarial objective, a name or an object.
        adversarial_weight: Weight lambda_0 of the adversarial loss.
        kl_weight: Weight lambda_1 of the divergence of q from N(0, 1).
        likelihood_weight: Weight lambda_2 of the reconstruction distance.
        cycle_kl_weight: Weight lambda_3 of the divergences in the cycle.
        cycle_weight: Weight lambda_4 of the distance between an image and its cycle translation.
        domains: Names of X and Y, used to name the directions and the served signatures.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If a weight is negative, or if the domains share a name.

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

    batch = ("x", "y")
    totals = ("g_loss", "d_loss")
    # A residual generator requires one GiB of memory for an image of 836 x 836 pixels.
    most_elements = 2**21
    most_examples = 256

    encoder_x: keras.Model = network("x -> maps")
    encoder_y: keras.Model = network("y -> maps")
    shared_encoder: keras.Model = network("maps -> z")
    shared_generator: keras.Model = network("z -> shared")
    generator_x: keras.Model = network("shared -> x")
    generator_y: keras.Model = network("shared -> y")
    discriminator_x: keras.Model = network("x -> logits")
    discriminator_y: keras.Model = network("y -> logits")
    objective: Named[Objective] = made_by(adversarial.get_of_fakes, default="non_saturating")
    adversarial_weight: Weight = 10.0
    kl_weight: Weight = 0.1
    likelihood_weight: Weight = 100.0
    cycle_kl_weight: Weight = 0.1
    cycle_weight: Weight = 100.0
    domains: Domains = ("x", "y")

    @override
    def train_step(self, data):
        """Updates the encoders and generators on the weighted sum of terms, then D_1 and D_2."""
        batch = self.prepare_batch(data)
        x, y = batch["x"], batch["y"]
        d_x = partial(self.discriminator_x, training=self.training)
        d_y = partial(self.discriminator_y, training=self.training)

        def generator_loss():
            mean_x = self._encoded(self.encoder_x, x)
            mean_y = self._encoded(self.encoder_y, y)
            z_x = self._sampled(mean_x, "x")
            z_y = self._sampled(mean_y, "y")
            fake_y = self._decoded(self.generator_y, z_x)
            fake_x = self._decoded(self.generator_x, z_y)
            mean_fake_y = self._encoded(self.encoder_y, fake_y)
            mean_fake_x = self._encoded(self.encoder_x, fake_x)
            cycled_x = self._decoded(self.generator_x, self._sampled(mean_fake_y, "fake_y"))
            cycled_y = self._decoded(self.generator_y, self._sampled(mean_fake_x, "fake_x"))
            same_x = self._decoded(self.generator_x, z_x)
            same_y = self._decoded(self.generator_y, z_y)
            fooled_y = self.objective.generator(d_y(fake_y))
            fooled_x = self.objective.generator(d_x(fake_x))
            kl = _kl(mean_x) + _kl(mean_y)
            terms = {
                "adversarial": fooled_y + fooled_x,  # eq. (4), the generators' part
                "kl": kl,  # eq. (3); "cycle_kl" adds these divergences a second time, as in eq. (5)
                "reconstruction": l1(same_x, x) + l1(same_y, y),  # eq. (3)
                "cycle_kl": _kl(mean_x) + _kl(mean_fake_y) + _kl(mean_y) + _kl(mean_fake_x),
                "cycle": l1(cycled_x, x) + l1(cycled_y, y),  # eq. (5)
            }
            return self.weighted(terms), terms, fake_x, fake_y

        g_loss, terms, fake_x, fake_y = self.minimize(generator_loss, "g_optimizer")

        def discriminator_loss():
            # Eq. (4), for translations computed before the update.
            of_x = self.objective.discriminator(d_x(x), d_x(fake_x))
            return of_x + self.objective.discriminator(d_y(y), d_y(fake_y))

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    def _encoded(self, encoder, images):
        """Returns the mean of q(z | images)."""
        shared = encoder(images, training=self.training)
        return self.shared_encoder(shared, training=self.training)

    def _decoded(self, generator, z):
        shared = self.shared_generator(z, training=self.training)
        return generator(shared, training=self.training)

    def _sampled(self, mean, use):
        """Returns a sample from q, with standard deviation 1."""
        return mean + self.normal(use, keras.ops.shape(mean))

    @override
    def directions(self) -> dict:
        """Returns both translations, named after the domains, such as `day_to_night`."""
        return self._directions

    @override
    def players(self):
        encoders = [self.encoder_x, self.encoder_y, self.shared_encoder]
        translators = [*encoders, self.shared_generator, self.generator_x, self.generator_y]
        discriminators = [self.discriminator_x, self.discriminator_y]
        adam = partial(Adam, 1e-4, beta_1=0.5)  # sec. 4
        return {
            "g_optimizer": Player(translators, adam),
            "d_optimizer": Player(discriminators, adam),
        }

    @override
    def loss_weights(self):
        return {
            "adversarial": self.adversarial_weight,
            "kl": self.kl_weight,
            "reconstruction": self.likelihood_weight,
            "cycle_kl": self.cycle_kl_weight,
            "cycle": self.cycle_weight,
        }

    # Use -------------------------------------------------------------------------------------

    def _composed(self, encoder, generator):
        images = keras.Input(encoder.input_shape[1:])
        z = self.shared_encoder(encoder(images))
        return keras.Model(images, generator(self.shared_generator(z)))

    @override
    def call(self, images, training=False):
        z = self._encoded(self.encoder_x, images)
        return self._decoded(self.generator_y, z)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        put_first(self, self.discriminator_x, self.discriminator_y)
        require_range(UNBOUNDED, "means", self.shared_encoder)
        shared = (self.shared_encoder, self.shared_generator)
        x = self.discriminator_x.input_shape[1:]
        y = self.discriminator_y.input_shape[1:]
        for shape, encoder in ((x, self.encoder_x), (y, self.encoder_y)):
            require_translation(shape, x, encoder, *shared, self.generator_x)
            require_translation(shape, y, encoder, *shared, self.generator_y)
        self.edges["x"] = Images(self.encoder_x.input_shape[1:])
        self.edges["y"] = Images(self.encoder_y.input_shape[1:])
        # Images of any size can be translated; training uses the discriminators' input size.
        self.training_edges |= {"x": Images(x), "y": Images(y)}
        source, target = self.domains
        # Keras does not track these models, because they are built from the networks.
        self.__dict__["_directions"] = {
            f"{source}_to_{target}": self._composed(self.encoder_x, self.generator_y),
            f"{target}_to_{source}": self._composed(self.encoder_y, self.generator_x),
        }

    @classmethod
    @checked_arguments(square=True)
    def for_images(cls, shape: tuple, filters: int = 64, blocks: CountFrom0 = 3, **kwargs):
        """Builds the model with the paper's networks.

        Args:
            shape: `(height, width, channels)` of the training images. The sides must be multiples
                of 4, and at least 8 pixels. Images of other sizes can also be translated. For
                images below 24 pixels, discriminators have fewer strided layers.
            filters: Number of channels in the first layers.
            blocks: Number of residual blocks specific to each domain.
            **kwargs: Additional arguments for the class.
        """
        return cls(
            **unit_networks((shape[-1], shape[-1]), filters, blocks),
            discriminator_x=patch_discriminator(shape, filters),
            discriminator_y=patch_discriminator(shape, filters),
            **kwargs,
        )


def _kl(mean):
    """Returns KL(N(mean, 1) || N(0, 1)), averaged over latents, `[batch]`."""
    return per_example_mean(0.5 * tf.square(mean))
