"""Chooses, checks, and locks the folder of a run before data or models are loaded."""

import atexit
import contextlib
import os
import shutil
import time
from pathlib import Path

from filelock import FileLock

from keras_gen.core import is_chief
from keras_gen.files.writing import clear_partial_files, hold, let_go
from keras_gen.workshop.run.flags import RunSettings, read_config

_METRICS = "metrics.json"
_RUNS = Path("runs")  # folder for all recipes, in the working directory
_held: dict[Path, FileLock] = {}


def choose_folder(settings: RunSettings, name: str) -> tuple[Path, dict | None]:
    """Chooses the folder of a run, and locks it against other processes.

    Args:
        settings: Settings of the run; `output`, `export`, and `resume` are used.
        name: Name of the recipe.

    Returns:
        The folder, and the saved settings of the run that is resumed in this folder. If no run is
        resumed, the settings are None.

    Raises:
        ValueError: If the folder is a file, already contains a run, or is in use, if there is no
            run to resume, or if `export` is not writable.
        OSError: If the folder is not writable.
    """
    runs = _RUNS / name
    if settings.export:
        _check_export(settings.export)
    if settings.resume:
        folder = settings.output or _newest_unfinished(runs)
    elif settings.output:
        folder = settings.output
    else:
        return _new_folder(runs), None
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--output is {folder}, which is a file: pass a folder.")
    if settings.resume and not (folder / "config.json").exists():
        raise ValueError(
            f"--resume found no run in {folder}: leave out --resume to start a run."
        )
    # Workers share the folder, which the chief locks for all of them.
    if is_chief() and not _hold(folder):
        raise ValueError(
            f"{folder} is in use by another process: wait for that process to end, or stop it."
        )
    if is_finished(folder) and not settings.resume:
        raise ValueError(
            f"{folder} contains a finished run: choose another --output, or add --resume and a "
            "larger --epochs."
        )
    if (folder / "config.json").exists() and not settings.resume:
        raise ValueError(
            f"{folder} contains an unfinished run: add --resume, or choose another --output."
        )
    if settings.resume and is_chief():
        clear_partial_files(folder, "**/*")
    return folder, read_config(folder / "config.json") if settings.resume else None


def leave_folder(folder: Path) -> None:
    """Unlocks a folder, and removes it if nothing was written to it.

    The folder of the recipe's runs and the folder of all runs are also removed if empty.
    """
    if lock := _held.pop(folder, None):
        let_go(lock)
        if folder.parent.parent == _RUNS:
            with contextlib.suppress(OSError):
                folder.parent.rmdir()
                _RUNS.rmdir()


def is_finished(folder: Path) -> bool:
    """Returns whether the run in a folder has finished."""
    return (folder / _METRICS).exists()


def train_on(folder: Path, epochs: int) -> None:
    """Marks a finished run as unfinished, and keeps its results under new names.

    Args:
        folder: Folder of the run.
        epochs: Number of epochs trained so far, which becomes part of the new names.
    """
    measured = folder / "measured"
    kept = folder / f"measured-{epochs}-epochs"
    if kept.exists():
        # A run that was interrupted here has already repeated this evaluation.
        shutil.rmtree(measured, ignore_errors=True)
    elif measured.exists():
        measured.rename(kept)
    # The metrics are renamed last, because its presence marks a finished run.
    if is_finished(folder):
        (folder / _METRICS).replace(folder / f"metrics-{epochs}-epochs.json")


def _newest_unfinished(runs: Path) -> Path:
    unfinished = [
        config.parent
        for config in sorted(runs.glob("*/config.json"), reverse=True)
        if not is_finished(config.parent)
    ]
    if not unfinished:
        raise ValueError(f"--resume found no unfinished run in {runs}: leave out --resume.")
    # A run that another process is training is also unfinished, but cannot be resumed.
    for folder in unfinished:
        if not is_chief() or _hold(folder):
            return folder
    raise ValueError(
        f"--resume found only unfinished runs that other processes are using in {runs}: wait until "
        "one of them stops, or leave out --resume."
    )


def _new_folder(runs: Path) -> Path:
    """Creates a folder named after the current time, which no other process uses."""
    moment = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        folder = runs / (moment if number == 1 else f"{moment}-{number}")
        if not is_chief() or (not folder.exists() and _hold(folder)):
            return folder
    raise OSError(f"Cannot find a free name for a folder in {runs}.")


def _hold(folder: Path) -> bool:
    """Locks the folder until this process ends; returns whether the process holds the lock."""
    if folder in _held:
        return True
    lock = hold(folder, "choose another one with --output")
    if lock is None:
        return False
    _held[folder] = lock
    atexit.register(leave_folder, folder)
    return True


def _check_export(folder: Path) -> None:
    """Rejects an export folder if writing to it after training would fail."""
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not there.is_dir():
        raise ValueError(f"--export is {folder}, but {there} is a file: pass a folder.")
    if not os.access(there, os.W_OK):
        raise ValueError(f"--export is {folder}, which is not writable: choose another folder.")
