"""Differentiable augmentations (DiffAugment) for batches in the training steps of GANs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from keras_gen.arguments import checked_choice, checked_list
from keras_gen.data.transforms.image_augmentations import moved

Uniform = Callable[[str, list], tf.Tensor]


def augment(images: tf.Tensor, names: Sequence[str], uniform: Uniform) -> tf.Tensor:
    """Randomly changes each image with differentiable functions.

    Zhao, Liu, Lin, Zhu, Han: "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS
    2020. A discriminator that sees only augmented images, both real and generated, cannot easily
    memorize a small dataset, and the generator does not learn to reproduce the augmentations.
    `"affine"` is our addition.

    Args:
        images: Floats `[batch, height, width, channels]` in [-1, 1]. After `"color"`, values may
            exceed this range.
        names: Augmentations to apply, in order: any of `"color"`, `"translation"`, `"cutout"`, and
            `"affine"`.
        uniform: Function that maps a purpose and a shape to uniform samples from [0, 1).

    Raises:
        ValueError: If a name is unknown, or the images have the wrong rank or an unknown size.

    Example:
    ```python
    images = tf.zeros([4, 8, 8, 3])
    changed = augment(images, ["color", "cutout"], lambda use, shape: tf.random.uniform(shape))
    ```
    """
    if names and (images.shape.rank != 4 or None in images.shape[1:]):
        raise ValueError(
            f"augment got a batch of shape {images.shape}: expected images [batch, height, "
            "width, channels] of known size."
        )
    for name in check_augmentations(names):
        images = AUGMENTATIONS[name](images, lambda use, shape: uniform(f"{name}/{use}", shape))  # noqa: B023
    return images


def check_augmentations(names: Sequence[str]) -> tuple[str, ...]:
    """Returns the names as a tuple; raises a ValueError if a name is not in `AUGMENTATIONS`."""
    names = checked_list("augmentation", names)
    return tuple(checked_choice("augmentation", name, AUGMENTATIONS) for name in names)


def color(images: tf.Tensor, uniform: Uniform) -> tf.Tensor:
    """Randomly changes the brightness, saturation, and contrast of images.

    The brightness changes by up to 0.5. The saturation is multiplied by a factor from 0 to 2, and
    the contrast by a factor from 0.5 to 1.5.
    """
    one_each = [keras.ops.shape(images)[0], 1, 1, 1]
    images += uniform("brightness", one_each) - 0.5
    gray = tf.reduce_mean(images, axis=-1, keepdims=True)
    images = (images - gray) * (2 * uniform("saturation", one_each)) + gray
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return (images - mean) * (uniform("contrast", one_each) + 0.5) + mean


def translation(images: tf.Tensor, uniform: Uniform) -> tf.Tensor:
    """Shifts images by up to an eighth of their size in either direction, and fills gaps with 0."""
    height, width = images.shape[1:3]

    def shift(use, most):
        drawn = tf.floor(uniform(use, [keras.ops.shape(images)[0]]) * (2 * most + 1))
        return tf.cast(drawn, tf.int32) - most

    most_down = int(height / 8 + 0.5)
    most_right = int(width / 8 + 0.5)
    down = shift("rows", most_down)
    right = shift("columns", most_right)
    return moved(images, down, right, max(most_down, most_right))


def cutout(images: tf.Tensor, uniform: Uniform) -> tf.Tensor:
    """Sets to 0 a rectangle of half the height and width, centered at a random position."""
    height, width = images.shape[1:3]

    def inside(use, side):
        size = int(side / 2 + 0.5)
        drawn = uniform(use, [keras.ops.shape(images)[0], 1])
        middle = tf.floor(drawn * (side + 1 - size % 2))
        place = tf.range(side, dtype=tf.float32)[None] - (middle - size // 2)
        return (place >= 0) & (place < size)

    rows = inside("rows", height)
    columns = inside("columns", width)
    return tf.where(rows[:, :, None, None] & columns[:, None, :, None], 0.0, images)


def affine(images: tf.Tensor, uniform: Uniform) -> tf.Tensor:
    """Rotates, shears, stretches, and shifts images; border pixels are repeated to fill gaps.

    Such changes are described in Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: "Training
    Generative Adversarial Networks with Limited Data", NeurIPS 2020, sec. 2.3. The ranges here are
    rotations of up to 20 degrees, slopes of up to 0.3, factors from exp(-0.15) to exp(0.15), and
    shifts of up to 6% of each side.
    """
    height, width = images.shape[1:3]

    def drawn(use, most):
        return most * (2 * uniform(use, [keras.ops.shape(images)[0], 1, 1]) - 1)

    angle = drawn("turn", math.radians(20))
    slope = drawn("shear", 0.3)
    # The source position of each pixel of the result, in pixels from the center.
    middle_row = (height - 1) / 2
    middle_column = (width - 1) / 2
    down = (tf.range(0.0, height) - middle_row)[None, :, None] * tf.exp(drawn("height", 0.15))
    right = (tf.range(0.0, width) - middle_column)[None, None] * tf.exp(drawn("width", 0.15))
    right += slope * down
    rows = tf.cos(angle) * down + tf.sin(angle) * right + drawn("rows", 0.06 * height)
    columns = tf.cos(angle) * right - tf.sin(angle) * down + drawn("columns", 0.06 * width)
    return read_at(images, rows + middle_row, columns + middle_column)


AUGMENTATIONS = {"color": color, "translation": translation, "cutout": cutout, "affine": affine}


def read_at(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Returns images at bilinearly interpolated positions, `[batch, rows, columns, channels]`.

    Outside the images, border pixels are repeated. Gradients of any order are exact, unlike the
    gradients of TensorFlow's projective transform.

    Args:
        images: Images `[batch, height, width, channels]` of static size.
        rows: Row positions `[batch, rows, columns]`, 0 for the first row of pixels.
        columns: Column positions `[batch, rows, columns]`, 0 for the first column of pixels.
    """
    height, width, channels = images.shape[1:]
    pixels = tf.reshape(images, [-1, height * width, channels])
    rows = tf.clip_by_value(rows, 0.0, height - 1.0)
    columns = tf.clip_by_value(columns, 0.0, width - 1.0)
    top = tf.floor(rows)
    left = tf.floor(columns)
    down = rows - top
    right = columns - left
    bottom = tf.minimum(top + 1, height - 1.0)
    far = tf.minimum(left + 1, width - 1.0)
    corners = []
    for row, vertical in ((top, 1 - down), (bottom, down)):
        for column, horizontal in ((left, 1 - right), (far, right)):
            place = tf.cast(row * width + column, tf.int32)
            values = tf.gather(pixels, place, batch_dims=1)
            corners.append((vertical * horizontal)[..., None] * values)
    return tf.add_n(corners)
