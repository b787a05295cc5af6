"""Random changes of batches of images that pass gradients on: DiffAugment (Zhao et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

Uniform = Callable[[str, list], tf.Tensor]


def color(images: tf.Tensor, uniform: Uniform) -> tf.Tensor:
    """Changes brightness by up to 0.5, saturation by 0 to 2 times and contrast by 0.5 to 1.5 times.

    Args:
        images: Floats `[batch, height, width, channels]` in [-1, 1], which they may leave.
        uniform: Function of a use and a shape that draws from [0, 1).
    """
    one_each = [keras.ops.shape(images)[0], 1, 1, 1]
    images += uniform("brightness", one_each) - 0.5
    gray = tf.reduce_mean(images, axis=-1, keepdims=True)
    images = (images - gray) * (2 * uniform("saturation", one_each)) + gray
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return (images - mean) * (uniform("contrast", one_each) + 0.5) + mean


def translation(images: tf.Tensor, uniform: Uniform) -> tf.Tensor:
    """Moves images by up to an eighth of their size either way; what is bared is 0.

    Args:
        images: Floats `[batch, height, width, channels]`.
        uniform: Function of a use and a shape that draws from [0, 1).
    """
    count, shifts = keras.ops.shape(images)[0], []
    most = [int(side / 8 + 0.5) for side in images.shape[1:3]]
    for use, pixels in zip(("rows", "columns"), most, strict=True):
        drawn = tf.floor(uniform(use, [count]) * (2 * pixels + 1))
        shifts.append(tf.cast(drawn, tf.int32) - pixels)
    return moved(images, shifts[0], shifts[1], max(most))


def cutout(images: tf.Tensor, uniform: Uniform) -> tf.Tensor:
    """Sets to 0 a rectangle of half the height and width, whose middle is anywhere.

    Args:
        images: Floats `[batch, height, width, channels]`.
        uniform: Function of a use and a shape that draws from [0, 1).
    """
    count, inside = keras.ops.shape(images)[0], []
    for use, side in (("rows", images.shape[1]), ("columns", images.shape[2])):
        size = int(side / 2 + 0.5)
        middle = tf.floor(uniform(use, [count, 1]) * (side + 1 - size % 2))
        place = tf.range(side, dtype=tf.float32)[None] - (middle - size // 2)
        inside.append((place >= 0) & (place < size))
    cut = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(cut, 0.0, images)


AUGMENTATIONS = {"color": color, "translation": translation, "cutout": cutout}


def augment(images: tf.Tensor, names: Sequence[str], uniform: Uniform) -> tf.Tensor:
    """Changes each image at random, in ways that pass gradients on to it.

    Zhao, Liu, Lin, Zhu, Han: "Differentiable Augmentation for Data-Efficient GAN Training",
    NeurIPS 2020. A discriminator that is shown real and generated images alike through such changes
    memorizes few real ones less easily, and the generator does not learn the changes.

    Args:
        images: Floats `[batch, height, width, channels]` in [-1, 1].
        names: Of `"color"`, `"translation"` and `"cutout"`, in order.
        uniform: Function of a use and a shape that draws from [0, 1).

    Returns:
        Images of the same shape, which color may take out of [-1, 1].

    Raises:
        ValueError: If a name is unknown, or these are no images.

    Example:
    ```python
    images = tf.zeros([4, 8, 8, 3])
    changed = augment(images, ["color", "cutout"], lambda use, shape: tf.random.uniform(shape))
    ```
    """
    if names and (images.shape.rank != 4 or None in images.shape[1:]):
        raise ValueError(
            f"augment found a batch of shape {images.shape}: expected images [batch, height, "
            "width, channels] of known size."
        )
    for name in check_augmentations(names):
        images = AUGMENTATIONS[name](images, lambda use, shape: uniform(f"{name}/{use}", shape))  # noqa: B023
    return images


def check_augmentations(names: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of augmentations as a tuple.

    Args:
        names: Of those in `AUGMENTATIONS`.

    Raises:
        ValueError: If one is unknown.
    """
    known = ", ".join(map(repr, AUGMENTATIONS))
    if isinstance(names, str) or any(name not in AUGMENTATIONS for name in names):
        raise ValueError(f"augmentation is {names!r}: expected a list of names, of {known}.")
    return tuple(names)


def moved(images: tf.Tensor, down, right, most: int, mode: str = "CONSTANT") -> tf.Tensor:
    """Moves each image by its own number of pixels.

    Args:
        images: `[batch, height, width, channels]` of static size.
        down: Int32 `[batch]`, in pixels.
        right: Likewise.
        most: Most pixels either way, less than height and width.
        mode: How what is bared is filled: `"CONSTANT"` (0) or `"REFLECT"`, as of `tf.pad`.

    Returns:
        Images of the same shape.
    """
    sides = images.shape[1:3]
    images = tf.pad(images, [[0, 0], [most, most], [most, most], [0, 0]], mode)
    for axis, side, shift in zip((1, 2), sides, (down, right), strict=True):
        places = tf.range(side)[None] + most - shift[:, None]
        images = tf.gather(images, places, axis=axis, batch_dims=1)
    return images
