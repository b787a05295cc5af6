"""Strategies by name."""

import json
import os

import tensorflow as tf

STRATEGIES = ("auto", "default", "mirrored", "multiworker", "tpu")


def make_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """Returns the `tf.distribute` strategy of that name, or refuses it with the reason.

    Args:
        name: `"default"`: one device. `"mirrored"`: all GPUs of this machine, or its logical CPU
            devices. `"multiworker"`: the machines that `TF_CONFIG` names. `"tpu"`: the local TPU.
            `"auto"`: multiworker if `TF_CONFIG` is set, mirrored with several GPUs, else default.

    Raises:
        ValueError: If the name is unknown or the strategy cannot run here.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "auto":
        name = "multiworker" if "TF_CONFIG" in os.environ else "default"
        name = "mirrored" if name == "default" and len(gpus) > 1 else name
    if name == "default":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        devices = gpus or tf.config.list_logical_devices("CPU")
        if len(devices) < 2:
            raise ValueError(
                "--strategy mirrored needs at least two devices, but this machine shows "
                f"{[d.name for d in devices]}: use --strategy default."
            )
        return tf.distribute.MirroredStrategy([d.name for d in devices])
    if name == "multiworker":
        try:
            workers = json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"]
            assert workers
        except (KeyError, ValueError, TypeError, AssertionError):
            raise ValueError(
                "--strategy multiworker needs the environment variable TF_CONFIG with "
                '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", '
                f'"index": 0}}}}, but found {os.environ.get("TF_CONFIG")!r}.'
            ) from None
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
            tf.config.experimental_connect_to_cluster(resolver)
            tf.tpu.experimental.initialize_tpu_system(resolver)
            return tf.distribute.TPUStrategy(resolver)
        except (ValueError, RuntimeError, tf.errors.OpError, KeyError) as error:
            reason = str(error).strip().split("\n")[0][:200]
            raise ValueError(
                f"--strategy tpu found no TPU on this machine ({reason}): use --strategy default."
            ) from error
    raise ValueError(f"Unknown strategy {name!r}: expected one of {', '.join(STRATEGIES)}.")


def is_chief() -> bool:
    """Whether this process writes what the run writes: worker 0, or the only one."""
    task = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {})
    return task.get("type", "worker") in ("chief", "worker") and task.get("index", 0) == 0
