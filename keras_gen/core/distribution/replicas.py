"""Operations across replicas, such as parts of the global batch, sums, and means."""

from collections.abc import Callable

import keras
import tensorflow as tf

from keras_gen.tensor_checks import require


def replica_count() -> int:
    """Returns the number of replicas that run this step; 1 without a distribution strategy."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def replica_slice(local) -> tuple:
    """Returns the position of this replica's `local` examples in the global batch, and its size."""
    replicas = replica_count()
    if replicas == 1:
        return 0, local
    index = tf.distribute.get_replica_context().replica_id_in_sync_group
    if tf.get_static_value(local) is not None:
        return index * local, replicas * local
    # The last batch of an epoch may be split unequally.
    sizes = global_sum(tf.one_hot(index, replicas) * tf.cast(local, tf.float32))
    sizes = tf.cast(sizes, tf.int32)
    return tf.reduce_sum(sizes[:index]), tf.reduce_sum(sizes)


def replica_part(values: tf.Tensor, local: tf.Tensor) -> tf.Tensor:
    """Returns this replica's `local` examples of values `[global batch, ...]`."""
    start, _ = replica_slice(local)
    return values[start : start + local]


def parts(values: tf.Tensor, count: int) -> list[tf.Tensor]:
    """Divides a batch into `count` parts of equal size, `[ceil(batch / count), ...]`.

    Each part consists of every `count`-th example, so that N replicas form the same parts as one
    device. If the batch size is not divisible by `count`, some examples are in two parts. On
    several replicas, such a batch is rejected, because its parts would differ from those on one
    device.
    """
    examples = keras.ops.shape(values)[0]
    replicas = replica_count()
    if replicas > 1:
        sentence = (
            f"Each replica gets {{}} examples per batch, which the step must divide into {count} "
            f"equal parts: with {replicas} replicas, choose a batch size that is a multiple of "
            f"{count * replicas}, and drop a smaller last batch."
        )
        with tf.control_dependencies([require(examples % count == 0, sentence, examples)]):
            values = tf.identity(values)
    places = tf.range(-(-examples // count)) * count
    found = []
    for part in range(count):
        found.append(tf.gather(values, (places + part) % examples))
    return found


def global_batch(values: tf.Tensor) -> tf.Tensor:
    """Returns the examples of all replicas, `[global batch, ...]`, identical on every replica."""
    if replica_count() == 1:
        return values
    # Several workers need tensors that are assigned to a device, unlike tensors that come directly
    # from the data.
    return tf.distribute.get_replica_context().all_gather(tf.identity(values), axis=0)


def global_sum(values: tf.Tensor) -> tf.Tensor:
    """Returns a tensor's sum over replicas, identical on each, with gradients to all replicas."""
    if replica_count() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)


def global_mean(per_example: tf.Tensor) -> tf.Tensor:
    """Returns this replica's part of the mean over the *global* batch, float32.

    The parts add up to the mean, since optimizers sum gradients over replicas.

    Args:
        per_example: Tensor `[batch]`, or a scalar that is already the global mean. Other shapes
            raise a ValueError.
    """
    per_example = tf.cast(per_example, tf.float32)
    replicas = replica_count()
    if per_example.shape.rank == 0:
        return per_example / replicas
    if per_example.shape.rank != 1:
        raise ValueError(
            f"A loss has shape {per_example.shape}: expected one number per example, shape "
            "[batch]. Reduce the other axes first."
        )
    if replicas == 1:
        return tf.reduce_mean(per_example)
    count = tf.cast(tf.size(per_example), tf.float32)
    count = global_sum(count) if per_example.shape[0] is None else count * replicas
    return tf.reduce_sum(per_example) / count


def batch_mean(values: tf.Tensor) -> tf.Tensor:
    """Returns the mean of `[batch, ...]` over the *global* batch, `[...]`, with global gradients.

    Use it for losses that depend on a batch statistic. The result is float32 and identical on every
    replica.
    """
    values = tf.cast(values, tf.float32)
    total = tf.reduce_sum(values, axis=0)
    count = tf.cast(tf.shape(values)[0], tf.float32)
    return global_sum(total) / global_sum(count)


def replace_weights(function: Callable, *variables: keras.Variable) -> None:
    """Replaces each weight with a function of it, identically on every replica, inside a step.

    An optimizer's constraints cannot do this, because no single replica may assign a shared weight.

    Args:
        function: Function that maps a tensor to a tensor of the same shape.
        *variables: Weights to replace.

    Example:
    ```python
    replace_weights(lambda w: tf.clip_by_value(w, -0.01, 0.01), *critic.trainable_variables)
    ```
    """
    values = [variable.value for variable in variables]

    def replace(value):
        value.assign(function(value.read_value()))

    if replica_count() == 1:
        for value in values:
            replace(value)
        return

    def on_all(strategy):
        for value in values:
            strategy.extended.update(value, replace)

    tf.distribute.get_replica_context().merge_call(on_all)
