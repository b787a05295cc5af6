"""Measures the duration of a run that may be interrupted."""

import time
from pathlib import Path

from keras_gen.files.reading import read_json
from keras_gen.files.writing import write_json


class Clock:
    """Measures the duration of a run, in minutes, across all processes of the run.

    Work done after the last `save` is repeated by the next process, and is counted only once.

    Args:
        directory: Folder of the run, in which `elapsed.json` stores the minutes of earlier
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
        """The elapsed minutes."""
        return self._before + (time.monotonic() - self._began) / 60

    def save(self) -> None:
        """Saves the minutes for a process that resumes the run from here."""
        write_json(self._path, {"minutes": round(self.minutes, 3)})


def _saved(path: Path) -> float:
    try:
        return float(read_json(path)["minutes"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} does not contain a number of minutes: delete it to resume without the "
            "minutes of earlier processes."
        ) from None
