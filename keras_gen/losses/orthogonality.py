"""How far the filters of a network are from orthogonal (Brock, Donahue, Simonyan 2019)."""

from __future__ import annotations

import keras
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.keras_internals import all_layers

TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


@checked_types
def orthogonality(network: keras.Layer) -> tf.Tensor:
    """Returns how far the filters of a network's layers are from orthogonal to each other.

    Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    ICLR 2019, sec. 3.1: |W^T W * (1 - I)|_F^2, summed over kernels; 0 if all filters, the columns
    of W, are orthogonal, of any norm. The paper weights it by 1e-4. Embeddings, offsets and scales
    do not count.

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
    """Returns a built layer's weight of two axes or more with one of the names, or None."""
    found = (getattr(layer, name, None) for name in names)
    kernels = (k for k in found if isinstance(k, keras.Variable) and len(k.shape) >= 2)
    return next(kernels, None)


def last_kernel(network: keras.Model) -> keras.Variable:
    """Returns the kernel of the last layer of a network that has one."""
    kernels = [kernel_of(layer, ("kernel",)) for layer in all_layers(network)]
    return [kernel for kernel in kernels if kernel is not None][-1]


def kernel_matrix(layer: keras.Layer, kernel) -> tf.Tensor:
    """Returns a kernel of a layer, or another value of it, as a matrix `[all others, outputs]`."""
    kernel = tf.convert_to_tensor(kernel)
    if isinstance(layer, TRANSPOSED):
        kernel = tf.linalg.matrix_transpose(kernel)
    return tf.reshape(kernel, [-1, kernel.shape[-1]])
