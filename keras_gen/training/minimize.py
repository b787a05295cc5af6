"""The one way in which weights are updated."""

from collections.abc import Callable

import keras
import tensorflow as tf

NOT_FINITE = "keras_gen: not finite: "


def global_mean(per_example: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean over the *global* batch: the shares add up to the mean.

    Optimizers sum gradients over replicas, so a loss must be divided by the size of the global
    batch and not by the replica's. Where the batch size is static no communication is needed,
    because replicas then have equal batches.

    Args:
        per_example: Tensor `[batch]`, or a scalar that is the same kind of mean already.

    Returns:
        Float32 scalar.
    """
    per_example = tf.cast(per_example, tf.float32)
    context = tf.distribute.get_replica_context()
    replicas = 1 if context is None else context.num_replicas_in_sync
    if per_example.shape.rank == 0:
        return per_example / replicas
    if per_example.shape.rank != 1:
        raise ValueError(
            f"A loss must be one number per example, shape [batch], but has shape "
            f"{per_example.shape}: reduce the other axes first."
        )
    if replicas == 1:
        return tf.reduce_mean(per_example)
    count = tf.cast(tf.size(per_example), tf.float32)
    if per_example.shape[0] is None:
        count = context.all_reduce(tf.distribute.ReduceOp.SUM, count)
    else:
        count *= replicas
    return tf.reduce_sum(per_example) / count


def batch_mean(values: tf.Tensor) -> tf.Tensor:
    """Mean over the *global* batch, whose gradient reaches the examples of all replicas.

    For losses that depend on a statistic of the batch instead of on each example alone.

    Args:
        values: Tensor `[batch, ...]`, this replica's part.

    Returns:
        Float32 `[...]`, the same on every replica.
    """
    values = tf.cast(values, tf.float32)
    total, count = tf.reduce_sum(values, axis=0), tf.cast(tf.shape(values)[0], tf.float32)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        total, count = (context.all_reduce(tf.distribute.ReduceOp.SUM, v) for v in (total, count))
    return total / count


def minimize(loss_fn: Callable, optimizer, *networks):
    """Takes one step of `optimizer` on the trainable weights of `networks`, and of nothing else.

    Handles the mean over the global batch, the loss scale of `mixed_float16`, and a check that
    the loss is finite *before* anything is changed.

    Args:
        loss_fn: Function of no arguments that returns a loss `[batch]`, or a pair of a loss and
            whatever the next player can reuse.
        optimizer: Built `keras.optimizers.Optimizer`.
        *networks: Models or layers to update.

    Returns:
        What `loss_fn` returned. What depends on the loss happens only if it was finite.

    Raises:
        ValueError: If a weight has no gradient; the message names it.
        tf.errors.InvalidArgumentError: If the loss is NaN or infinite.

    Example:
    ```python
    loss = minimize(lambda: tf.reduce_sum(network(x) ** 2, -1), optimizer, network)
    ```
    """
    variables = [v for network in networks for v in network.trainable_variables]
    if not variables:
        names = ", ".join(network.name for network in networks)
        raise ValueError(
            f"{_name(loss_fn)} has nothing to update: {names} has no trainable weights. "
            "Set `trainable = True` before `compile`."
        )
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        # `tape.watch` takes tf.Variable and not keras.Variable.
        tape.watch([v.value for v in variables])
        result = loss_fn()
        loss = result[0] if isinstance(result, tuple) else result
        share = tf.debugging.check_numerics(global_mean(loss), NOT_FINITE + _name(loss_fn))
        objective = optimizer.scale_loss(share)
    gradients = tape.gradient(objective, [v.value for v in variables])
    missing = [v.path for v, g in zip(variables, gradients, strict=True) if g is None]
    if missing:
        raise ValueError(
            f"{_name(loss_fn)} does not depend on {', '.join(missing)}: every trainable weight of "
            "the player must take part in its loss; freeze what should not."
        )
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        gradients = _spread_overflow(gradients)
    # A graph would else be free to update first and to find out later.
    with tf.control_dependencies([share]):
        optimizer.apply(gradients, variables)
        loss = tf.identity(loss)
    return (loss, *result[1:]) if isinstance(result, tuple) else loss


def _spread_overflow(gradients):
    """An overflow on one replica must skip the step on all; Keras asks the first one only."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradients
    gradients = [tf.convert_to_tensor(g) for g in gradients]
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
    count = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(finite, tf.float32))
    overflow = count < context.num_replicas_in_sync
    return [tf.where(overflow, tf.constant(float("inf"), g.dtype), g) for g in gradients]


def _name(loss_fn: Callable) -> str:
    return getattr(loss_fn, "__name__", type(loss_fn).__name__).strip("<>")
