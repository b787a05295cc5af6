"""Context encoders (Pathak, Krähenbühl, Donahue, Darrell, Efros 2016)."""

from functools import partial
from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_seed
from keras_gen.core import Player, capability, for_users, noise, require_range
from keras_gen.core.capabilities import as_examples
from keras_gen.core.kinds_of_data import Images, Levels, missing_pixels
from keras_gen.core.schedules import Weight
from keras_gen.data.transforms.images import centered_square, random_regions
from keras_gen.declared import CountFrom0, Named, made_by, network
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import Objective
from keras_gen.translation.predictor import AdversarialPredictor

_CELLS = 8  # number of rows and columns of the noise that defines random regions


@keras.saving.register_keras_serializable("keras_gen")
class ContextEncoder(AdversarialPredictor):
    """An encoder that learns features by predicting missing regions of images.

    Pathak, Krähenbühl, Donahue, Darrell, Efros: "Context Encoders: Feature Learning by Inpainting",
    CVPR 2016. The encoder and decoder, F, minimize eq. (3), the weighted sum of the masked squared
    error in eq. (1) and the adversarial loss in eq. (2). The discriminator sees only the predicted
    region. F returns the whole image, but values outside of the region do not contribute to the
    loss.

    With `"center"`, the missing region is the central square with half the image's side. A border
    of `overlap` pixels within the square remains visible, and the error in this border has ten
    times the weight (sec. 3.3). With `"random"`, the region covers a quarter of the image and has
    an arbitrary shape. It consists of the pixels at which coarse noise, sampled for each image and
    upsampled smoothly, has its lowest values. Missing pixels are set to 0, which is mid-gray.

    Deviations: random regions come from noise, as in the authors' code, whereas the paper uses
    silhouettes from PASCAL VOC; with random regions, the discriminator sees the whole image,
    including the known pixels. F is updated before the discriminator, which saves one pass, and F's
    adversarial loss is the non-saturating form of eq. (2), as in the authors' code. The
    channel-wise fully connected layer (fig. 9b) is also used in the decoder for inpainting, instead
    of the bottleneck of 4000 units in fig. 9a.

    Args:
        encoder: Network that maps float images in [-1, 1] to features `[batch, ...]`.
        decoder: Network that maps features to images of the same size in [-1, 1].
        discriminator: Network that maps predicted regions to logits: squares with half the image's
            side for `"center"`, or whole images for `"random"`. If None, only the reconstruction
            loss is used, as for the features in the paper.
        mask: Type of the missing region, `"center"` or `"random"`.
        overlap: Width, in pixels, of the overlap between the predicted square and its context, used
            with `"center"`. The authors' code uses 4 for images of 128 pixels.
        overlap_weight: Weight of the squared error in the overlap.
        objective: Adversarial objective, a name or an object.
        reconstruction_weight: Weight of the squared error, lambda_rec in eq. (3).
        adversarial_weight: Weight of the adversarial loss, lambda_adv in eq. (3).
        seed: Seed for the sampled regions.

    Raises:
        ValueError: If the networks do not match, if `mask` is unknown, if `overlap` leaves nothing
            to predict, or if a weight is negative.

    Example:
    ```python
    from keras_gen.networks import context_decoder, context_encoder, dcgan_discriminator
    shape = (32, 32, 3)
    model = ContextEncoder(
        context_encoder(shape, 8), context_decoder(shape, 8), dcgan_discriminator((16, 16, 3), 8)
    )
    model.compile()
    images = np.zeros((8, *shape), "uint8")
    model.fit(images, batch_size=4)
    filled, features = model.inpaint(images), model.encode(images)
    ```
    """

    default_signature = "inpaint"
    predicts = "fill"

    encoder: keras.Model = network("x -> features", kw_only=True)
    decoder: keras.Model = network("features -> x", kw_only=True)
    mask: Literal["center", "random"] = "center"
    overlap: CountFrom0 = 1
    overlap_weight: Weight = 10.0
    objective: Named[Objective] = made_by(
        adversarial.get_of_fakes, default="non_saturating", later=True
    )
    reconstruction_weight: Weight = 0.999
    adversarial_weight: Weight = 0.001

    @override
    def train_step(self, data):
        """Updates F on eqs. (1) and (2), and then the discriminator.

        The discriminator is updated on the predictions that F made before its update.
        """
        batch = self.prepare_batch(data)
        x = batch["x"]

        def generator_loss():
            missing = self._missing(keras.ops.shape(x)[0], self.stateless_seed("regions"))
            filled = tf.cast(self((1 - missing) * x, training=self.training), tf.float32)
            # The weights of the squared errors are 0 where nothing is predicted.
            weights = missing
            if self.mask == "center":
                border = centered_square(x.shape[1], self._margin) - missing
                weights += self.scheduled(self.overlap_weight) * border
            # Eq. (1), divided by the number of predicted values, as in the authors' code.
            error = tf.reduce_sum(weights * tf.square(x - filled), axis=[1, 2, 3])
            pixels = tf.math.count_nonzero(weights, axis=[1, 2, 3], dtype=tf.float32)
            terms = {"reconstruction": error / (pixels * x.shape[-1])}
            # Gradients pass through the predicted region, but not through the known pixels around
            # random regions.
            predicted = self._seen(tf.where(weights > 0, filled, x))
            if self.discriminator:
                logits = self.discriminator(predicted, training=self.training)
                terms["adversarial"] = self.objective.generator(logits)  # eq. (2)
            return self.weighted(terms), terms, predicted

        g_loss, terms, predicted = self.minimize(generator_loss, "g_optimizer")
        if not self.discriminator:
            return self.report(terms, g_loss=g_loss)

        def discriminator_loss():
            d = partial(self.discriminator, training=self.training)
            return self.objective.discriminator(d(self._seen(x)), d(predicted))

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    def _seen(self, images):
        """Returns the discriminator's input for whole images."""
        seen = slice(self._margin, images.shape[1] - self._margin)
        return images[:, seen, seen]

    def _missing(self, n, key):
        """Returns masks `[n, side, side, 1]`, 1 at missing pixels; central masks are all equal."""
        side = self.encoder.input_shape[1]
        if self.mask == "center":
            return tf.repeat(centered_square(side, self._margin + self.overlap), n, axis=0)
        return random_regions(noise.uniform([n, _CELLS, _CELLS, 1], key), side)

    @property
    def _margin(self):
        """Number of pixels at each border of an image that the discriminator does not see."""
        return self.encoder.input_shape[1] // 4 if self.mask == "center" else 0

    @override
    def call(self, images, training=False):
        """Returns F's output (whole images) for images in [-1, 1] whose missing pixels are 0."""
        return self.decoder(self.encoder(images, training=training), training=training)

    @override
    def loss_weights(self):
        if not self.discriminator:
            return {"reconstruction": 1.0}
        return dict(
            reconstruction=self.reconstruction_weight, adversarial=self.adversarial_weight
        )

    @override
    def predictors(self):
        # F learns at ten times the discriminator's rate (sec. 5.1).
        return Player(
            [self.encoder, self.decoder], partial(keras.optimizers.Adam, 2e-3, beta_1=0.5)
        )

    # Use -------------------------------------------------------------------------------------

    @for_users
    def masks(self, n: int, seed: int | None = None) -> np.ndarray:
        """Samples n masks as in training, uint8 `[n, side, side, 1]`, with 1 at missing pixels."""
        seed = None if seed is None else checked_seed(seed)
        seed = int(np.random.default_rng(seed).integers(2**31))
        return self._drawn(n, seed).numpy().astype("uint8")

    @for_users
    def inpaint(
        self, images, masks=None, seed: int | None = None, batch_size: int = 256
    ) -> np.ndarray:
        """Fills in the missing pixels of images, and returns images of the same shape and type.

        Args:
            images: Images `[n, side, side, channels]`, uint8 or floats in [-1, 1]. Missing pixels
                may have any value.
            masks: Masks `[n, side, side]` or `[n, side, side, 1]`, nonzero where a pixel is
                missing. If None, masks are sampled as in training.
            seed: Seed for the masks. If None, each call samples new masks.
            batch_size: Number of images processed at once.

        Raises:
            TypeError: If the dtype of the images is not supported.
            ValueError: If the shape of images or masks, or the range of images, is invalid.
        """
        images = as_examples(self.edges["x"], images)
        masks = self.masks(len(images), seed) if masks is None else missing_pixels(masks)
        masks = masks if masks.ndim == 4 else masks[..., None]
        return self.fill(images, masks.astype("uint8"), batch_size=batch_size)

    @capability
    def fill(self, x, masks):
        """Returns images filled in where uint8 masks `[n, side, side, 1]` are nonzero."""
        missing = masks > 0
        filled = tf.cast(self(tf.where(missing, 0.0, x), training=False), tf.float32)
        return {"x": tf.where(missing, filled, x)}

    @capability
    def encode(self, x):
        """Returns the features of whole images, float32 `[n, ...]`."""
        return {"features": self.encoder(x, training=False)}

    @override
    def signatures(self) -> dict:
        """Returns `fill`, `encode`, and `inpaint` with training regions sampled with seed 0."""

        def inpaint(self, x):
            masks = self._drawn(keras.ops.shape(x)[0], 0)
            return ContextEncoder.fill.function(self, x=x, masks=masks)

        return super().signatures() | {"inpaint": self.signature(inpaint, ["x"])}

    def _drawn(self, n, seed):
        return self._missing(n, noise.stateless_seed(0, seed, "masks"))

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        height, width, channels = shape = self.encoder.input_shape[1:]
        if height != width or None in shape:
            raise ValueError(
                f"The encoder accepts images of shape {shape}: expected squares of known size."
            )
        self.edges["x"] = Images(shape)
        self.edges["masks"] = Levels((height, width, 1), name="masks")
        require_range(self.edges["x"].span, "images", self.decoder)
        most = height // 4 - 1
        if self.overlap > most:
            raise ValueError(
                f"overlap is {self.overlap} for images of {height} pixels: expected 0 to "
                f"{most}, so that part of the image is missing."
            )
        seen = height - 2 * self._margin
        if self.discriminator and self.discriminator.input_shape[1:] != (seen, seen, channels):
            raise ValueError(
                f"The discriminator accepts {self.discriminator.input_shape[1:]}: expected "
                f"{(seen, seen, channels)}, the shape of the region predicted with "
                f"mask={self.mask!r}."
            )
