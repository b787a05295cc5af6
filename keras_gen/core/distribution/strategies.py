"""Distribution strategies, and the cluster described by TF_CONFIG."""

import functools
import json
import os
import socket
import time
from collections.abc import Sequence

import tensorflow as tf

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
    printed = start - 5  # the first line is printed after 5 s, and then one every 10 s
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
        name: Name of the strategy. `"default"`: one device. `"mirrored"`: all GPUs of this machine,
            or its logical CPU devices. `"multiworker"`: the machines listed in `TF_CONFIG`; must be
            called before TensorFlow is used for anything else. `"tpu"`: the local TPU. `"auto"`:
            multiworker if `TF_CONFIG` lists machines, mirrored with several GPUs, and otherwise
            default.

    Raises:
        ValueError: If the name is unknown, or if the strategy cannot run on this machine.
        TimeoutError: If a machine in the cluster does not respond.

    Example:
    ```python
    with make_strategy("mirrored").scope():
        model = build()
    ```
    """
    if name == "auto":
        # Logical devices would start the runtime, but workers must be connected before that.
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
    if name == "tpu":
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
    raise ValueError(f"Unknown strategy {name!r}: expected one of {', '.join(STRATEGIES)}.")


@functools.cache
def _mirrored(devices):
    # Each process has only one strategy. A second strategy would number its collective operations
    # from the same start, and TensorFlow would confuse the operations of both.
    return tf.distribute.MirroredStrategy(devices)


def is_chief() -> bool:
    """Returns whether this process writes files, as the chief, worker 0, or only process.

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
