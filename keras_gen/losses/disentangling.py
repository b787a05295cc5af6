"""What makes the latents of a whole data set independent of each other.

All are estimated from the *global* batch, so that replicas together give what one device would.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from keras_gen.losses.base import per_example_sum
from keras_gen.training.checks import require
from keras_gen.training.replicas import batch_mean, global_batch, replica_part, replica_slice


def decomposed_kl(
    latents: tf.Tensor,
    mean: tf.Tensor,
    log_variance: tf.Tensor,
    dataset_size: int,
    stratified: bool = False,
) -> dict[str, tf.Tensor]:
    """Estimates the three parts of the KL divergence of Normal q(z|x) from N(0, 1).

    Chen, Li, Grosse, Duvenaud (2018), eq. (2): the mutual information of latents and the examples'
    numbers, log q(z|x) - log q(z); the total correlation of the latents, log q(z) - sum_j log
    q(z_j); and the divergence of each latent by itself, sum_j log q(z_j) - log p(z). Here q(z) is
    the mixture of q(z|x) over the data set, of which the batch holds a part. The three add up to
    log q(z|x) - log p(z), whose mean is the KL divergence.

    Minibatch-weighted sampling, eq. (3), counts every example of the batch of M equally, by 1 / (M
    N) for N examples in all: a lower bound of log q(z) in expectation, which takes mutual
    information for larger than it is. Minibatch stratified sampling (app. C.2) counts the example
    itself by 1 / N and the others by (N - 1) / (N (M - 1)): q(z) without bias, exact where the
    batch is the whole data set.

    Deviation: there the other examples share their weight unevenly, by which of them happens to be
    last; here evenly, which is the mean over that choice.

    Args:
        latents: Drawn from q(z|x), `[batch, latents]`.
        mean: Means of q(z|x), `[batch, latents]`.
        log_variance: Logarithms of its variances, `[batch, latents]`.
        dataset_size: N.
        stratified: Whether q(z) is estimated by stratified sampling.

    Returns:
        "mutual_information", "total_correlation" and "dimension_kl", float32 `[batch]` each, of
        which single ones may be negative.

    Raises:
        ValueError: If the global batch is larger than the data set (in a graph, the runtime
            raises).

    Example:
        >>> parts = decomposed_kl(mean, mean, tf.zeros([8, 2]), dataset_size=1000)
    """
    latents, mean, log_variance = (_flat(v) for v in (latents, mean, log_variance))
    joint, marginals = _log_aggregate(latents, mean, log_variance, dataset_size, stratified)
    conditional = _log_normal(latents, mean, log_variance)
    prior = _log_normal(latents, 0.0, 0.0)
    return {
        "mutual_information": per_example_sum(conditional) - joint,
        "total_correlation": joint - marginals,
        "dimension_kl": marginals - per_example_sum(prior),
    }


def _log_aggregate(latents, mean, log_variance, dataset_size, stratified):
    """Estimates of log q(z) and of sum_j log q(z_j), `[batch]`."""
    means, log_variances = global_batch(mean), global_batch(log_variance)
    local, count = keras.ops.shape(latents)[0], tf.shape(means)[0]
    sentence = (
        "The batch has {} examples and dataset_size is {}: expected no more than the data set has; "
        "pass the number of training examples."
    )
    with tf.control_dependencies([require(count <= dataset_size, sentence, count, dataset_size)]):
        size, n = tf.cast(count, tf.float32), float(dataset_size)
    if stratified:
        own = tf.one_hot(replica_slice(local)[0] + tf.range(local), count)
        others = (n - 1) / (n * tf.maximum(size - 1, 1))
        log_weights = tf.math.log(own / n + (1 - own) * others)
    else:
        log_weights = -tf.math.log(size * n)
    # log q(z_j of the example i | x of the example k), [i, k, j].
    densities = _log_normal(latents[:, None], means, log_variances)
    joint = tf.reduce_logsumexp(tf.reduce_sum(densities, axis=2) + log_weights, axis=1)
    weights = log_weights[..., None]  # of a scalar too
    return joint, tf.reduce_sum(tf.reduce_logsumexp(densities + weights, axis=1), axis=1)


def _flat(values) -> tf.Tensor:
    """Float32 `[batch, latents]` of latents of any shape."""
    return tf.reshape(tf.cast(values, tf.float32), [keras.ops.shape(values)[0], -1])


def _log_normal(x, mean, log_variance):
    squares = tf.square(x - mean) * tf.exp(-log_variance)
    return -0.5 * (squares + log_variance + math.log(2 * math.pi))


def dip_penalties(mean: tf.Tensor, log_variance: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
    """Squared distance of the latents' covariance over the global batch from the identity.

    Kumar, Sattigeri, Balakrishnan (2018): of the covariance of the means (DIP-VAE-I, eq. 6), or of
    the latents, which have the mean of the variances besides (DIP-VAE-II, eqs. 5 and 7).

    Args:
        mean: Means of q(z|x), `[batch, latents]`.
        log_variance: Logarithms of its variances, `[batch, latents]`; None: the covariance is that
            of the means.

    Returns:
        "off_diagonal", the sum of the squares of the entries off the diagonal, each pair twice, and
        "diagonal", that of the squared distances of the others from 1. Float32 `[batch]` each, the
        same for all examples.

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


def permuted_dimensions(latents: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shuffles each latent over the examples of the global batch by itself.

    Kim, Mnih (2018), algorithm 1: draws from the product of the latents' own distributions.

    Args:
        latents: `[batch, latents]`, this replica's part.
        seed: Stateless seed, int `[2]`, the same on all replicas.

    Returns:
        `[batch, latents]`. Each latent has the values that it had in the global batch.

    Example:
        >>> permuted = permuted_dimensions(tf.random.normal([8, 2]), seed=[0, 1])
    """
    everything = tf.transpose(global_batch(_flat(latents)))
    order = tf.argsort(tf.random.stateless_uniform(tf.shape(everything), seed), axis=1)
    permuted = tf.transpose(tf.gather(everything, order, batch_dims=1))
    return replica_part(permuted, keras.ops.shape(latents)[0])
