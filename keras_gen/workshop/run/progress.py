"""The time and the losses of a run, as stored in its folder."""

import csv
import io
import math
import time
from pathlib import Path

from keras_gen.files.reading import read_json, read_text
from keras_gen.files.writing import replacing, write_json
from keras_gen.messages import in_words


class Clock:
    """Measures the duration of a run, in minutes, across all processes of the run.

    The next process repeats all work done after the last `save`; the time for this work is counted
    only once.

    Args:
        directory: Folder of the run. The file `elapsed.json` in it stores the minutes of earlier
            processes.

    Raises:
        ValueError: If `elapsed.json` does not contain a number of minutes.
    """

    def __init__(self, directory: Path):
        self._path = directory / "elapsed.json"
        self.resumed = self._path.exists()
        self._before = _saved(self._path) if self.resumed else 0.0
        self._began = time.monotonic()

    @property
    def minutes(self) -> float:
        """The elapsed minutes of all processes."""
        return self._before + (time.monotonic() - self._began) / 60

    def save(self) -> None:
        """Saves the elapsed minutes for a process that resumes the run."""
        write_json(self._path, {"minutes": round(self.minutes, 3)})


def _saved(path: Path) -> float:
    try:
        return float(read_json(path)["minutes"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} does not contain a number of minutes: delete it to resume without counting "
            "the minutes of earlier processes."
        ) from None


def write_history(path: str | Path, logs: list[dict[str, float]]) -> None:
    """Atomically writes a CSV file with one row per epoch.

    Args:
        path: Path of the CSV file.
        logs: Logs, one dict of numbers per epoch.
    """
    names = list(dict.fromkeys(name for row in logs for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["epoch", *names])
    writer.writeheader()
    writer.writerows({"epoch": number, **row} for number, row in enumerate(logs, start=1))
    with replacing(path) as file:
        file.write(text.getvalue().encode())


def epochs_of(path: Path) -> int:
    """Returns the number of epochs in the CSV file, or 0 if the file does not exist."""
    return max(len(read_text(path).splitlines()) - 1, 0) if path.exists() else 0


def loss_curves(path: str | Path, logs: list[dict[str, float]]) -> None:
    """Plots all logged numbers except learning rates by epoch, three panels per row, as a PNG.

    Args:
        path: Path of the PNG file.
        logs: Logs, one dict of numbers per epoch.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for row in logs for name in row))
    names = [name for name in names if not name.endswith("learning_rate")]
    columns = min(len(names), 3)
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(4 * columns, 3 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in panels[len(names) :]:
        axis.set_axis_off()
    for axis, name in zip(panels, names, strict=False):
        points = [(epoch, row[name]) for epoch, row in enumerate(logs, start=1) if name in row]
        axis.plot(*zip(*points, strict=True), marker="." if len(points) < 30 else None)
        axis.set_title(in_words(name))
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=90)
