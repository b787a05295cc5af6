"""Reruns a published run and compares the results."""

import dataclasses
import math
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from keras_gen.environment import NO_OFFLINE_SAMPLE
from keras_gen.workshop.results.declarations import read_published
from keras_gen.workshop.results.finished_runs import read_run
from keras_gen.workshop.results.records import Record, read_records


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A published result, the result of a new run, and the allowed difference."""

    metric: str
    published: float
    now: float
    tolerance: float

    @property
    def difference(self) -> float:
        """The new value minus the published value."""
        return self.now - self.published

    @property
    def ok(self) -> bool:
        """Whether the difference is within the tolerance."""
        return math.isfinite(self.now) and abs(self.difference) <= self.tolerance


def reproduce(
    root: str | Path,
    recipe: str,
    preset: str | None = None,
    output: str | Path | None = None,
    say: Callable[[str], None] = print,
) -> list[Comparison]:
    """Reruns the command of a published run in a new folder, and compares each result.

    Args:
        root: The folder that contains `recipes/`, such as the repository's root.
        recipe: Name of a recipe with published runs.
        preset: Preset of the run, or None for any preset. The shortest run with this preset is
            repeated.
        output: New folder for the files of the run. If None, the folder is created in
            `runs/reproduce` in the working directory.
        say: Function that prints a line.

    Raises:
        FileNotFoundError: If the recipe does not exist.
        FileExistsError: If `output` exists.
        ValueError: If no published run matches, or if the new run fails. The new run fails
            immediately if the data of the published run are not available.
    """
    root = Path(root).resolve()
    record = _choose(read_records(root, recipe).get(recipe, []), recipe, preset, say)
    published = read_published(root, recipe).on(record.config)
    moment = time.strftime("%Y%m%d-%H%M%S")
    folder = Path(output or Path("runs") / "reproduce" / f"{recipe}-{moment}").resolve()
    if folder.exists():
        raise FileExistsError(f"{folder} already exists: choose another --output.")
    _run(root, record.command, folder, say)
    now = published.measured(read_run(folder / "export" / recipe).metrics)
    figures = {figure.key: figure for figure in [*published.cells, *published.figures]}
    comparisons = []
    for key, figure in figures.items():
        if key in record.values:
            name, value = figure.words(record.numbers), now.get(key, math.nan)
            comparisons.append(Comparison(name, record.values[key], value, figure.tolerance))
    return comparisons


def _choose(records: list[Record], recipe: str, preset: str | None, say) -> Record:
    if not records:
        raise ValueError(
            f"{recipe} has no published runs in recipes/results, so there is no command to rerun."
        )
    fitting = [record for record in records if preset in (None, record.preset)]
    if not fitting:
        presets = ", ".join(sorted({record.preset for record in records}))
        raise ValueError(
            f"no published run of {recipe} has the preset {preset!r}: choose one of {presets}."
        )
    cheapest = min(fitting, key=lambda record: record.minutes)
    say(f"published commands of {recipe}:")
    for one in sorted(records, key=lambda record: record.minutes):
        say(f"  {one.minutes:g} minutes on {one.device}: {one.command}")
    return cheapest


def _run(root: Path, command: str, folder: Path, say) -> None:
    python, script, *flags = shlex.split(command)
    if python != "python" or not (root / script).is_file():
        raise ValueError(
            f"the published command is {command!r}, which does not start a recipe in {root}."
        )
    say(f"running {command}\nwriting to {folder}")
    sys.stdout.flush()  # so that this output precedes the other process's output
    run = [sys.executable, str(root / script), *flags, "--output", str(folder)]
    code = subprocess.run(run, env=os.environ | {NO_OFFLINE_SAMPLE: "1"}).returncode
    if code:
        end = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise ValueError(f"the run {end}; its files are in {folder}. The command was: {command}")
