"""Image augmentations: functions `augment(example, seed)` for `Source.stream`.

An example is a uint8 image `[height, width, channels]`, or a tuple whose first field is such an
image; `seed` is a stateless seed `[2]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import StatelessSeed, checked_tensor, checked_types
from keras_gen.data.source import on_first
from keras_gen.data.transforms.images import resize_cover
from keras_gen.declared import Fraction, PositiveInteger


@checked_types
def random_crop_flip(
    crop: int | tuple[int, int],
    smallest: float = 1.0,
    unchanged: float = 0.0,
    images: PositiveInteger = 1,
) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that crops images at random, and mirrors them with probability 1/2.

    Args:
        crop: Side length of a square crop in pixels, or the height and width of a crop. The crop
            may not be larger than the image.
        smallest: Minimum scale factor, in (0, 1]. For networks that are applied to images of
            several sizes, the image is first shrunk by a random factor, log-uniform between
            `smallest` and 1, but never below the size of the crop. If `smallest` is below 1, crops
            must be square.
        unchanged: Probability, in [0, 1), that the image is not shrunk. Shrinking removes the
            finest details, which a generator must see often.
        images: Number of images of equal size at the start of an example; for pairs, this number is
            2. All of these images are shrunk, cropped, and mirrored in the same way.

    Example:
        >>> batches = source.stream(1, augment=random_crop_flip(128))
    """
    sides = crop if isinstance(crop, tuple) else (crop, crop)
    for each in sides:
        checked_integer("crop", each, minimum=1)
    if smallest < 1 and isinstance(crop, tuple):
        raise ValueError(
            f"crop is {crop} and smallest is {smallest}: expected a square crop, given as one "
            "number, or smallest=1."
        )
    if not 0 < smallest <= 1:
        raise ValueError(f"smallest is {smallest}: expected a factor in (0, 1].")
    if not 0 <= unchanged < 1:
        raise ValueError(f"unchanged is {unchanged}: expected a probability in [0, 1).")
    # A number that is uniform from here to 1 is negative with the probability `unchanged`.
    lowest = -unchanged / (1 - unchanged)

    def augment(example: Any, seed: tf.Tensor) -> Any:
        crop_seed, flip_seed = tf.unstack(tf.random.split(seed))

        def crop_flip(image: tf.Tensor) -> tf.Tensor:
            height, width = sides
            if any(side and each > side for each, side in zip(sides, image.shape, strict=False)):
                raise ValueError(
                    f"crop is {crop}: expected a crop of at most the image size, "
                    f"{image.shape[:2]}."
                )
            if smallest < 1:  # `side` is resized to the side of the crop
                shrinking = tf.nn.relu(tf.random.stateless_uniform([], seed, lowest, 1.0))
                side = tf.cast(tf.round(height / smallest**shrinking), tf.int32)
                height = width = tf.minimum(side, tf.reduce_min(tf.shape(image)[:2]))
            image = tf.image.stateless_random_crop(
                image, [height, width, image.shape[-1]], crop_seed
            )
            if smallest < 1:
                image = resize_cover(image, sides[0])
            return tf.image.stateless_random_flip_left_right(image, flip_seed)

        if images == 1:
            return on_image(crop_flip, example)
        if not isinstance(example, tuple) or len(example) < images:
            raise ValueError(
                f"images is {images}: expected tuples that begin with {images} images, but got an "
                "example with the shapes "
                f"{tf.nest.map_structure(lambda part: part.shape, example)}."
            )
        # The same seeds are used for all images of an example.
        changed = [on_image(crop_flip, image) for image in example[:images]]
        return (*changed, *example[images:])

    return augment


@checked_types
def random_shift_flip(shift: int, flip: bool = True) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that shifts an image at random, and mirrors it with probability 1/2.

    The image's own reflection fills the gap at the border.

    Args:
        shift: Maximum vertical and horizontal shift in pixels: at least 0, and less than the sides
            of the image.
        flip: Whether images may be mirrored. Pass False for digits.

    Example:
        >>> batches = source.stream(64, augment=random_shift_flip(3))
    """

    def augment(example: Any, seed: tf.Tensor) -> Any:
        crop_seed, flip_seed = tf.unstack(tf.random.split(seed))

        def shift_flip(image: tf.Tensor) -> tf.Tensor:
            if any(side is not None and shift >= side for side in image.shape[:2]):
                raise ValueError(
                    f"shift is {shift}: expected a shift smaller than both image sides, "
                    f"{image.shape[:2]}."
                )
            padded = tf.pad(image, [[shift, shift], [shift, shift], [0, 0]], "REFLECT")
            shifted = tf.image.stateless_random_crop(padded, image.shape, crop_seed)
            if not flip:
                return shifted
            return tf.image.stateless_random_flip_left_right(shifted, flip_seed)

        return on_image(shift_flip, example)

    return augment


@checked_types
def random_levels(rate: Fraction) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that replaces values of one or more images with random levels.

    Ren et al.: "Likelihood Ratios for Out-of-Distribution Detection", NeurIPS 2019, algorithm 1.
    The resulting images share only the background with real images.

    Args:
        rate: Probability that a value is replaced with a level that is sampled uniformly from the
            256 levels. The authors' code tries 0.1, 0.2, and 0.3.

    Example:
        >>> batches = source.stream(100, augment_batch=random_levels(0.2))
    """

    def augment(example: Any, seed: tf.Tensor) -> Any:
        where_seed, level_seed = tf.unstack(tf.random.split(seed))

        def mutate(image: tf.Tensor) -> tf.Tensor:
            shape = tf.shape(image)
            anew = tf.random.stateless_uniform(shape, where_seed) < rate
            levels = tf.random.stateless_uniform(shape, level_seed, 0, 256, tf.int32)
            return tf.where(anew, tf.cast(levels, tf.uint8), image)

        return on_image(mutate, example, ranks=(3, 4))

    return augment


