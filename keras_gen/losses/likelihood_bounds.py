"""Bounds on log p(x) by weighted latents."""

import keras
import tensorflow as tf


def importance_weighted_nats(log_weights) -> tf.Tensor:
    """Returns -log of the mean of k weights, float32 `[batch]`, in nats.

    Burda, Grosse, Salakhutdinov: "Importance Weighted Autoencoders", ICLR 2016, eq. (8), negated.

    Args:
        log_weights: log p(x, z) - log q(z|x) of latents z drawn from q, `[k, batch]` in nats.

    Example:
        >>> importance_weighted_nats(tf.math.log([[0.1], [0.3]])).numpy()  # -log 0.2
        array([1.609438], dtype=float32)
    """
    samples = tf.cast(keras.ops.shape(log_weights)[0], tf.float32)
    return tf.math.log(samples) - tf.reduce_logsumexp(log_weights, axis=0)
