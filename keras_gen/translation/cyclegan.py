"""CycleGAN (Zhu, Park, Isola, Efros 2017)."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.arguments import (
    check_sizes,
    checked_flag,
    checked_image_shape,
    checked_integer,
    checked_size,
)
from keras_gen.core import ImagePool, Player, require_built, require_logits, schedules
from keras_gen.core.kinds_of_data import Images
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial_objective import Objective
from keras_gen.losses.per_example import l1
from keras_gen.networks import patch_discriminator, resnet_generator
from keras_gen.networks.blocks import halvings, smooth_chroma
from keras_gen.translation.translator import (
    Translator,
    any_size,
    checked_domains,
    require_translation,
)


@keras.saving.register_keras_serializable("keras_gen")
class CycleGAN(Translator):
    """Unpaired translation between domains X and Y, trained with cycle consistency.

    Zhu, Park, Isola, Efros: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks", ICCV 2017. G: X -> Y and F: Y -> X are trained on eq. (3), with the identity loss of
    sec. 5.2; D_X and D_Y on a history of generated images (sec. 4).

    Deviations: none in the algorithm. G and F are applied to both of their images in one call,
    which changes nothing, since instance normalization treats each image alone.

    Args:
        generator_xy: G, float images in [-1, 1] to the same.
        generator_yx: F, likewise.
        discriminator_x: D_X, images to logits of any shape; with a pool, of known input size.
        discriminator_y: D_Y, likewise.
        objective: Adversarial objective, a name or an object; least squares in the paper.
        cycle_weight: lambda of eq. (3).
        identity_weight: Weight of the identity loss as a fraction of lambda: 0.5 for paintings and
            photographs in the paper. 0 saves its two passes. Domains of different channels, such as
            gray and color, need 0, for a generator cannot take the images that it is to make.
        pool_size: Images in each history.
        margin: Pixels of reflection that are put around images before they are translated, and cut
            off afterwards. Features near a border differ from those inside an image, so that
            translations may have lines there; 16 pixels remove them. The paper has none.
        smooth_colors: Whether translations, but not the images in training, get a smoothed chroma:
            painters and cameras have grain in the luma, and narrow generators in the colors too.
            The paper has no such filter.
        domains: Names of X and Y, which name the directions and the served signatures.
        seed: Seed of the histories' draws.

    Raises:
        ValueError: If a weight is negative, a discriminator's input size is unknown, the domains
            share a name, or the networks' channels do not fit each other or the identity loss.

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
    for_users = ("for_images",)
    # A residual generator takes a GiB for an image of 836 x 836; a margin makes many small images
    # much larger.
    most_elements = 2**21
    most_examples = 256

    def __init__(
        self,
        generator_xy: keras.Model,
        generator_yx: keras.Model,
        discriminator_x: keras.Model,
        discriminator_y: keras.Model,
        objective: Objective | str = "least_squares",
        cycle_weight: float = 10.0,
        identity_weight: float = 0.5,
        pool_size: int = 50,
        margin: int = 0,
        smooth_colors: bool = False,
        domains: tuple[str, str] = ("x", "y"),
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        require_built(generator_xy, generator_yx, discriminator_x, discriminator_y)
        require_logits(discriminator_x, discriminator_y)
        _require_fitting_channels(
            [generator_xy.input_shape, generator_yx.output_shape, discriminator_x.input_shape],
            [generator_yx.input_shape, generator_xy.output_shape, discriminator_y.input_shape],
            identity_weight,
        )
        of_x = discriminator_x.input_shape[1:]
        of_y = discriminator_y.input_shape[1:]
        require_translation(of_x, of_y, generator_xy)
        require_translation(of_y, of_x, generator_yx)
        self.edges["x"] = Images(generator_xy.input_shape[1:])
        self.edges["y"] = Images(generator_yx.input_shape[1:])
        self.training_edges["x"] = Images(of_x)
        self.training_edges["y"] = Images(of_y)
        # In this order, which is that of checkpoints.
        self.discriminator_x = discriminator_x
        self.discriminator_y = discriminator_y
        self.pool_size = checked_integer("pool_size", pool_size, minimum=0)
        self.pool_x = ImagePool(self.pool_size, of_x)
        self.pool_y = ImagePool(self.pool_size, of_y)
        self.generator_xy = generator_xy
        self.generator_yx = generator_yx
        self.objective = adversarial.get_of_fakes(objective)
        self.domains = checked_domains(domains)
        self.cycle_weight = schedules.weight("cycle_weight", cycle_weight)
        self.identity_weight = schedules.weight("identity_weight", identity_weight)
        self.margin = checked_size("margin", margin, minimum=0)
        for generator in (generator_xy, generator_yx):
            if margin and None not in generator.input_shape[1:3]:
                raise ValueError(
                    f"margin is {margin}, but {generator.name} takes images of "
                    f"{generator.input_shape[1:3]} alone: build it for (None, None, channels)."
                )
        self.smooth_colors = checked_flag("smooth_colors", smooth_colors)
        x, y = self.domains
        # Not tracked: they are the generators, or made of them.
        self.__dict__["_directions"] = {
            f"{x}_to_{y}": self._shown(generator_xy),
            f"{y}_to_{x}": self._shown(generator_yx),
        }

    @classmethod
    def for_images(cls, shape: tuple, filters: int = 64, blocks: int = 9, **kwargs):
        """Builds the model with the paper's networks.

        Args:
            shape: `(height, width, channels)` of the images in training, both sides of at least 6
                pixels; others are translated too. The discriminators of images below 24 pixels have
                fewer strided layers.
            filters: Channels of the first layers.
            blocks: Residual blocks of the generators: 6 at 128x128, 9 at 256x256 in the paper.
            **kwargs: Further arguments of the class.
        """
        shape = checked_image_shape(shape)
        check_sizes(filters=filters)
        blocks = checked_size("blocks", blocks, minimum=0)
        any_size = (None, None, shape[-1])
        generator_xy = resnet_generator(any_size, filters, blocks)
        generator_yx = resnet_generator(any_size, filters, blocks)
        strided = min(3, halvings(shape, smallest=3))
        discriminator_x = patch_discriminator(shape, filters, strided)
        discriminator_y = patch_discriminator(shape, filters, strided)
        return cls(generator_xy, generator_yx, discriminator_x, discriminator_y, **kwargs)

    @override
    def directions(self) -> dict:
        """Returns G and F by the names of the domains, such as `photo_to_monet`."""
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
        identity = self.cycle_weight, self.identity_weight
        return {"adversarial": 1.0, "cycle": self.cycle_weight, "identity": identity}

    # Training --------------------------------------------------------------------------------

    @override
    def train_step(self, data):
        """Updates G and F together, then D_X and D_Y on histories of translations (sec. 4)."""
        batch = self.prepare_batch(data)
        x, y = batch["x"], batch["y"]
        d_x = partial(self.discriminator_x, training=self.training)
        d_y = partial(self.discriminator_y, training=self.training)

        def generator_loss():
            fake_y, same_y = self._apply(self.generator_xy, x, y)
            fake_x, same_x = self._apply(self.generator_yx, y, x)
            cycled_x = any_size(self.generator_yx, fake_y, self.training)
            cycled_y = any_size(self.generator_xy, fake_x, self.training)
            fooled_y = self.objective.generator(d_y(fake_y))
            fooled_x = self.objective.generator(d_x(fake_x))
            terms = {
                "adversarial": fooled_y + fooled_x,  # eq. (1), the part of G and F
                "cycle": l1(cycled_x, x) + l1(cycled_y, y),  # eq. (2)
                "identity": l1(same_x, x) + l1(same_y, y),  # sec. 5.2, L_identity
            }
            return self.weighted(terms), terms, fake_x, fake_y

        g_loss, terms, fake_x, fake_y = self.minimize(generator_loss, "g_optimizer")
        shown_x = self.pool_x(fake_x, seed=self.stateless_seed("pool_x"), training=self.training)
        shown_y = self.pool_y(fake_y, seed=self.stateless_seed("pool_y"), training=self.training)

        def discriminator_loss():
            of_x = self.objective.discriminator(d_x(x), d_x(shown_x))
            of_y = self.objective.discriminator(d_y(y), d_y(shown_y))
            return 0.5 * (of_x + of_y)  # halved (app. 7.1), to slow D down relative to G

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    def _apply(self, generator, source, target):
        """Returns translations of `source` and of `target`, in one pass."""
        if not self.identity_weight:
            return any_size(generator, source, self.training), target  # a distance of 0
        both = any_size(generator, tf.concat([source, target], axis=0), self.training)
        return tf.split(both, [keras.ops.shape(source)[0], keras.ops.shape(target)[0]])

    # Use -------------------------------------------------------------------------------------

    def _shown(self, generator):
        """A generator as `translate` and exports use it."""
        if not self.smooth_colors:
            return generator
        images = keras.Input(generator.input_shape[1:])
        return keras.Model(images, smooth_chroma(generator(images)))

    @override
    def call(self, images, training=False):
        return self.generator_xy(images, training=training)


def _require_fitting_channels(of_x, of_y, identity_weight):
    """Raises a ValueError unless each domain has one number of channels, and identity one for both.

    Args:
        of_x: Shapes of the images of X: what G takes, F makes and D_X takes.
        of_y: Shapes of the images of Y: what F takes, G makes and D_Y takes.
        identity_weight: Weight of the identity loss.
    """
    for domain, shapes in (("X", of_x), ("Y", of_y)):
        taken, made, judged = (shape[-1] for shape in shapes)
        if not taken == made == judged:
            raise ValueError(
                f"One generator takes images of {domain} with {taken} channels, the other makes "
                f"{made} and the discriminator takes {judged}: expected one number of channels."
            )
    x = of_x[0][-1]
    y = of_y[0][-1]
    if x != y and identity_weight:
        raise ValueError(
            f"identity_weight is {identity_weight}, and images of X have {x} channels and those of "
            f"Y {y}: a generator cannot take the images that it is to make, so pass 0."
        )
