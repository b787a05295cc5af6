"""Functions of one image or one example, for resizing once and augmenting every epoch.

An augmentation is a function `augment(example, seed)` of a uint8 image `[height, width,
channels]`, or of a tuple whose first field is one, and a stateless seed `[2]`. It belongs in
`Source.stream(augment=...)`, never before what is cached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gen.data.source import checked_integer


def _on_image(function: Callable[[tf.Tensor], tf.Tensor], example: Any, ranks=(3,)) -> Any:
    """Applies `function` to an image, or to the first field of a tuple."""
    if isinstance(example, tuple):
        return (_on_image(function, example[0], ranks), *example[1:])
    if example.dtype != tf.uint8 or example.shape.rank not in ranks:
        raise ValueError(
            "an image must be uint8 [height, width, channels], found "
            f"{example.dtype.name} {example.shape}."
        )
    return function(example)


def _check_size(size: int) -> int:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"an image size must be an integer of at least 1 pixel, found {size!r}.")
    return size


def resize_cover(image: tf.Tensor, size: int) -> tf.Tensor:
    """Resizes the shorter side to `size`, aspect kept, and cuts the center square out.

    Args:
        image: uint8 `[height, width, channels]`, any size.
        size: Side of the result in pixels.

    Returns:
        uint8 `[size, size, channels]`, antialiased when it shrinks (bilinear).

    Example:
        >>> resize_cover(np.zeros([300, 400, 3], "uint8"), 128).shape
        TensorShape([128, 128, 3])
    """
    _check_size(size)
    image = tf.convert_to_tensor(image)
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    # The square is cut first: what falls outside need not be resized.
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    resized = tf.image.resize(square, [size, size], antialias=True)
    rounded = tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)
    return tf.ensure_shape(rounded, [size, size, image.shape[-1]])


def pad_to(image: tf.Tensor, size: int) -> tf.Tensor:
    """Centers a small image on a black square, as DCGANs pad 28x28 digits to 32x32.

    Args:
        image: `[height, width, channels]` of static shape, at most `size` either way, or a batch.
        size: Side of the result in pixels.

    Returns:
        `[size, size, channels]` of the same dtype, or a batch.

    Raises:
        ValueError: If the image is larger than `size`.
    """
    _check_size(size)
    image = tf.convert_to_tensor(image)
    *_, height, width, _ = image.shape
    if height > size or width > size:
        raise ValueError(
            f"an image of {height}x{width} cannot be padded to {size}x{size}; use resize_cover."
        )
    return tf.image.pad_to_bounding_box(
        image, (size - height) // 2, (size - width) // 2, size, size
    )


def random_crop_flip(
    crop: int, smallest: float = 1.0, unchanged: float = 0.0
) -> Callable[[Any, Any], Any]:
    """Returns an augmentation: a random square is cut out, and mirrored with probability 1/2.

    Args:
        crop: Side of the square in pixels, at most the image's sides.
        smallest: The image is shrunk before by a random factor, log-uniform between this one and 1,
            but never below the crop: a network that is to be applied to images of several sizes
            must have seen things at several.
        unchanged: Probability with which it is not. However little an image is shrunk, it loses
            its finest contrast, so a network that has to draw such contrast must see it often.

    Returns:
        `augment(example, seed)`; see the module.

    Raises:
        ValueError: If `crop` is no size, `smallest` is not in (0, 1], `unchanged` is not in [0, 1),
            or, of the augmentation, if the crop does not fit into an image.

    Example:
        >>> batches = source.stream(1, augment=random_crop_flip(128))
    """
    _check_size(crop)
    if not 0 < smallest <= 1:
        raise ValueError(f"smallest is {smallest}: expected a factor in (0, 1].")
    if not 0 <= unchanged < 1:
        raise ValueError(f"unchanged is {unchanged}: expected a probability in [0, 1).")
    lowest = -unchanged / (1 - unchanged)  # Of a uniform number that is negative so often.

    def augment(example: Any, seed: tf.Tensor) -> Any:
        crop_seed, flip_seed = tf.unstack(tf.random.split(seed))

        def crop_flip(image: tf.Tensor) -> tf.Tensor:
            if any(side is not None and side < crop for side in image.shape[:2]):
                raise ValueError(
                    f"a crop of {crop} does not fit into an image of {image.shape}; resize the "
                    "images to a larger size first."
                )
            shrinking = tf.nn.relu(tf.random.stateless_uniform([], seed, lowest, 1.0))
            cut = crop if smallest == 1 else _side_before(image, crop, smallest**shrinking)
            image = tf.image.stateless_random_crop(image, [cut, cut, image.shape[-1]], crop_seed)
            image = image if smallest == 1 else resize_cover(image, crop)
            return tf.image.stateless_random_flip_left_right(image, flip_seed)

        return _on_image(crop_flip, example)

    return augment


def random_shift_flip(shift: int, flip: bool = True) -> Callable[[Any, Any], Any]:
    """Returns an augmentation: an image is shifted at random, and mirrored with probability 1/2.

    What comes in at the border is the image's own reflection, so the size stays.

    Args:
        shift: Most pixels that the image moves by, up or down and left or right: from 0 to below
            its sides.
        flip: Whether it may be mirrored; digits are not.

    Returns:
        `augment(example, seed)`; see the module.

    Raises:
        TypeError: If `shift` is not an integer.
        ValueError: If `shift` is negative.

    Example:
        >>> batches = source.stream(64, augment=random_shift_flip(3))
    """
    around = [[checked_integer("shift", shift, minimum=0)] * 2] * 2 + [[0, 0]]

    def augment(example: Any, seed: tf.Tensor) -> Any:
        crop_seed, flip_seed = tf.unstack(tf.random.split(seed))

        def shift_flip(image: tf.Tensor) -> tf.Tensor:
            padded = tf.pad(image, around, "REFLECT")
            shifted = tf.image.stateless_random_crop(padded, image.shape, crop_seed)
            if not flip:
                return shifted
            return tf.image.stateless_random_flip_left_right(shifted, flip_seed)

        return _on_image(shift_flip, example)

    return augment


def random_levels(rate: float) -> Callable[[Any, Any], Any]:
    """Returns an augmentation: values of an image become random levels.

    Ren et al.: "Likelihood Ratios for Out-of-Distribution Detection", NeurIPS 2019, algorithm 1:
    what such images still share with the real ones is the background that a likelihood ratio is to
    take out.

    Args:
        rate: Probability that a value is drawn anew, uniformly among the 256 levels. The authors'
            code tries 0.1, 0.2 and 0.3.

    Returns:
        `augment(example, seed)`, which also takes images `[n, height, width, channels]`.

    Raises:
        ValueError: If `rate` is not in [0, 1].

    Example:
        >>> batches = source.stream(100, augment_batch=random_levels(0.2))
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate}: expected a probability in [0, 1].")

    def augment(example: Any, seed: tf.Tensor) -> Any:
        where_seed, level_seed = tf.unstack(tf.random.split(seed))

        def mutate(image: tf.Tensor) -> tf.Tensor:
            shape = tf.shape(image)
            anew = tf.random.stateless_uniform(shape, where_seed) < rate
            levels = tf.random.stateless_uniform(shape, level_seed, 0, 256, tf.int32)
            return tf.where(anew, tf.cast(levels, tf.uint8), image)

        return _on_image(mutate, example, ranks=(3, 4))

    return augment


