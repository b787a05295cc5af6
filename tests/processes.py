"""Recipes and commands in processes of their own, as users start them."""

import atexit
import contextlib
import fnmatch
import functools
import json
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tensorflow as tf

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))
# Processes that have imported what takes seconds: a server imports it once, and forks. It has one
# thread, and TensorFlow no devices yet, until then.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["keras_gen.workshop.run", "keras_gen.workshop.cli", "keras_gen.networks"]
)


def environment(data: bool = False) -> dict[str, str]:
    """The environment of a process, without a network, and with prepared data or without."""
    nowhere = "http://127.0.0.1:9"  # the port of a service that throws everything away
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    env |= {"PYTHONPATH": str(ROOT), "http_proxy": nowhere, "https_proxy": nowhere}
    env["no_proxy"] = "127.0.0.1"  # for workers that talk to each other
    env.pop("TF_CONFIG", None)
    return env if data else env | {"TFDS_DATA_DIR": "no_data"}


def _script(recipe: str) -> Path:
    return ROOT / "recipes" / f"{recipe}.py"


def start(recipe: str, *flags, cwd, data: bool = False, **kwargs) -> subprocess.Popen:
    """Starts a recipe in the folder `cwd`."""
    command = [sys.executable, str(_script(recipe)), *map(str, flags)]
    usual = dict(env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return subprocess.Popen(command, cwd=cwd, text=True, **usual | kwargs)


def run(recipe: str, *flags, cwd, data: bool = False) -> subprocess.CompletedProcess:
    """Runs a recipe to its end, as `run_script` does."""
    return run_script(_script(recipe), *flags, cwd=cwd, env=environment(data))


def run_killed(recipe: str, *flags, at: tuple[str, str], cwd) -> subprocess.CompletedProcess:
    """Runs a recipe that is killed without warning when it comes to a moment.

    Args:
        at: An audit event of Python's, which comes before what it is named after is done to a file,
            and a pattern of the file's path.
    """
    killed = functools.partial(_run_until, *at)
    return _forked(killed, _script(recipe), flags, cwd, environment())


def _run_until(event, pattern, path, run_name):
    def hook(happening, arguments):
        if happening != event or not fnmatch.fnmatch(file := str(arguments[0]), pattern):
            return
        if event == "os.rename" and os.path.isfile(file):  # from where it was still being written
            os.truncate(file, os.path.getsize(file) // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    runpy.run_path(path, run_name=run_name)


def run_afresh(*arguments, **kwargs) -> subprocess.CompletedProcess:
    """Runs a recipe to its end, as users start it; takes what `start` takes."""
    with start(*arguments, **kwargs) as process:
        out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def keras_gen(*arguments, cwd) -> subprocess.CompletedProcess:
    """Runs the command `keras-gen`, as `run_script` does."""
    return _forked(runpy.run_module, "keras_gen.workshop.cli", arguments, cwd, environment())


def run_script(path, *arguments, cwd=None, env=None) -> subprocess.CompletedProcess:
    """Runs a script to its end, in a process that has not to import TensorFlow first."""
    return _forked(runpy.run_path, path, arguments, cwd or os.getcwd(), env or os.environ)


def python(*arguments, **options) -> subprocess.CompletedProcess:
    """Runs Python to its end, as `python -c CODE` or with a script, in a process of its own."""
    usual = dict(env=environment(), capture_output=True, text=True)
    return subprocess.run([sys.executable, *map(str, arguments)], **usual | options)


def run_workers(path, *arguments) -> list[subprocess.CompletedProcess]:
    """Runs a script twice at once, as two workers of one cluster; each is given its number."""

    def train(index, task):
        return run_script(path, index, *arguments, env=os.environ | {"TF_CONFIG": task})

    with ThreadPoolExecutor() as pool:
        return list(pool.map(train, range(2), tasks(2)))


def tasks(n: int) -> list[str]:
    """The environment variable TF_CONFIG of each of `n` workers on this machine."""
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in free:
            one.bind(("127.0.0.1", 0))
        cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in free]}
    configs = ({"cluster": cluster, "task": {"type": "worker", "index": i}} for i in range(n))
    return [json.dumps(config) for config in configs]


def _forked(run, code, arguments, cwd, env) -> subprocess.CompletedProcess:
    command = [str(code), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        written = [Path(folder, name) for name in ("out", "err")]
        process = PROCESSES.Process(target=_main, args=(run, command, cwd, dict(env), *written))
        process.start()
        try:
            process.join(600)
            if process.exitcode is None:
                raise subprocess.TimeoutExpired(command, 600)
        finally:
            process.kill()  # if it is alive
        out, err = (path.read_text() for path in written)
    return subprocess.CompletedProcess(command, process.exitcode, out, err)


def _main(run, command, cwd, env, out, err):
    """What the process does: its streams are files, since those of the server are not its own."""
    for number, path in enumerate((out, err), start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = command
    try:
        run(command[0], run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # which a process of `multiprocessing` leaves out


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
