"""Recipes and commands in processes of their own, as users start them."""

import atexit
import fnmatch
import functools
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from processes import ROOT, environment, tasks

# Processes that have imported what takes seconds: a server imports it once, and forks. It has one
# thread, and TensorFlow no devices yet, until then.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["keras_gen.workshop.run", "keras_gen.workshop.cli", "keras_gen.networks"]
)


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


def run_workers(path, *arguments) -> list[subprocess.CompletedProcess]:
    """Runs a script twice at once, as two workers of one cluster; each is given its number."""

    def train(index, task):
        return run_script(path, index, *arguments, env=os.environ | {"TF_CONFIG": task})

    with ThreadPoolExecutor() as pool:
        return list(pool.map(train, range(2), tasks(2)))


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
