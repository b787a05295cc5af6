"""Running a published command again, and comparing."""

import dataclasses
import math
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from keras_gen.results.published import read_published
from keras_gen.results.rows import Row, read_rows
from keras_gen.results.runs import read_run


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A published figure and what another run reached.

    Attributes:
        metric: Name of the figure.
        unit: Its unit.
        published: The published value.
        now: The value of the run that was just made.
        tolerance: How far apart they may be.
    """

    metric: str
    unit: str
    published: float
    now: float
    tolerance: float

    @property
    def difference(self) -> float:
        """The value now minus the published one."""
        return self.now - self.published

    @property
    def ok(self) -> bool:
        """Whether they are as near as the recipe says that they must be."""
        return math.isfinite(self.now) and abs(self.difference) <= self.tolerance


def reproduce(
    root: str | Path,
    recipe: str,
    preset: str | None = None,
    output: str | Path | None = None,
    say: Callable[[str], None] = print,
) -> list[Comparison]:
    """Runs the command of published rows in a new folder, and compares what it measures.

    Args:
        root: The repository's root, in which the command runs.
        recipe: Name of a recipe with published rows.
        preset: Which of several published commands; of those left, the one that took the fewest
            minutes is run.
        output: A folder that does not exist (default: `<root>/runs/reproduce/<recipe>-<time>`). The
            run writes there, and its export into `export` inside.
        say: Prints a line.

    Returns:
        A comparison for each published figure of the command.

    Raises:
        FileNotFoundError: If there is no such recipe.
        FileExistsError: If `output` exists.
        ValueError: If no rows fit, the recipe no longer declares a figure, or the run fails or was
            made without the data set.

    Example:
        >>> all(comparison.ok for comparison in reproduce(".", "vae_mnist"))    # doctest: +SKIP
        True
    """
    root = Path(root).resolve()
    rows = _choose(read_rows(root).get(recipe, []), recipe, preset, say)
    published = read_published(root, recipe)
    figures = [published.figure(row.figure) for row in rows]
    folder = _new_folder(root, recipe) if output is None else Path(output).resolve()
    if folder.exists():
        raise FileExistsError(f"{folder} is already there: choose another --output.")
    _run(root, rows[0].command, folder, say)
    metrics = read_run(folder / "export" / recipe).metrics
    return [
        Comparison(f.metric, f.unit, row.value, f.measured(metrics)[0], f.tolerance)
        for f, row in zip(figures, rows, strict=True)
    ]


def _choose(rows: list[Row], recipe: str, preset: str | None, say) -> list[Row]:
    """The rows of one command."""
    if not rows:
        raise ValueError(f"{recipe} has no published rows in recipes/results: there is no command.")
    fitting = [row for row in rows if preset in (None, row.preset)]
    if not fitting:
        presets = ", ".join(sorted({row.preset for row in rows}))
        raise ValueError(f"no row of {recipe} has the preset {preset!r}: published are {presets}.")
    cheapest = min(fitting, key=lambda row: row.minutes)
    others = len({row.command for row in fitting}) - 1
    say(
        f"{cheapest.command}\npublished with {cheapest.minutes:g} minutes on {cheapest.device}"
        + (f"; the cheapest of {others + 1} published commands" if others else "")
    )
    return [row for row in fitting if row.command == cheapest.command]


def _new_folder(root: Path, recipe: str) -> Path:
    moment = time.strftime("%Y%m%d-%H%M%S")
    path = root / "runs" / "reproduce" / f"{recipe}-{moment}"
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{recipe}-{moment}-{number}")
    return path


def _run(root: Path, command: str, folder: Path, say) -> None:
    """Runs the command with this interpreter to its end."""
    python, script, *flags = shlex.split(command)
    if python != "python" or not (root / script).is_file():
        raise ValueError(f"the published command is {command!r}: it starts no recipe of {root}.")
    places = ["--output", str(folder), "--export", str(folder / "export")]
    say(f"into {folder}")
    sys.stdout.flush()  # before what the other process writes
    code = subprocess.run([sys.executable, script, *flags, *places], cwd=root).returncode
    if code:
        end = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise ValueError(f"the run {end}; what it wrote is in {folder}: {command}")
