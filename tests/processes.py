"""Recipes and commands in processes of their own, as users start them."""

import os
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


def start(recipe: str, *flags, cwd, data: bool = False, **kwargs) -> subprocess.Popen:
    """Starts a recipe in the folder `cwd`."""
    command = [sys.executable, str(ROOT / "recipes" / f"{recipe}.py"), *map(str, flags)]
    usual = dict(env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return subprocess.Popen(command, cwd=cwd, text=True, **usual | kwargs)


def run(recipe: str, *flags, cwd, data: bool = False, **kwargs) -> subprocess.CompletedProcess:
    """Runs a recipe to its end."""
    with start(recipe, *flags, cwd=cwd, data=data, **kwargs) as process:
        out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def keras_gen(*arguments, cwd) -> subprocess.CompletedProcess:
    """Runs the command `keras-gen`."""
    command = [sys.executable, "-m", "keras_gen.cli", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, text=True, capture_output=True, env=environment(), timeout=300
    )


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