def _side_before(image, crop: int, factor) -> tf.Tensor:
    """Side of the square that becomes the crop when shrunk by a factor, at most the image's."""
    side = tf.cast(tf.round(crop / factor), tf.int32)
    return tf.minimum(side, tf.reduce_min(tf.shape(image)[:2]))


def binarize(example: Any, seed: tf.Tensor) -> Any:
    """Draws each pixel as a Bernoulli variable of its gray value, an augmentation.

    The dynamic binarization of Burda, Grosse and Salakhutdinov (2016), "Importance Weighted
    Autoencoders": a pixel is 1 with probability `value / 255`, drawn anew every epoch.

    Args:
        example: uint8 image `[height, width, channels]` or images `[n, height, width, channels]`,
            or a tuple whose first field is one of them.
        seed: Stateless seed `[2]`.

    Returns:
        The example with float32 zeros and ones in place of the image or images.

    Example:
        >>> batches = source.stream(64, augment_batch=binarize)
    """

    def draw(image: tf.Tensor) -> tf.Tensor:
        uniform = tf.random.stateless_uniform(tf.shape(image), seed)
        return tf.cast(uniform * 255.0 < tf.cast(image, tf.float32), tf.float32)

    return _on_image(draw, example, ranks=(3, 4))


def draw_normal(example: Any, seed: tf.Tensor) -> Any:
    """Draws Normal variables of their mean and log variance, an augmentation.

    For models of what an encoder returns, drawn anew every time.

    Args:
        example: Floats `[n, 2, ...]`, means and log variances, or a tuple whose first field they
            are.
        seed: Stateless seed `[2]`.

    Returns:
        The example with float32 `[n, ...]` in their place.

    Raises:
        ValueError: If there are not two values of each variable.

    Example:
        >>> codes = Source(np.stack(model.encode(images), axis=1))
        >>> batches = codes.stream(64, augment_batch=draw_normal)
    """
    if isinstance(example, tuple):
        return (draw_normal(example[0], seed), *example[1:])
    if example.shape.rank < 3 or example.shape[1] != 2:
        raise ValueError(f"expected means and log variances [n, 2, ...], found {example.shape}.")
    mean, log_variance = tf.unstack(example, axis=1)
    return mean + tf.exp(0.5 * log_variance) * tf.random.stateless_normal(tf.shape(mean), seed)
