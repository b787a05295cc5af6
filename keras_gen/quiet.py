"""Keeps from the screen what TensorFlow tells of a machine before anything has happened."""

import contextlib
import functools
import importlib.abc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # 0 shows all that TensorFlow logs, 3 nothing: errors are raised


def import_quietly() -> None:
    """Lets TensorFlow be imported without a word, whoever does it, and keeps its log to itself.

    A lower `TF_CPP_MIN_LOG_LEVEL` in the environment is respected.
    """
    os.environ.setdefault(LEVEL, "3")
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps from the screen what is written to it past Python; shows it if the block fails."""
    screen = None
    if os.environ.get(LEVEL, "3") >= "2":
        with contextlib.suppress(OSError):  # of a process without one
            screen = os.dup(2)
    if screen is None:
        yield
        return
    with tempfile.TemporaryFile() as written:
        sys.stderr.flush()
        os.dup2(written.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            if failed:
                written.seek(0)
                sys.stderr.write(written.read().decode(errors="replace"))


def look_for_devices() -> None:
    """Lets TensorFlow look for GPUs, and keep to itself what it does not find."""
    import tensorflow as tf

    with quiet():
        tf.config.list_physical_devices()


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow for its first import, and nothing else."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            load = functools.partial(_load, spec.loader.exec_module)
            spec.loader.exec_module = load  # type: ignore[method-assign]
        return spec


def _load(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    with quiet():
        load(module)
