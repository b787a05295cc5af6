"""The regularizer of path lengths of StyleGAN2."""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.losses.per_example import per_example_sum
from keras_gen.losses.tensor_arguments import of_tensors


@checked_types
@of_tensors("styles", "directions")
def path_lengths(
    generate: Callable[[tf.Tensor], tf.Tensor], styles: tf.Tensor, directions: tf.Tensor
) -> tf.Tensor:
    """Returns how much an image changes with its styles, in a random direction: |J^T y|, `[batch]`.

    Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: "Analyzing and Improving the Image Quality of
    StyleGAN", CVPR 2020, sec. 3.2: J is the Jacobian of the image by the styles, and J^T y the
    gradient of the image's product with y. As in the authors' code y is divided by the root of the
    number of pixels, and the squares are averaged over the layers that have a style.

    Args:
        generate: Function of styles that returns images, float `[batch, height, width, channels]`;
            each image may depend on its own styles only.
        styles: Floats `[batch, layers, style]`.
        directions: y, standard Normal noise of the images' shape.

    Example:
        >>> styles, y = tf.random.normal([4, 2, 3]), tf.ones([4, 1, 1, 1])
        >>> # Of slope 1 by each of 3 numbers of 2 layers: sqrt(3) each.
        >>> path_lengths(lambda w: tf.reduce_sum(w, [1, 2])[:, None, None, None], styles, y)
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(styles)
        images = tf.cast(generate(styles), tf.float32)
        along = per_example_sum(images * directions) / math.sqrt(math.prod(images.shape[1:3]))
    squares = tf.square(tf.cast(tape.gradient(along, styles), tf.float32))
    # The root has no derivative at 0, where an image that ignores its styles lies.
    return tf.sqrt(tf.maximum(tf.reduce_mean(tf.reduce_sum(squares, 2), 1), 1e-12))
