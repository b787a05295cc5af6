"""The minutes of a run that may have been interrupted."""

import json
import time
from pathlib import Path

from keras_gen.files import write_json


class Clock:
    """Counts the minutes of a run over all processes that had a part in it.

    Work done after the last `save` is repeated by the next process, and counts once.

    Args:
        directory: The run's folder; `elapsed.json` in it has the minutes of earlier processes.
    """

    def __init__(self, directory: Path):
        self._path = directory / "elapsed.json"
        self._before = 0.0
        if self._path.exists():
            self._before = float(json.loads(self._path.read_text())["minutes"])
        self._began = time.monotonic()

    @property
    def minutes(self) -> float:
        """The minutes so far."""
        return self._before + (time.monotonic() - self._began) / 60

    def save(self) -> None:
        """Notes the minutes for a process that resumes from here."""
        write_json(self._path, {"minutes": round(self.minutes, 3)})
