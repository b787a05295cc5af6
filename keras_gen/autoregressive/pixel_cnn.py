"""PixelCNN (van den Oord, Kalchbrenner, Kavukcuoglu 2016)."""

import keras
import numpy as np
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_seed
from keras_gen.autoregressive.causal_model import CausalModel
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import capability, for_users
from keras_gen.core.capabilities import as_examples
from keras_gen.core.kinds_of_data import Levels, missing_pixels
from keras_gen.declared import CountFrom0, Named, made_by
from keras_gen.losses import likelihoods
from keras_gen.losses.likelihoods import Likelihood
from keras_gen.networks import gated_pixel_cnn


@keras.saving.register_keras_serializable("keras_gen")
class PixelCNN(CausalModel):
    """An autoregressive image model that predicts each value from earlier values.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, eqs. (1)
    and (2), with the masked convolutions of sec. 3.4 and a softmax over the levels (sec. 3.5). The
    loss is the exact negative log-likelihood in nats. With a network from
    `keras_gen.networks.gated_pixel_cnn`, the model is the Gated PixelCNN (van den Oord et al.
    2016). With `likelihood=DiscretizedLogistic(mixtures=10)`, it has the likelihood of PixelCNN++
    (Salimans et al. 2017). `likelihood="bernoulli"` is for black-and-white images.

    Deviations: see the network, such as `keras_gen.networks.pixel_cnn`.

    Args:
        network: Network that maps images `[batch, height, width, channels]`, with values in the
            likelihood's range, to the likelihood's parameters
            `[batch, height, width, channels * parameters]`, in the order `[channel, parameter]`.
            The parameters of a value depend only on earlier values: values are ordered by row, then
            by pixel, then by channel.
        likelihood: Distribution of a value, a name or an object. The paper's distribution, with 256
            levels, is `"categorical"`.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: See `CausalModel`.

    Example:
    ```python
    from keras_gen.losses import Categorical
    from keras_gen.networks import pixel_cnn
    network = pixel_cnn((8, 8, 1), 4, filters=8, blocks=1, levels=4)
    model = PixelCNN(network, Categorical(4))
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1, temperature=0.9)
    lower_half = np.repeat(np.arange(8)[:, None, None] >= 4, 8, axis=1)
    completed = model.complete(images, lower_half, n=3, seed=1)  # [9, 3, 8, 8, 1]
    ```
    """

    likelihood: Named[Likelihood] = made_by(likelihoods.get)

    @for_users
    def complete(
        self, images, masks, n: int = 1, seed: int | None = None, batch_size: int = 64, **given
    ) -> np.ndarray:
        """Samples the missing pixels of images, given earlier known pixels.

        Each missing value is sampled from p(value | earlier values), so known values that come
        later have no influence. Completing the lower half works best.

        Args:
            images: Images `[m, height, width, channels]` in the model's input format. The values of
                missing pixels are ignored.
            masks: One mask for all images, or masks `[m, height, width, 1]`, nonzero where a pixel
                is missing.
            n: Number of completions of each image, at least 1.
            seed: Seed, 0 to 2**31 - 1. If None, each call returns different completions.
            batch_size: Number of completions sampled at once.
            **given: Additional arguments for `fill`, such as `labels`, with one value per image or
                one value for all images. Without labels, each completion has a random class.

        Returns:
            Images `[m, n, height, width, channels]`, in the format of the model's samples.

        Raises:
            ValueError: If the shape or range of the images, the masks, or another argument is
                invalid.
        """
        n = checked_integer("n", n, minimum=1)
        images = np.asarray(as_examples(self.edges["x"], images))
        masks = missing_pixels(masks)
        size = self.edges["masks"].shape
        if masks.shape not in (size, (len(images), *size)):
            raise ValueError(
                f"The mask has shape {masks.shape}: expected {size}, or one such mask per image."
            )
        masks = np.broadcast_to(masks, (len(images), *size))
        count = len(images) * n
        random = np.random.default_rng(None if seed is None else checked_seed(seed))
        seeds = random.integers(2**31 - 1, size=count, dtype=np.int32)
        repeated = {k: np.repeat(v, n, axis=0) if np.ndim(v) else v for k, v in given.items()}
        if "labels" in self.given and "labels" not in given:
            repeated["labels"] = random.integers(self.edges["labels"].classes, size=count)
        filled = self.fill(
            np.repeat(images, n, axis=0),
            np.repeat(masks, n, axis=0).astype("uint8"),
            seeds,
            batch_size=batch_size,
            **repeated,
        )
        return filled.reshape(len(images), n, *filled.shape[1:])

    @capability
    def fill(self, x, masks, seeds, **given):
        """Returns images with pixels sampled where masks `[n, height, width, 1]` are 1.

        The noise of each image is determined by its seed, an integer.
        """
        return {"x": self.filled(x, masks, seeds, list(given.values()))}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        height, width, _ = self.edges["x"].shape
        self.edges["masks"] = Levels((height, width, 1), 2, name="masks")

    @classmethod
    @checked_arguments(square=True)
    def for_images(cls, shape: tuple, filters: int = 32, blocks: CountFrom0 = 5, **kwargs):
        """Builds the model with the Gated PixelCNN network, which has no blind spot.

        By default, the likelihood is "categorical", a softmax over 256 levels. For color images,
        `keras_gen.losses.DiscretizedLogistic(mixtures=10)` requires less memory and time.

        Args:
            shape: `(height, width, channels)` of the images.
            filters: Number of feature maps, rounded up to a multiple of the number of image
                channels; see `keras_gen.networks.gated_pixel_cnn`.
            blocks: Number of blocks.
            **kwargs: Additional arguments for the class.

        Example: `PixelCNN.for_images((28, 28, 1), likelihood="bernoulli")`.
        """
        likelihood = likelihoods.get(kwargs.setdefault("likelihood", "categorical"))
        network = gated_pixel_cnn(
            shape,
            likelihood.params_per_value,
            filters + -filters % shape[-1],
            blocks,
            levels=likelihood.input_levels,
            classes=kwargs.get("classes") or 0,
        )
        return cls(network, **kwargs)
