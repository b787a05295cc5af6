"""What published runs reached, kept in `recipes/results/<recipe>.json`."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from keras_gen.files.reading import read_text
from keras_gen.files.writing import write_json

RESULTS = Path("recipes") / "results"
"""Where records lie, relative to the repository's root."""
# Flags that leave the setting of the paper as it is.
NEUTRAL = ("--preset", "--seed", "--deterministic", "--strategy", "--grid-every")


@dataclasses.dataclass(frozen=True)
class Record:
    """One published run.

    Attributes:
        command: Its command, in the repository's root.
        config: Its settings.
        train_size: Examples trained on, or a text such as `"800 + 1,072 of 6,287 + 1,072"`.
        split: What was measured on, and its size.
        steps: Training steps.
        minutes: Minutes that it took.
        device: What it ran on.
        versions: Package -> version, or None if not recorded.
        date: Day of the run, or None if not recorded.
        note: Why a figure was missed, or what else must be known; or None.
        values: What it measured and publishes, by the names in its metrics.
        resumed: Whether it was interrupted, and went on from a checkpoint.
        run: Its id, which its images have too; None if not recorded.
    """

    command: str
    config: dict
    train_size: int | str
    split: str
    steps: int
    minutes: int | float
    device: str
    versions: dict | None
    date: str | None
    note: str | None
    values: dict
    resumed: bool = False
    run: str | None = None

    def __post_init__(self):
        """Checks the values, for people may edit the files."""
        for name, value in self.values.items():
            if not isinstance(value, int | float) or value != value:
                raise ValueError(f"the value of {name} is {value!r}: expected a number")

    @property
    def setting(self) -> str:
        """What runs have in common that differ in their seed alone."""
        config = self.config | {"seed": None}
        return json.dumps([config, self.train_size, self.split], sort_keys=True)

    @property
    def numbers(self) -> dict:
        """What texts are filled with: its settings, and what it measured."""
        return self.config | self.values

    @property
    def preset(self) -> Any:
        """The preset of its command."""
        return self.config.get("preset")

    @property
    def changed_flags(self) -> int:
        """How many flags of the command change what its preset computes."""
        words = self.command.split()
        return sum(word.startswith("--") and word not in NEUTRAL for word in words)


def recipes_folder(root: str | Path) -> Path:
    """The folder of recipes in the repository at `root`, which must exist."""
    folder = Path(root) / "recipes"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{Path(root).resolve()} holds no folder recipes: run this in the repository's root, "
            "or name it with --root."
        )
    return folder


def read_records(root: str | Path) -> dict[str, list[Record]]:
    """The records of every recipe that has some, by the recipe's name, ascending.

    Raises:
        FileNotFoundError: If the folder `root` holds no recipes.
        ValueError: If a file is not a list of records.

    Example:
        >>> read_records(".")["vae_mnist"][0].values["nll"]
    """
    recipes_folder(root)
    return {path.stem: _read(path) for path in sorted((Path(root) / RESULTS).glob("*.json"))}


def write_records(root: str | Path, recipe: str, records: list[Record]) -> Path:
    """Writes the records of one recipe, atomically, and returns the file."""
    path = Path(root) / RESULTS / f"{recipe}.json"
    write_json(path, [dataclasses.asdict(record) for record in records])
    return path


def _read(path: Path) -> list[Record]:
    try:
        records = json.loads(read_text(path))
        return [Record(**record) for record in records]
    # A TypeError names fields that lack or are unknown.
    except (ValueError, TypeError, AttributeError) as error:
        text = str(error).replace("Record.__init__() ", "").rstrip(".")
        raise ValueError(f"{path} cannot be used ({text}): publish its runs again.") from None
