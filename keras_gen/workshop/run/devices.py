"""The devices and the numeric precision of a run."""

import contextlib
import os
from pathlib import Path

import tensorflow as tf


def describe_devices(strategy) -> str:
    """Describes the type of device, and the strategy (if any) with its number of replicas."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        kind = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    else:
        kind = f"{os.cpu_count()} CPU cores"
    count = strategy.num_replicas_in_sync
    if strategy is tf.distribute.get_strategy() and not tf.distribute.has_strategy():
        return kind
    replicas = "1 replica" if count == 1 else f"{count} replicas"
    return f"{kind}, {type(strategy).__name__.lstrip('_')} with {replicas}"


def choose_policy(choice: str) -> str:
    """Returns the dtype policy for a flag; `"auto"` means bfloat16 where it is supported."""
    if choice == "auto":
        choice = "bfloat16" if _computes_bfloat16() else "none"
    return "float32" if choice == "none" else f"mixed_{choice}"


def _computes_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    with contextlib.suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text()
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False
