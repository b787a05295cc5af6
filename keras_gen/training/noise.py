"""Stateless randomness: a function of (seed, step, use), the same for any number of replicas."""

import zlib

import tensorflow as tf


def stateless_seed(seed: int, step, use: str) -> tf.Tensor:
    """Returns the int64 `[2]` seed of one use of randomness in one step.

    The first word holds the run's seed and the use, the second the step, so that two uses, or two
    steps, never share a stream.

    Args:
        seed: The run's seed, a Python int.
        step: Scalar integer tensor or int, the training step.
        use: What the randomness is for, such as `"latents"`.
    """
    first = (int(seed) + zlib.crc32(use.encode()) * 1_000_003) % (2**62)
    return tf.stack([tf.constant(first, tf.int64), tf.cast(step, tf.int64)])


def replica_slice(local) -> tuple:
    """Returns where this replica's examples start in the global batch, and the latter's size.

    Args:
        local: Number of this replica's examples, an int or a scalar tensor.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 0, local
    replicas, index = context.num_replicas_in_sync, context.replica_id_in_sync_group
    if tf.get_static_value(local) is not None:
        return index * local, replicas * local
    # The last batch of an epoch may be unequally split.
    sizes = tf.one_hot(index, replicas) * tf.cast(local, tf.float32)
    sizes = tf.cast(context.all_reduce(tf.distribute.ReduceOp.SUM, sizes), tf.int32)
    return tf.reduce_sum(sizes[:index]), tf.reduce_sum(sizes)


def _replica_slice(draw, shape) -> tf.Tensor:
    """Draws for the whole global batch and keeps this replica's part.

    A replica that drew only its own part would either repeat its neighbour's noise or depend on
    how many neighbours there are; this way N replicas see what one device would have seen.
    """
    start, total = replica_slice(shape[0])
    return draw([total, *shape[1:]])[start : start + shape[0]]


def normal(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Standard normal noise of `shape`, whose first axis is this replica's batch.

    Args:
        shape: List of ints or scalar tensors, `[batch, ...]`.
        seed: Int64 `[2]`, from `stateless_seed`.
        dtype: Floating dtype of the result.
    """
    return _replica_slice(lambda s: tf.random.stateless_normal(s, seed, dtype=dtype), list(shape))


def uniform(shape, seed: tf.Tensor, dtype="float32") -> tf.Tensor:
    """Uniform noise in [0, 1) of `shape`, whose first axis is this replica's batch.

    Args:
        shape: List of ints or scalar tensors, `[batch, ...]`.
        seed: Int64 `[2]`, from `stateless_seed`.
        dtype: Floating dtype of the result.
    """
    return _replica_slice(lambda s: tf.random.stateless_uniform(s, seed, dtype=dtype), list(shape))
