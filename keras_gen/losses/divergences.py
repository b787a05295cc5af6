"""Divergences between distributions and bounds on likelihoods, in nats, float32 `[batch]`."""

from __future__ import annotations

import math

import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.core.distribution import batch_mean
from keras_gen.declared import NonNegative
from keras_gen.losses.per_example import of_tensors, per_example_sum


@of_tensors("mean", "log_var")
def kl_standard_normal(mean: tf.Tensor, log_var: tf.Tensor) -> tf.Tensor:
    """Returns KL(N(mean, exp(log_var)) || N(0, 1)) (Kingma & Welling 2014, appendix B).

    Args:
        mean: Means, `[batch, ...]`.
        log_var: Logarithms of the variances, with the same shape as `mean`.

    Example:
        >>> kl_standard_normal(tf.ones([4, 2]), tf.zeros([4, 2]))  # 1 nat each
    """
    mean = tf.cast(mean, tf.float32)
    log_var = tf.cast(log_var, tf.float32)
    return 0.5 * per_example_sum(tf.square(mean) + tf.math.expm1(log_var) - log_var)


@checked_types
@of_tensors("mean", "log_var")
def free_kl_standard_normal(mean: tf.Tensor, log_var: tf.Tensor, free: NonNegative) -> tf.Tensor:
    """Returns the divergence of `kl_standard_normal` with free nats for each latent.

    Kingma, Salimans, Jozefowicz, Chen, Sutskever, Welling: "Improved Variational Inference with
    Inverse Autoregressive Flow", NeurIPS 2016, appendix C.8. The result is the sum over latents of
    max(free, mean KL over the *global* batch). If a latent's mean KL is below `free`, its gradient
    is zero, so nothing pulls the latent closer to its prior. Each latent is a separate group in the
    sense of the paper.

    Args:
        mean: Means, `[batch, ...]`.
        log_var: Logarithms of the variances, with the same shape as `mean`.
        free: Free nats per latent, at least 0. With 0, the result is the mean divergence over the
            batch.

    Returns:
        The sum, float32 `[batch]`, with the same value for each example.

    Example:
        >>> free_kl_standard_normal(tf.zeros([4, 2]), tf.zeros([4, 2]), 0.1)  # 0.2 nats each
    """
    mean = tf.cast(mean, tf.float32)
    log_var = tf.cast(log_var, tf.float32)
    each = 0.5 * (tf.square(mean) + tf.math.expm1(log_var) - log_var)
    kept = tf.maximum(batch_mean(each), free)
    return tf.fill([tf.shape(mean)[0]], tf.reduce_sum(kept))


@of_tensors("mean_q", "log_var_q", "mean_p", "log_var_p", one_batch=False)
def kl_normal(
    mean_q: tf.Tensor, log_var_q: tf.Tensor, mean_p: tf.Tensor, log_var_p: tf.Tensor
) -> tf.Tensor:
    """Returns KL(N(mean_q, exp(log_var_q)) || N(mean_p, exp(log_var_p))) for diagonal normals.

    Args:
        mean_q: Means of q, `[batch, ...]`.
        log_var_q: Logarithms of the variances of q, with the same shape as `mean_q`.
        mean_p: Means of p, with the same shape as `mean_q`, or a shape that broadcasts to it.
        log_var_p: Logarithms of the variances of p, with the same shape as `mean_q`, or a shape
            that broadcasts to it.

    Example:
        >>> kl_normal(tf.ones([4, 2]), tf.zeros([4, 2]), tf.zeros([4, 2]), tf.zeros([4, 2]))
    """
    log_ratio = tf.cast(log_var_q, tf.float32) - tf.cast(log_var_p, tf.float32)
    difference = tf.cast(mean_q, tf.float32) - tf.cast(mean_p, tf.float32)
    distance = tf.square(difference) * tf.exp(-tf.cast(log_var_p, tf.float32))
    return 0.5 * per_example_sum(distance + tf.math.expm1(log_ratio) - log_ratio)


@of_tensors("values", "mean_q", "log_var_q", "mean_p", "log_var_p", one_batch=False)
def log_ratio_normal(
    values: tf.Tensor,
    mean_q: tf.Tensor,
    log_var_q: tf.Tensor,
    mean_p: tf.Tensor,
    log_var_p: tf.Tensor,
) -> tf.Tensor:
    """Returns log N(mean_q, exp(log_var_q)) - log N(mean_p, exp(log_var_p)) at values.

    `values` are `[batch, ...]`; for the other arguments, see `kl_normal`. If the values are sampled
    from q, the mean of the result is the divergence computed by `kl_normal`. If p depends on the
    sample, the divergence has no closed form and is estimated from one sample.

    Example:
        >>> log_ratio_normal(tf.ones([4, 2]), tf.ones([4, 2]), 0.0, tf.zeros([4, 2]), 0.0)  # 1 nat
    """
    values = tf.cast(values, tf.float32)

    def distance(mean, log_var):
        log_var = tf.cast(log_var, tf.float32)
        return tf.square(values - tf.cast(mean, tf.float32)) * tf.exp(-log_var) + log_var

    return 0.5 * per_example_sum(distance(mean_p, log_var_p) - distance(mean_q, log_var_q))


