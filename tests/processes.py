"""What tests of other processes need: their environment, their cluster, and what they leave."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import tensorflow as tf

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))


def environment(data: bool = False) -> dict[str, str]:
    """The environment of a process, without a network, and with prepared data or without."""
    nowhere = "http://127.0.0.1:9"  # the port of a service that throws everything away
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    env |= {"PYTHONPATH": str(ROOT), "http_proxy": nowhere, "https_proxy": nowhere}
    env["no_proxy"] = "127.0.0.1"  # for workers that talk to each other
    env.pop("TF_CONFIG", None)
    return env if data else env | {"TFDS_DATA_DIR": "no_data"}


def python(*arguments, **options) -> subprocess.CompletedProcess:
    """Runs Python to its end, as `python -c CODE` or with a script, in a process of its own."""
    usual = dict(env=environment(), capture_output=True, text=True)
    return subprocess.run([sys.executable, *map(str, arguments)], **usual | options)


def tasks(n: int) -> list[str]:
    """The environment variable TF_CONFIG of each of `n` workers on this machine."""
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in free:
            one.bind(("127.0.0.1", 0))
        cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in free]}
    configs = ({"cluster": cluster, "task": {"type": "worker", "index": i}} for i in range(n))
    return [json.dumps(config) for config in configs]


def event_steps(folder, tag: str = "epoch_g_loss") -> list[int]:
    """The steps of a number in TensorBoard's files, in the order of writing."""
    steps = []
    for path in sorted(Path(folder).glob("tensorboard/train/events*"), key=os.path.getmtime):
        try:
            for event in tf.compat.v1.train.summary_iterator(str(path)):
                steps += [event.step for value in event.summary.value if value.tag == tag]
        except tf.errors.DataLossError:
            pass  # The process was killed in the middle of a record, which TensorBoard skips too.
    return steps
