"""Regularizers for orthogonal filters and for equal path lengths, and lazy computation of terms."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.keras_internals import all_layers
from keras_gen.losses.per_example import of_tensors, per_example_sum

TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


@checked_types
def orthogonality(network: keras.Layer) -> tf.Tensor:
    """Measures how far the filters in a network's layers are from being orthogonal.

    Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    ICLR 2019, sec. 3.1. The measure is |W^T W * (1 - I)|_F^2, summed over kernels. The measure is 0
    if all filters, which are the columns of W, are orthogonal, regardless of their norms. The paper
    adds this measure to the loss with a weight of 1e-4. Embeddings, offsets, and scales are not
    included.

    Example:
        >>> orthogonality(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]))
    """
    total = tf.constant(0.0)
    for layer in all_layers(network):
        kernel = kernel_of(layer, ("kernel",))
        if kernel is not None and kernel.trainable:
            filters = kernel_matrix(
                layer, tf.cast(tf.convert_to_tensor(kernel.value), tf.float32)
            )
            products = tf.matmul(filters, filters, transpose_a=True)
            others = tf.linalg.set_diag(products, tf.zeros(products.shape[:1]))
            total += tf.reduce_sum(tf.square(others))
    return total


def kernel_of(layer: keras.Layer, names=("kernel", "embeddings")) -> keras.Variable | None:
    """Returns a built layer's weight with one of the names and at least two axes, or None."""
    found = (getattr(layer, name, None) for name in names)
    kernels = (k for k in found if isinstance(k, keras.Variable) and len(k.shape) >= 2)
    return next(kernels, None)


def last_kernel(network: keras.Model) -> keras.Variable:
    """Returns the kernel of the last layer that has a kernel."""
    kernels = [kernel_of(layer, ("kernel",)) for layer in all_layers(network)]
    return [kernel for kernel in kernels if kernel is not None][-1]


def kernel_matrix(layer: keras.Layer, kernel) -> tf.Tensor:
    """Returns `kernel`, a value for a layer's kernel, as a matrix `[all other axes, outputs]`."""
    kernel = tf.convert_to_tensor(kernel)
    if isinstance(layer, TRANSPOSED):
        kernel = tf.linalg.matrix_transpose(kernel)
    return tf.reshape(kernel, [-1, kernel.shape[-1]])


@checked_types
@of_tensors("styles", "directions")
def path_lengths(
    generate: Callable[[tf.Tensor], tf.Tensor], styles: tf.Tensor, directions: tf.Tensor
) -> tf.Tensor:
    """Measures how much images change with their styles: |J^T y| for random y, `[batch]`.

    Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: "Analyzing and Improving the Image Quality of
    StyleGAN", CVPR 2020, sec. 3.2. J is the Jacobian of an image with respect to its styles, and
    J^T y is the gradient of the image's inner product with y. As in the authors' code, y is divided
    by the square root of the number of pixels, and the squared gradients are averaged over the
    layers that have a style.

    Args:
        generate: Function that maps styles to float images `[batch, height, width, channels]`. Each
            image may depend only on its own styles.
        styles: Styles, floats `[batch, layers, style]`.
        directions: Directions y, standard normal noise with the same shape as the images.

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
    # The value is limited, because the square root has no derivative at 0, which is the value for
    # an image that ignores its styles.
    return tf.sqrt(tf.maximum(tf.reduce_mean(tf.reduce_sum(squares, 2), 1), 1e-12))


def lazily(every: int, step, count, compute) -> tf.Tensor:
    """Returns `every` times a term `[batch]` in steps divisible by `every`, and 0 in other steps.

    Karras et al.: "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, sec. 3.1.
    `compute` has no arguments and may call networks only inside `core.stateless`. `count` is the
    number of examples on this replica.
    """
    if every == 1:
        return compute()
    due = tf.equal(step % every, 0)
    return tf.cond(due, lambda: every * compute(), lambda: tf.zeros([count]))
