"""Samples and densities of the Concrete distribution, a relaxation of one-hot codes."""

from __future__ import annotations

import tensorflow as tf

from keras_gen.losses.per_example import of_tensors, per_example_sum


@of_tensors("logits", "gumbel", "temperature", one_batch=False)
def relaxed_codes(
    logits: tf.Tensor, gumbel: tf.Tensor, temperature: float | tf.Tensor
) -> tf.Tensor:
    """Returns the logarithms of relaxed one-hot codes, float32, as a function of Gumbel noise.

    See Jang, Gu, Poole (2017), eq. (2), and Maddison, Mnih, Teh (2017), sec. 3.2. The codes are the
    softmax of the noisy logits divided by the temperature. As the temperature approaches 0, the
    codes become one-hot samples from softmax(logits). Logarithms are returned because the codes
    themselves may underflow.

    Args:
        logits: Logits of the codes, `[batch, ..., classes]`.
        gumbel: Standard Gumbel noise, with one number per logit.
        temperature: Temperature, a positive number or a scalar tensor.

    Example:
        >>> codes = tf.exp(relaxed_codes(tf.zeros([4, 3, 2]), noise, temperature=0.5))
    """
    noisy = tf.cast(logits, tf.float32) + tf.cast(gumbel, tf.float32)
    return tf.nn.log_softmax(noisy / temperature)


@of_tensors("log_codes", "logits", "temperature", one_batch=False)
def log_concrete(
    log_codes: tf.Tensor, logits: tf.Tensor, temperature: float | tf.Tensor
) -> tf.Tensor:
    """Returns the log density of the logarithms of relaxed codes, float32 `[batch]`.

    The density is def. 1 in Maddison, Mnih, Teh (2017), written as a density of y, the logarithms
    of the codes, because y does not underflow. For n classes, logits l, and temperature t, the log
    density is log (n-1)! + (n-1) log t + sum_k (l_k - t y_k) - n logsumexp_k (l_k - t y_k), summed
    over the other axes. The difference between two such log densities at the same codes equals the
    difference between the log densities of the codes themselves.

    Args:
        log_codes: Logarithms of codes, `[batch, ..., classes]`, as returned by `relaxed_codes`.
        logits: Logits with the same shape as `log_codes`, or a shape that broadcasts to it.
        temperature: Temperature, a positive number or a scalar tensor.

    Example:
        >>> log_concrete(tf.math.log([[0.5, 0.5]]), tf.zeros([1, 2]), 1.0)  # log 1/4
    """
    log_codes = tf.cast(log_codes, tf.float32)
    temperature = tf.cast(temperature, tf.float32)
    classes = log_codes.shape[-1]
    scores = tf.cast(logits, tf.float32) - temperature * log_codes
    constant = tf.math.lgamma(float(classes)) + (classes - 1) * tf.math.log(temperature)
    densities = tf.reduce_sum(scores, -1) - classes * tf.reduce_logsumexp(scores, -1) + constant
    return per_example_sum(densities)


@of_tensors("log_codes", "logits", "temperature", "prior_temperature", one_batch=False)
def relaxed_kl(
    log_codes: tf.Tensor,
    logits: tf.Tensor,
    temperature: float | tf.Tensor,
    prior_temperature: float | tf.Tensor,
):
    """Estimates the KL divergence of relaxed codes from a relaxed uniform prior.

    See Maddison, Mnih, Teh (2017), sec. 3.3. The result is log q - log p of the codes, float32
    `[batch]` in nats. The mean of the result over samples is the KL divergence between the Concrete
    distributions; individual values may be negative.

    Args:
        log_codes: Logarithms of codes, `[batch, ..., classes]`, as returned by `relaxed_codes` for
            the logits.
        logits: Logits of the codes, `[batch, ..., classes]`.
        temperature: Temperature with which the codes were sampled.
        prior_temperature: Temperature of the prior.

    Example:
        >>> relaxed_kl(log_codes, tf.zeros([4, 3, 2]), 0.5, 0.5)  # 0: posterior equals prior
    """
    prior = log_concrete(log_codes, 0.0, prior_temperature)
    return log_concrete(log_codes, logits, temperature) - prior
