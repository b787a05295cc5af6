"""Training on several devices and machines: strategies, and operations across replicas."""

import functools
import json
import os
import socket
import time
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from keras_gen.arguments import checked_choice
from keras_gen.tensor_checks import require


def replica_count() -> int:
    """Returns the number of replicas that run this step; 1 without a distribution strategy."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def replica_slice(local) -> tuple:
    """Returns the global position of this replica's `local` examples, and the global batch size."""
    replicas = replica_count()
    if replicas == 1:
        return 0, local
    index = tf.distribute.get_replica_context().replica_id_in_sync_group
    if tf.get_static_value(local) is not None:
        return index * local, replicas * local
    # The replicas' sizes are exchanged, because the last batch of an epoch may be split unequally.
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
    several replicas, such a batch is rejected, because its parts would differ from the parts on one
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
    # With several workers, the tensors must be assigned to a device, unlike tensors that come
    # directly from the data.
    return tf.distribute.get_replica_context().all_gather(tf.identity(values), axis=0)


def global_sum(values: tf.Tensor) -> tf.Tensor:
    """Returns a tensor's sum over replicas, identical on all, with gradients to all replicas."""
    if replica_count() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)


def global_mean(per_example: tf.Tensor) -> tf.Tensor:
    """Returns this replica's part of the mean over the *global* batch as float32.

    The parts add up to the mean, as needed by optimizers, which sum gradients over replicas.

    Args:
        per_example: Values of this replica's examples, `[batch]`, or a scalar that is already the
            global mean. Other shapes raise a ValueError.
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

    Use this function for losses that depend on a batch statistic. The result is float32 and
    identical on every replica.
    """
    values = tf.cast(values, tf.float32)
    total = tf.reduce_sum(values, axis=0)
    count = tf.cast(tf.shape(values)[0], tf.float32)
    return global_sum(total) / global_sum(count)


def replace_weights(function: Callable, *variables: keras.Variable) -> None:
    """Applies a function to each weight inside a step, identically on every replica.

    The weight constraints of an optimizer cannot do this, because no single replica may assign a
    shared weight.

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


MINUTES = "KERAS_GEN_WAIT_MINUTES"


def wait_for_others(addresses: Sequence[str], own: str) -> None:
    """Waits until all machines in a cluster respond, and responds at this machine's own address.

    TensorFlow would wait indefinitely, ignore signals, and not report which machine is missing.

    Args:
        addresses: `host:port` of each machine.
        own: Address of this machine.

    Raises:
        TimeoutError: If a machine does not respond within the number of minutes in the environment
            variable `KERAS_GEN_WAIT_MINUTES` (default: 15).
        OSError: If another process uses this machine's port.
    """
    minutes = float(os.environ.get(MINUTES, 15))
    missing = [address for address in addresses if address != own]
    start = time.monotonic()
    # The first line is printed after 5 s, and then one line every 10 s.
    printed = start - 5
    try:
        door = socket.create_server(("", _host_and_port(own)[1]))
    except OSError as error:
        raise OSError(
            error.errno,
            f"This machine's address in TF_CONFIG, {own}, is already in use ({error.strerror}): "
            "end the process that listens there, or choose another port.",
        ) from error
    with door:
        while missing := [address for address in missing if not _answers(address)]:
            now = time.monotonic()
            waited_for = ", ".join(missing)
            if now - start > 60 * minutes:
                raise TimeoutError(
                    f"{waited_for} in TF_CONFIG did not respond within {minutes:g} minutes: start "
                    f"all machines in the cluster, or increase {MINUTES} to wait longer."
                )
            if now - printed > 10:
                print(f"waiting for {waited_for} in TF_CONFIG", flush=True)
                printed = now
            time.sleep(0.2)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _answers(address: str) -> bool:
    try:
        socket.create_connection(_host_and_port(address), timeout=1).close()
    except OSError:
        return False
    return True


STRATEGIES = ("auto", "default", "mirrored", "multiworker", "tpu")


def make_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """Returns the `tf.distribute` strategy with the given name.

    Args:
        name: Name of the strategy. `"default"` uses one device. `"mirrored"` uses all GPUs of this
            machine, or its logical CPU devices. `"multiworker"` uses the machines listed in
            `TF_CONFIG`; call this function before TensorFlow is used for anything else. `"tpu"`
            uses the local TPU. `"auto"` means multiworker if `TF_CONFIG` lists machines, mirrored
            if there are several GPUs, and otherwise default.

    Raises:
        ValueError: If the name is unknown, or if the strategy cannot run on this machine.
        TimeoutError: If a machine in the cluster does not respond.

    Example:
    ```python
    with make_strategy("mirrored").scope():
        model = build()
    ```
    """
    name = checked_choice("name", name, STRATEGIES)
    if name == "auto":
        # Use physical devices, because listing logical devices would start the runtime, and workers
        # must be connected before that.
        several = len(tf.config.list_physical_devices("GPU")) > 1
        name = "multiworker" if _workers() else "mirrored" if several else "default"
    if name == "default":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        gpus = tf.config.list_logical_devices("GPU")
        devices = [d.name for d in gpus or tf.config.list_logical_devices("CPU")]
        if len(devices) < 2:
            raise ValueError(
                f"--strategy is mirrored, but this machine has only {', '.join(devices)}: "
                "expected at least two devices. Use --strategy default."
            )
        return _mirrored(tuple(devices))
    if name == "multiworker":
        return _join_workers()
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, tf.errors.OpError, KeyError) as error:
        reason = str(error).strip().split("\n")[0].split(". ")[0][:200]
        raise ValueError(
            f"--strategy is tpu, but no TPU was found on this machine ({reason}): use "
            "--strategy default."
        ) from error


@functools.cache
def _mirrored(devices):
    # Each process has only one strategy. A second strategy would number its collective operations
    # from the same start, and TensorFlow would confuse the operations of the two strategies.
    return tf.distribute.MirroredStrategy(devices)


def is_chief() -> bool:
    """Returns whether this process writes files, as the chief, worker 0, or the only process.

    Raises:
        ValueError: If `TF_CONFIG` is set but is not a JSON object.
    """
    cluster, task = _tf_config()
    first = "chief" if "chief" in cluster else "worker"
    return not task or (task.get("type"), int(task.get("index", 0))) == (first, 0)


def _tf_config() -> tuple[dict, dict]:
    """Returns the cluster and this process's task; both are empty without a cluster."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        return dict(config.get("cluster", {})), dict(config.get("task", {}))
    except (ValueError, TypeError, AttributeError):
        raise ValueError(_expected()) from None


def _workers() -> int:
    cluster, _ = _tf_config()
    return sum(len(cluster.get(job, ())) for job in ("chief", "worker"))


def _join_workers() -> tf.distribute.Strategy:
    cluster, task = _tf_config()
    members = cluster.get(task.get("type"), ())
    if not _workers() or int(task.get("index", 0)) not in range(len(members)):
        raise ValueError(_expected())
    everyone = [address for job in ("chief", "worker") for address in cluster.get(job, ())]
    wait_for_others(everyone, members[int(task.get("index", 0))])
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ValueError(
            f"--strategy multiworker can no longer be used in this process ({error}): "
            "create the strategy before TensorFlow is used for anything else."
        ) from error


def _expected() -> str:
    return (
        "--strategy multiworker requires the environment variable TF_CONFIG with "
        '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}, '
        f"but found {os.environ.get('TF_CONFIG')!r}."
    )
