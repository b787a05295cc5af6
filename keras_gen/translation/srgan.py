"""SRGAN, and the training of SRResNet (Ledig et al. 2017)."""

from functools import partial
from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import Player, for_users, require_range
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.schedules import Weight
from keras_gen.declared import CountFrom0, Named, made_by, network
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.feature_losses import feature_distance
from keras_gen.losses.per_example import per_example_mean
from keras_gen.networks import sr_discriminator, sr_resnet
from keras_gen.translation.predictor import AdversarialPredictor
from keras_gen.translation.translator import Translator, made_shape

PIXEL_DISTANCES = {"squared": tf.square, "absolute": tf.abs}


@keras.saving.register_keras_serializable("keras_gen")
class SRGAN(Translator, AdversarialPredictor):
    """A super-resolution GAN, which enlarges images by an integer factor.

    Ledig et al.: "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
    Network", CVPR 2017. G minimizes the weighted sum (eq. (3)) of the pixel distance (eq. (4)), the
    feature distance (eq. (5)), and the adversarial loss (eq. (6)). With the pixel distance
    alone, as for SRResNet, an enlarged image is the mean of all possible images, and is therefore
    smooth; the other two terms select one possible image. As in the paper, first train with the
    pixel distance, and then pass the same generator to an SRGAN.

    Deviations: features are compared as unit vectors (`losses.feature_distance`), whose scale does
    not depend on the network, whereas the paper divides VGG features by 12.75. G is updated before
    the discriminator, which saves one pass. Small images, like large images, are in [-1, 1] instead
    of [0, 1].

    Args:
        generator: Network G, such as `sr_resnet`, which maps float images in [-1, 1] to larger
            images.
        discriminator: Network that maps enlarged or original images to logits. If None, there is no
            adversarial loss.
        feature_network: Network that maps enlarged or original images to one or more feature maps,
            such as `vgg_features` or the `activation_maps` of a classifier. This network is not
            trained. If None, there is no feature distance.
        objective: Adversarial objective, a name or an object. By default, G's loss is
            non-saturating, eq. (6).
        pixel_distance: Type of pixel distance: `"squared"`, as in the paper, or `"absolute"`.
        pixel_weight: Weight of the pixel distance: 1 for SRResNet, 0 for the paper's SRGAN.
        feature_weight: Weight of the feature distance.
        adversarial_weight: Weight of the adversarial loss, 1e-3 in eq. (3).
        seed: Seed for all randomness in training steps.

    Raises:
        ValueError: If a weight is negative, or if `pixel_distance` is unknown; in `fit`, if the
            size of the larger images differs from the size of G's output.

    Example:
    ```python
    from keras_gen.networks import sr_resnet
    model = SRGAN(sr_resnet(filters=4, blocks=1, factor=2))
    model.compile()
    small, large = np.zeros((4, 8, 8, 3), "uint8"), np.zeros((4, 16, 16, 3), "uint8")
    model.fit(small, large, batch_size=2)
    model.translate(large).shape  # 32x32
    ```
    """

    batch = ("x", "y")
    size_multiple = 1
    # For an image of 362 x 362 pixels, feature maps with 16 times as many pixels require one GiB of
    # memory.
    most_elements = 3 * 2**17

    generator: keras.Model = network("x -> y", kw_only=True)
    discriminator: keras.Model | None = network("y -> logits", default=None)
    feature_network: keras.Model | None = network("y -> map ...", default=None)
    objective: Named[Objective] = made_by(
        adversarial.get_of_fakes, default="non_saturating", later=True
    )
    pixel_distance: Literal["squared", "absolute"] = "squared"
    pixel_weight: Weight = 1.0
    feature_weight: Weight = 1.0
    adversarial_weight: Weight = 1e-3

    @override
    def train_step(self, data):
        """Updates G, and then D, on the images that G returned before its update."""
        batch = self.prepare_batch(data)
        large = batch["y"]

        def generator_loss():
            enlarged = tf.cast(self.generator(batch["x"], training=self.training), tf.float32)
            _require_same_size(enlarged, large)
            distance = PIXEL_DISTANCES[self.pixel_distance]
            terms = {"pixel": per_example_mean(distance(large - enlarged))}  # eq. (4)
            if self.feature_network:
                maps = [self.feature_network(each, training=False) for each in (large, enlarged)]
                terms["feature"] = feature_distance(*maps)  # eq. (5)
            if self.discriminator:
                logits = self.discriminator(enlarged, training=self.training)
                terms["adversarial"] = self.objective.generator(logits)  # eq. (6)
            return self.weighted(terms), terms, enlarged

        g_loss, terms, enlarged = self.minimize(generator_loss, "g_optimizer")
        if not self.discriminator:
            return self.report(terms, g_loss=g_loss)

        def discriminator_loss():
            d = partial(self.discriminator, training=self.training)
            return self.objective.discriminator(d(large), d(enlarged))  # eq. (2)

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    @override
    def predictors(self):
        return Player([self.generator])

    @override
    def players(self):
        adam = partial(keras.optimizers.Adam, 1e-4)  # sec. 3.2
        return {
            name: Player(player.networks, adam) for name, player in super().players().items()
        }

    @override
    def loss_weights(self):
        weights: dict = {"pixel": self.pixel_weight}
        if self.feature_network:
            weights["feature"] = self.feature_weight
        if self.discriminator:
            weights["adversarial"] = self.adversarial_weight
        return weights

    # Use -------------------------------------------------------------------------------------

    @override
    def directions(self) -> dict:
        """Returns G as `enlarge`."""
        return {"enlarge": self.generator}

    @for_users
    def self_ensemble(self, images, batch_size: int = 8) -> np.ndarray:
        """Returns enlarged uint8 images, averaged over all rotations and reflections.

        Timofte, Rothe, Van Gool: "Seven Ways to Improve Example-Based Single Image Super
        Resolution", CVPR 2016, sec. 3.5. The ensemble takes eight times as long as `enlarge`.

        Args:
            images: Images, uint8 `[n, height, width, channels]`.
            batch_size: Number of images processed at once.
        """
        scaled = self.edges["x"].prepare(images).numpy()
        results = []
        for mirrored in (False, True):
            for turns in range(4):
                seen = np.rot90(scaled[:, :, ::-1] if mirrored else scaled, turns, axes=(1, 2))
                large = np.rot90(
                    self.translate(seen, batch_size=batch_size), -turns, axes=(1, 2)
                )
                results.append(large[:, :, ::-1] if mirrored else large)
        return self.edges["y"].restore(np.mean(results, axis=0)).numpy()

    @override
    def call(self, images, training=False):
        return self.generator(images, training=training)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        self.edges["x"] = Images(self.generator.input_shape[1:])
        self.edges["y"] = Images(self.generator.output_shape[1:], name="targets")
        require_range(self.edges["y"].span, "images", self.generator)
        factor = self._factor()
        if self.discriminator is not None:
            self._train_on(self.discriminator.input_shape[1:], factor)

    def _factor(self) -> int:
        """Returns the factor by which the generator enlarges both sides."""
        *sides, channels = self.generator.input_shape[1:]
        height, width = (16 if side is None else side for side in sides)
        large = made_shape(self.generator, (height, width, channels))[:2]
        factor = large[0] // height
        if factor < 1 or large != (factor * height, factor * width):
            raise ValueError(
                f"The generator '{self.generator.name}' maps images of {height}x{width} pixels to "
                f"{large[0]}x{large[1]} pixels: expected output sides that are the same integer "
                "multiple of the input sides."
            )
        return factor

    def _train_on(self, large: tuple, factor: int):
        """Makes training accept images of the discriminator's size, and matching small images."""
        height, width, channels = large
        if height % factor or width % factor:
            raise ValueError(
                f"The discriminator accepts {height}x{width} pixels: expected multiples of "
                f"{factor}, the generator's upscaling factor."
            )
        self.training_edges["x"] = Images((height // factor, width // factor, channels))
        self.training_edges["y"] = Images(large, name="targets")

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, factor: int = 4, filters: int = 64, blocks: CountFrom0 = 16, **kwargs
    ):
        """Builds the model with the paper's networks.

        Args:
            shape: `(height, width, channels)` of the larger training images.
            factor: Enlargement factor: 2, 3, 4, or 8.
            filters: Number of channels in the first layers.
            blocks: Number of residual blocks.
            **kwargs: Additional arguments for the class.
        """
        generator = sr_resnet(shape[-1], filters, blocks, factor)
        return cls(generator, sr_discriminator(shape, filters, 16 * filters), **kwargs)


def _require_same_size(enlarged, large):
    """Raises a ValueError if the generator's images and the targets differ in size."""
    if not enlarged.shape.is_compatible_with(large.shape):
        raise ValueError(
            f"The generator returns images of {enlarged.shape[1]}x{enlarged.shape[2]} pixels, "
            f"but the targets have {large.shape[1]}x{large.shape[2]}: expected the same size."
        )