@of_tensors("logits_q", "logits_p", one_batch=False)
def kl_categorical(logits_q: tf.Tensor, logits_p: tf.Tensor | None = None) -> tf.Tensor:
    """Returns KL(softmax(logits_q) || softmax(logits_p)), with the classes on the last axis.

    Args:
        logits_q: Finite logits of q, `[batch, ..., classes]`.
        logits_p: Finite logits of p, with the same shape as `logits_q`, or a shape that broadcasts
            to it. If None, p is uniform.

    Example:
        >>> kl_categorical(tf.constant([[50.0, 0.0]]))  # log 2: q is certain of the first class
    """
    log_q = tf.nn.log_softmax(tf.cast(logits_q, tf.float32))
    # By default, p is the uniform distribution, whose logits are equal.
    logits_p = tf.zeros_like(log_q) if logits_p is None else tf.cast(logits_p, tf.float32)
    return per_example_sum(tf.exp(log_q) * (log_q - tf.nn.log_softmax(logits_p)))


def importance_weighted_nats(log_weights) -> tf.Tensor:
    """Returns -log of the mean of k weights, float32 `[batch]`, in nats.

    Burda, Grosse, Salakhutdinov: "Importance Weighted Autoencoders", ICLR 2016, eq. (8), negated.

    Args:
        log_weights: Values of log p(x, z) - log q(z|x) in nats for latents z sampled from q,
            `[k, batch]`.

    Example:
        >>> importance_weighted_nats(tf.math.log([[0.1], [0.3]])).numpy()  # -log 0.2
        array([1.609438], dtype=float32)
    """
    log_weights = tf.cast(log_weights, tf.float32)
    samples = tf.cast(tf.shape(log_weights)[0], tf.float32)
    return tf.math.log(samples) - tf.reduce_logsumexp(log_weights, axis=0)


FREQUENCIES = 500  # number of random features, as in the paper


@checked_types
@of_tensors("values", "groups")
def fourier_discrepancy(
    values: tf.Tensor, groups: tf.Tensor, seed: tf.Tensor, gamma: float = 1.0
) -> tf.Tensor:
    """Returns the squared distance between two groups' mean features over the *global* batch.

    Louizos, Swersky, Li, Welling, Zemel: "The Variational Fair Autoencoder", ICLR 2016, sec. 2.4.
    The features are D random Fourier features (Rahimi & Recht 2007) of a Gaussian kernel, sqrt(2 /
    D) cos(sqrt(2 / gamma) x W + b). The only cost is therefore the computation of the features.

    Args:
        values: Values to compare, `[batch, d]`.
        groups: Group of each example, 0 or 1, integers `[batch]`.
        seed: Stateless seed for W and b, `[2]`.
        gamma: Parameter of the kernel exp(-|x - y|^2 / gamma), above 0.

    Returns:
        The squared distance, float32 `[batch]`, with the same value for all examples; 0 if a group
        is empty.

    Example:
        >>> fourier_discrepancy(tf.zeros([4, 2]), tf.constant([0, 0, 1, 1]), [0, 0])  # 0
    """
    values = tf.cast(values, tf.float32)
    shape = [values.shape[-1], FREQUENCIES]
    frequencies = tf.random.stateless_normal(shape, seed)
    phases = tf.random.stateless_uniform(
        [FREQUENCIES], tf.bitwise.invert(seed), maxval=2 * math.pi
    )
    # Phases are computed in float64, because in float32, an angle of 1e6 has an error of 0.06.
    center = tf.stop_gradient(tf.reduce_mean(values, axis=0, keepdims=True))
    offsets = tf.cast(center, tf.float64) @ tf.cast(frequencies, tf.float64)
    turns = math.sqrt(2 / gamma) / (2 * math.pi) * offsets
    phases += 2 * math.pi * tf.cast(turns - tf.floor(turns), tf.float32)
    features = math.sqrt(2 / FREQUENCIES) * tf.cos(
        math.sqrt(2 / gamma) * (values - center) @ frequencies + phases
    )
    means = []
    fractions = []
    for group in range(2):
        inside = tf.cast(groups == group, tf.float32)
        fraction = batch_mean(inside)
        means.append(tf.math.divide_no_nan(batch_mean(inside[:, None] * features), fraction))
        fractions.append(fraction)
    both = tf.cast(tf.reduce_min(fractions) > 0, tf.float32)
    distance = both * tf.reduce_sum(tf.square(means[0] - means[1]))
    return tf.fill([tf.shape(values)[0]], distance)
