"""Gradient reversal (Ganin et al. 2016)."""

import tensorflow as tf

from keras_gen.checked_arguments import checked_types


@checked_types
def reverse_gradient(x: tf.Tensor, weight: float | tf.Tensor = 1.0) -> tf.Tensor:
    """Returns x, and multiplies the gradient by -weight in the backward pass.

    Ganin et al.: "Domain-Adversarial Training of Neural Networks", JMLR 2016, eqs. (14) and (15). A
    network that receives the result learns to minimize its loss, and the network that computes x
    learns to maximize that loss.

    Args:
        x: Float tensor of any shape.
        weight: Factor lambda, a number or a scalar tensor.

    Example:
        >>> x = tf.constant(3.0)
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = reverse_gradient(x, 0.5) ** 2
        >>> float(tape.gradient(y, x))
        -3.0
    """

    @tf.custom_gradient
    def reversed_gradient(x):
        return tf.identity(x), lambda slope: -tf.cast(weight, slope.dtype) * slope

    return reversed_gradient(x)
