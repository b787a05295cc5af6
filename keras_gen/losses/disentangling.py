"""Losses that encourage a model's latents to be independent of each other.

All losses are estimated on the *global* batch, so training on N replicas is equivalent to training
on one device.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.core.distribution import (
    batch_mean,
    global_batch,
    replica_part,
    replica_slice,
)
from keras_gen.losses.per_example import of_tensors, per_example_sum
from keras_gen.tensor_checks import require


@checked_types
@of_tensors("latents", "mean", "log_variance")
def decomposed_kl(
    latents: tf.Tensor,
    mean: tf.Tensor,
    log_variance: tf.Tensor,
    dataset_size: int,
    stratified: bool = False,
) -> dict[str, tf.Tensor]:
    """Estimates the three parts of the KL divergence of a normal q(z|x) from N(0, 1).

    The decomposition is eq. (2) of Chen, Li, Grosse, Duvenaud (2018). The parts are the mutual
    information of latents and examples, log q(z|x) - log q(z); the total correlation of the
    latents, log q(z) - sum_j log q(z_j); and the dimension-wise KL divergence, sum_j log q(z_j) -
    log p(z). Here, q(z) is the mixture of q(z|x) over the dataset. The mean of the sum of the three
    parts is the KL divergence.

    For a batch of M out of N examples, minibatch-weighted sampling (eq. (3)) assigns the weight 1 /
    (M N) to each example. In expectation, this yields a lower bound on log q(z), so the mutual
    information is overestimated. Minibatch stratified sampling (app. C.2) assigns the weight 1 / N
    to the example that z was sampled for, and the weight (N - 1) / (N (M - 1)) to the other
    examples. The resulting estimate of q(z) is unbiased, and exact if the batch is the whole
    dataset. Deviation: the paper gives the last of the other examples a different weight; here, all
    other examples have equal weights.

    Args:
        latents: Samples from q(z|x), `[batch, latents]`.
        mean: Means of q(z|x), `[batch, latents]`.
        log_variance: Logarithms of the variances of q(z|x), `[batch, latents]`.
        dataset_size: Number of examples in the dataset (N), at least the size of the global batch.
        stratified: Whether to estimate q(z) with stratified sampling instead of weighted sampling.

    Returns:
        A dict with "mutual_information", "total_correlation", and "dimension_kl", each float32
        `[batch]`. Individual values may be negative.

    Example:
        >>> parts = decomposed_kl(mean, mean, tf.zeros([8, 2]), dataset_size=1000)
    """
    latents = _flat(latents)
    mean = _flat(mean)
    log_variance = _flat(log_variance)
    joint, marginals = _log_aggregate(latents, mean, log_variance, dataset_size, stratified)
    conditional = _log_normal(latents, mean, log_variance)
    prior = _log_normal(latents, 0.0, 0.0)
    return {
        "mutual_information": per_example_sum(conditional) - joint,
        "total_correlation": joint - marginals,
        "dimension_kl": marginals - per_example_sum(prior),
    }


def _log_aggregate(latents, mean, log_variance, dataset_size, stratified):
    """Returns estimates of log q(z) and sum_j log q(z_j), each `[batch]`."""
    means = global_batch(mean)
    log_variances = global_batch(log_variance)
    local = keras.ops.shape(latents)[0]
    count = tf.shape(means)[0]
    sentence = (
        "The batch has {} examples, but dataset_size is {}: expected a dataset_size of at least "
        "the batch size. Pass the number of training examples."
    )
    with tf.control_dependencies(
        [require(count <= dataset_size, sentence, count, dataset_size)]
    ):
        size = tf.cast(count, tf.float32)
    n = float(dataset_size)
    if stratified:
        own = tf.one_hot(replica_slice(local)[0] + tf.range(local), count)
        others = (n - 1) / (n * tf.maximum(size - 1, 1))
        log_weights = tf.math.log(own / n + (1 - own) * others)
    else:
        log_weights = -tf.math.log(size * n)
    # log q(z_j of example i | x of example k), [i, k, j].
    densities = _log_normal(latents[:, None], means, log_variances)
    joint = tf.reduce_logsumexp(tf.reduce_sum(densities, axis=2) + log_weights, axis=1)
    marginals = tf.reduce_logsumexp(densities + log_weights[..., None], axis=1)
    return joint, tf.reduce_sum(marginals, axis=1)


def _flat(values) -> tf.Tensor:
    """Returns latents of any shape as float32 `[batch, latents]`."""
    return tf.reshape(tf.cast(values, tf.float32), [keras.ops.shape(values)[0], -1])


def _log_normal(x, mean, log_variance):
    squares = tf.square(x - mean) * tf.exp(-log_variance)
    return -0.5 * (squares + log_variance + math.log(2 * math.pi))


@of_tensors("mean", "log_variance")
def dip_penalties(
    mean: tf.Tensor, log_variance: tf.Tensor | None = None
) -> dict[str, tf.Tensor]:
    """Returns the squared distance between the covariance of latents and the identity matrix.

    Kumar, Sattigeri, Balakrishnan (2018). The covariance over the global batch is either the
    covariance of the means (DIP-VAE-I, eq. (6)) or the covariance of the latents, which also
    includes the mean of the variances (DIP-VAE-II, eqs. (5) and (7)).

    Args:
        mean: Means of q(z|x), `[batch, latents]`.
        log_variance: Logarithms of the variances of q(z|x), `[batch, latents]`. If None, the
            penalties of DIP-VAE-I are returned.

    Returns:
        A dict with "off_diagonal", the sum of the squared off-diagonal entries of the covariance,
        in which each pair of latents counts twice, and "diagonal", the sum of the squared
        differences between the diagonal entries and 1. Each value is float32 `[batch]`, with the
        same number for all examples.

    Example:
        >>> parts = dip_penalties(tf.constant([[1.0], [-1.0]]))  # variance 1: both are 0
    """
    mean = _flat(mean)
    centered = mean - batch_mean(mean)
    covariance = batch_mean(centered[:, :, None] * centered[:, None, :])
    if log_variance is not None:
        variances = batch_mean(tf.exp(_flat(log_variance)))
        covariance += tf.linalg.diag(variances)
    diagonal = tf.linalg.diag_part(covariance)
    off_diagonal = tf.reduce_sum(tf.square(covariance - tf.linalg.diag(diagonal)))
    penalties = {
        "off_diagonal": off_diagonal,
        "diagonal": tf.reduce_sum(tf.square(diagonal - 1.0)),
    }
    return {name: tf.fill([tf.shape(mean)[0]], value) for name, value in penalties.items()}


@of_tensors("latents", "seed", one_batch=False)
def permuted_dimensions(latents: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shuffles each latent independently across the examples of the global batch.

    This is algorithm 1 of Kim, Mnih (2018). The results are samples from the product of the
    latents' marginal distributions.

    Args:
        latents: This replica's latents, `[batch, latents]`, in the format of the result.
        seed: Stateless seed, int `[2]`, identical on all replicas.

    Example:
        >>> permuted = permuted_dimensions(tf.random.normal([8, 2]), seed=[0, 1])
    """
    everything = tf.transpose(global_batch(_flat(latents)))
    order = tf.argsort(tf.random.stateless_uniform(tf.shape(everything), seed), axis=1)
    permuted = tf.transpose(tf.gather(everything, order, batch_dims=1))
    return replica_part(permuted, keras.ops.shape(latents)[0])
