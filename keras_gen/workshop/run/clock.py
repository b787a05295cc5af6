"""The minutes of a run that may have been interrupted."""

import time
from pathlib import Path

from keras_gen.files.reading import read_json
from keras_gen.files.writing import write_json


class Clock:
    """Counts the minutes of a run over all processes that had a part in it.

    Work done after the last `save` is repeated by the next process, and counts once.

    Args:
        directory: The run's folder; `elapsed.json` in it has the minutes of earlier processes.

    Raises:
        ValueError: If that file holds no minutes.
    """

    def __init__(self, directory: Path):
        self._path = directory / "elapsed.json"
        self.resumed = self._path.exists()
        self._before = _saved(self._path) if self.resumed else 0.0
        self._began = time.monotonic()

    @property
    def minutes(self) -> float:
        """The minutes so far."""
        return self._before + (time.monotonic() - self._began) / 60

    def save(self) -> None:
        """Notes the minutes for a process that resumes from here."""
        write_json(self._path, {"minutes": round(self.minutes, 3)})


def _saved(path: Path) -> float:
    try:
        return float(read_json(path)["minutes"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} holds no minutes: remove it to resume without those of earlier processes."
        ) from None
