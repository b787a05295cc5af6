"""CycleGAN (Zhu, Park, Isola, Efros 2017)."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import ImagePool, Player
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.schedules import Weight
from keras_gen.declared import CountFrom0, Named, made_by, network
from keras_gen.keras_internals import put_first
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.per_example import l1
from keras_gen.networks import patch_discriminator, resnet_generator
from keras_gen.networks.blocks import smooth_chroma
from keras_gen.translation.translator import (
    Domains,
    Translator,
    any_size,
    require_translation,
)


@keras.saving.register_keras_serializable("keras_gen")
class CycleGAN(Translator):
    """Unpaired translation between domains X and Y, trained with cycle consistency.

    Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks", ICCV 2017. G: X -> Y and F: Y -> X are trained on eq. (3), with the identity loss of
    sec. 5.2. D_X and D_Y are trained on histories of generated images (sec. 4).

    Deviations: as in the authors' code, distances in eq. (2) are means, not sums, over the values
    of an image. Each generator is applied to both of its inputs in one call. This does not change
    the results, because instance normalization treats each image independently. The identity loss,
    which the paper uses for paintings, is on by default. The learning rate is constant, unless
    `compile` receives a schedule; the paper's learning rate decays linearly in the second half of
    training.

    Args:
        generator_xy: Network G, which maps float images in [-1, 1] to float images in [-1, 1].
        generator_yx: Network F, with the same input and output format as G.
        discriminator_x: Network D_X, which maps images to logits of any shape. With a pool, its
            input size must be known.
        discriminator_y: Network D_Y; see `discriminator_x`.
        objective: Adversarial objective, a name or an object. The paper uses least squares.
        cycle_weight: Weight of the cycle consistency loss, lambda in eq. (3).
        identity_weight: Weight of the identity loss as a fraction of lambda: 0.5 for paintings and
            photographs in the paper. A weight of 0 saves two passes, and is required for domains
            with different numbers of channels, such as gray and color, because a generator then
            cannot accept images from its target domain.
        pool_size: Number of images in each history. Once a history is full, each new image is
            exchanged for a stored image with probability 1/2.
        margin: Width, in pixels, of the reflection padding that is added around images before
            translation and cropped afterward. Features near a border differ from features inside an
            image, so translations may contain lines near borders. Padding of 16 pixels removes
            these lines. The paper does not use padding.
        smooth_colors: Whether to smooth the chroma of translations outside training. Paintings and
            photographs have grain only in the luma, whereas narrow generators also produce color
            grain. The paper has no such filter.
        domains: Names of X and Y, used to name the directions and the served signatures.
        seed: Seed for the random choices of the histories.

    Raises:
        ValueError: If a weight is negative, if a discriminator's input size is unknown, if the
            domains share a name, or if the networks' numbers of channels do not match each other or
            do not allow the identity loss.

    Example:
    ```python
    from keras_gen.networks import patch_discriminator, resnet_generator
    shape = (32, 32, 3)
    model = CycleGAN(
        resnet_generator(filters=8, blocks=1), resnet_generator(filters=8, blocks=1),
        patch_discriminator(shape, filters=8), patch_discriminator(shape, filters=8),
        domains=("photo", "monet"),
    )
    model.compile()
    photos = paintings = np.zeros((4, 32, 32, 3), "uint8")
    model.fit(photos, paintings, batch_size=1)
    model.translate(photos, "photo_to_monet")
    ```
    """

    batch = ("x", "y")
    totals = ("g_loss", "d_loss")
    # Limits on requests to a served model. A residual generator requires one GiB of memory for an
    # image of 836 x 836 pixels; a margin makes small images much larger.
    most_elements = 2**21
    most_examples = 256

    generator_xy: keras.Model = network("x -> y")
    generator_yx: keras.Model = network("y -> x")
    discriminator_x: keras.Model = network("x -> logits")
    discriminator_y: keras.Model = network("y -> logits")
    objective: Named[Objective] = made_by(adversarial.get_of_fakes, default="least_squares")
    cycle_weight: Weight = 10.0
    identity_weight: Weight = 0.5
    pool_size: CountFrom0 = 50
    margin: CountFrom0 = 0
    smooth_colors: bool = False
    domains: Domains = ("x", "y")

    @override
    def train_step(self, data):
        """Updates G and F together, and then D_X and D_Y on histories of translations (sec. 4)."""
        batch = self.prepare_batch(data)
        x, y = batch["x"], batch["y"]
        d_x = partial(self.discriminator_x, training=self.training)
        d_y = partial(self.discriminator_y, training=self.training)

        def generator_loss():
            # Generators for any size receive images padded to sides that are multiples of 4.
            fake_y, same_y = self._apply(self.generator_xy, x, y)
            fake_x, same_x = self._apply(self.generator_yx, y, x)
            cycled_x = any_size(self.generator_yx, fake_y, self.training)
            cycled_y = any_size(self.generator_xy, fake_x, self.training)
            fooled_y = self.objective.generator(d_y(fake_y))
            fooled_x = self.objective.generator(d_x(fake_x))
            terms = {
                # Eq. (1) with the least squares of sec. 4: (D(G(x)) - 1)^2.
                "adversarial": fooled_y + fooled_x,
                "cycle": l1(cycled_x, x) + l1(cycled_y, y),  # eq. (2)
                "identity": l1(same_x, x) + l1(same_y, y),  # sec. 5.2, L_identity
            }
            return self.weighted(terms), terms, fake_x, fake_y

        g_loss, terms, fake_x, fake_y = self.minimize(generator_loss, "g_optimizer")
        past_x = self.pool_x(fake_x, seed=self.stateless_seed("pool_x"), training=self.training)
        past_y = self.pool_y(fake_y, seed=self.stateless_seed("pool_y"), training=self.training)

        # The pools return past translations and some translations from this step, made before G
        # and F were updated. All of them are constants, so the discriminators' loss does not
        # reach the generators.
        def discriminator_loss():
            # With least squares, the loss is (D(real) - 1)^2 + D(past)^2.
            of_x = self.objective.discriminator(d_x(x), d_x(past_x))
            of_y = self.objective.discriminator(d_y(y), d_y(past_y))
            return 0.5 * (of_x + of_y)  # halved (app. 7.1), which hardly changes Adam's steps

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    def _apply(self, generator, source, target):
        """Returns translations of `source` and, for the identity loss, of `target`."""
        if not self.identity_weight:
            # With `target` as its own translation, the identity loss is 0.
            return any_size(generator, source, self.training), target
        both = any_size(generator, tf.concat([source, target], axis=0), self.training)
        return tf.split(both, [keras.ops.shape(source)[0], keras.ops.shape(target)[0]])

    @override
    def directions(self) -> dict:
        """Returns G and F, named after the domains, such as `photo_to_monet`."""
        return self._directions

    @override
    def players(self):
        adam = partial(Adam, 2e-4, beta_1=0.5)
        return {
            "g_optimizer": Player([self.generator_xy, self.generator_yx], adam),
            "d_optimizer": Player([self.discriminator_x, self.discriminator_y], adam),
        }

    @override
    def loss_weights(self):
        # Eq. (3) plus the identity loss, whose weight is the product of lambda and the fraction.
        identity = self.cycle_weight, self.identity_weight
        return {"adversarial": 1.0, "cycle": self.cycle_weight, "identity": identity}

    # Use -------------------------------------------------------------------------------------

    def _served(self, generator):
        """Returns a generator in the form that `translate` and exports use."""
        if not self.smooth_colors:
            return generator
        images = keras.Input(generator.input_shape[1:])
        return keras.Model(images, smooth_chroma(generator(images)))

    @override
    def call(self, images, training=False):
        return self.generator_xy(images, training=training)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        x = self.discriminator_x.input_shape[1:]
        y = self.discriminator_y.input_shape[1:]
        if x[-1] != y[-1] and self.identity_weight:
            raise ValueError(
                f"identity_weight is {self.identity_weight}, but images of X have {x[-1]} "
                f"channels and images of Y have {y[-1]}: expected a weight of 0, because a "
                "generator cannot accept its own output images."
            )
        require_translation(x, y, self.generator_xy)
        require_translation(y, x, self.generator_yx)
        for generator in (self.generator_xy, self.generator_yx):
            if self.margin and None not in generator.input_shape[1:3]:
                raise ValueError(
                    f"margin is {self.margin}, but {generator.name} accepts only images of size "
                    f"{generator.input_shape[1:3]}: build the generator for (None, None, "
                    "channels)."
                )
        self.edges["x"] = Images(self.generator_xy.input_shape[1:])
        self.edges["y"] = Images(self.generator_yx.input_shape[1:])
        self.training_edges |= {"x": Images(x), "y": Images(y)}
        self.pool_x = ImagePool(self.pool_size, x)
        self.pool_y = ImagePool(self.pool_size, y)
        put_first(self, self.discriminator_x, self.discriminator_y, self.pool_x, self.pool_y)
        source, target = self.domains
        # Keras does not track these models, because they are the generators or are built from them.
        self.__dict__["_directions"] = {
            f"{source}_to_{target}": self._served(self.generator_xy),
            f"{target}_to_{source}": self._served(self.generator_yx),
        }

    @classmethod
    @checked_arguments(square=True)
    def for_images(cls, shape: tuple, filters: int = 64, blocks: CountFrom0 = 9, **kwargs):
        """Builds the model with the paper's networks.

        Args:
            shape: `(height, width, channels)` of the training images, with sides of at least 6
                pixels. Images of other sizes can also be translated. For images below 24 pixels,
                discriminators have fewer strided layers.
            filters: Number of channels in the first layers.
            blocks: Number of residual blocks in the generators; in the paper, 6 for 128x128 and 9
                for 256x256 images.
            **kwargs: Additional arguments for the class.
        """
        open_shape = (None, None, shape[-1])
        generator_xy = resnet_generator(open_shape, filters, blocks)
        generator_yx = resnet_generator(open_shape, filters, blocks)
        discriminator_x = patch_discriminator(shape, filters)
        discriminator_y = patch_discriminator(shape, filters)
        return cls(generator_xy, generator_yx, discriminator_x, discriminator_y, **kwargs)