@checked_types
def binarize(example: Any, seed: StatelessSeed) -> Any:
    """Samples binary pixels as an augmentation; gray values are the probabilities of 1.

    This is dynamic binarization, as in Burda, Grosse, Salakhutdinov: "Importance Weighted
    Autoencoders", ICLR 2016: a pixel is 1 with probability `value / 255`, and is resampled in every
    epoch. The result is float32.

    Args:
        example: uint8 image `[height, width, channels]` or images `[n, height, width, channels]`,
            or a tuple whose first field is one of these.
        seed: Stateless seed `[2]`.

    Raises:
        ValueError: If the image or the seed has an unsupported dtype or shape.

    Example:
        >>> binary = binarize(images, seed=tf.constant([0, 1]))
        >>> batches = source.stream(64, augment_batch=binarize)
    """

    def draw(image: tf.Tensor) -> tf.Tensor:
        uniform = tf.random.stateless_uniform(tf.shape(image), seed)
        return tf.cast(uniform * 255.0 < tf.cast(image, tf.float32), tf.float32)

    return on_image(draw, example, ranks=(3, 4))


@checked_types
def draw_normal(example: Any, seed: StatelessSeed) -> Any:
    """Samples normal variables, such as latents, as an augmentation; returns float32 `[n, ...]`.

    Args:
        example: Means and log variances, floats `[n, 2, ...]`, or a tuple whose first field has
            this shape.
        seed: Stateless seed `[2]`.

    Raises:
        TypeError: If the example does not consist of numbers.
        ValueError: If the example or the seed has an unsupported dtype or shape.

    Example:
        >>> drawn = draw_normal(np.zeros([8, 2, 5], "float32"), seed=tf.constant([0, 1]))
        >>> codes = Source(np.stack(model.encode(images), axis=1))
        >>> batches = codes.stream(64, augment_batch=draw_normal)
    """

    def draw(both: tf.Tensor) -> tf.Tensor:
        both = tf.cast(checked_tensor("example", both), tf.float32)
        if both.shape.rank < 3 or both.shape[1] != 2:
            raise ValueError(
                f"The example has shape {both.shape}: expected means and log variances [n, 2, "
                "...]."
            )
        mean, log_variance = tf.unstack(both, axis=1)
        normal = tf.random.stateless_normal(tf.shape(mean), seed)
        return mean + tf.exp(0.5 * log_variance) * normal

    return on_first(draw, example)


def on_image(
    function: Callable[[tf.Tensor], tf.Tensor], example: Any, ranks: tuple[int, ...] = (3,)
) -> Any:
    """Applies `function` to a uint8 image of `ranks`, or to the first field of a tuple."""

    def checked(image: tf.Tensor) -> tf.Tensor:
        image = checked_tensor("example", image)
        if image.dtype != tf.uint8 or image.shape.rank not in ranks:
            raise ValueError(
                f"The example is {image.dtype.name} of shape {image.shape}: expected uint8 "
                "[height, width, channels]."
            )
        return function(image)

    return on_first(checked, example)


def moved(images: tf.Tensor, down, right, most: int, mode: str = "CONSTANT") -> tf.Tensor:
    """Shifts each image by its own number of pixels.

    Args:
        images: Images `[batch, height, width, channels]` of static size.
        down: Downward shift in pixels, int32 `[batch]`.
        right: Rightward shift in pixels, int32 `[batch]`.
        most: Maximum shift in any direction, in pixels; less than the height and the width.
        mode: Method for filling the gap: `"CONSTANT"` (0) or `"REFLECT"`, as in `tf.pad`.
    """
    height, width = images.shape[1:3]
    images = tf.pad(images, [[0, 0], [most, most], [most, most], [0, 0]], mode)
    for axis, side, shift in ((1, height, down), (2, width, right)):
        places = tf.range(side)[None] + most - shift[:, None]
        images = tf.gather(images, places, axis=axis, batch_dims=1)
    return images
