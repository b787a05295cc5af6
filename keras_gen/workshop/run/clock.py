"""Measures the duration of a run that may be interrupted."""

import time
from pathlib import Path

from keras_gen.files.reading import read_json
from keras_gen.files.writing import write_json


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
