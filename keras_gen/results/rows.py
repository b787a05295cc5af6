"""The rows of the table, kept in `recipes/results/<recipe>.json`."""

import dataclasses
import json
import typing
from pathlib import Path

from keras_gen.files import write_json

RESULTS = Path("recipes") / "results"
"""Where the rows lie, relative to the repository's root."""
# Flags that leave the setting of the paper as it is.
NEUTRAL = ("--preset", "--seed", "--deterministic", "--strategy", "--grid-every")


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure that one run reached.

    Attributes:
        figure: Key of the figure, which says what it is: `recipes/results/<recipe>.toml`.
        train_size: Examples trained on: a number, or a text for several domains and for subsets
            (`"800 + 1,072 of 6,287 + 1,072"`).
        split: What was measured on, and its size.
        value: What was reached: the mean over `seeds`.
        spread: What stands behind ±, or None.
        spread_of: Its kind: standard deviation or error over what.
        seeds: Seeds that the run took the mean over.
        preset: Its preset.
        command: Its command, in the repository's root.
        config: Its settings.
        steps: Training steps.
        minutes: Minutes that it took.
        device: What it ran on.
        versions: Package -> version, or None if not recorded.
        date: Day of the run, or None if not recorded.
        note: Why a figure was missed, or what else must be known; or None.
    """

    figure: str
    train_size: int | str
    split: str
    value: int | float
    spread: int | float | None
    spread_of: str | None
    seeds: list
    preset: str
    command: str
    config: dict
    steps: int
    minutes: int | float
    device: str
    versions: dict | None
    date: str | None
    note: str | None

    def __post_init__(self):
        """Checks the types, for people may edit the files."""
        for name, kind in typing.get_type_hints(type(self)).items():
            value = getattr(self, name)
            if not isinstance(value, kind) or value != value:
                raise ValueError(f"{name} is {value!r}: expected {getattr(kind, '__name__', kind)}")
        if (self.spread is None) != (self.spread_of is None):
            raise ValueError(f"spread is {self.spread} and spread_of {self.spread_of!r}: give both")

    @property
    def setting(self) -> str:
        """What runs have in common that differ in their seed alone."""
        config = self.config | {"seed": None}
        return json.dumps([config, self.train_size, self.split], sort_keys=True)

    @property
    def changed_flags(self) -> int:
        """How many flags of the command change what its preset computes."""
        words = self.command.split()
        return sum(word.startswith("--") and word not in NEUTRAL for word in words)


def recipes_folder(root: str | Path) -> Path:
    """The folder of recipes in the repository at `root`.

    Raises:
        FileNotFoundError: If there is none.
    """
    folder = Path(root) / "recipes"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{Path(root).resolve()} holds no folder recipes: run this in the repository's root, "
            "or name it with --root."
        )
    return folder


def read_rows(root: str | Path) -> dict[str, list[Row]]:
    """The rows of every recipe that has some, by the recipe's name, ascending.

    Args:
        root: The repository's root.

    Raises:
        FileNotFoundError: If it holds no recipes.
        ValueError: If a file is not a list of rows.

    Example:
        >>> read_rows(".")["vae_mnist"][0].value
    """
    recipes_folder(root)
    return {path.stem: _read(path) for path in sorted((Path(root) / RESULTS).glob("*.json"))}


def write_rows(root: str | Path, recipe: str, rows: list[Row]) -> Path:
    """Writes the rows of one recipe, atomically, and returns the file."""
    path = Path(root) / RESULTS / f"{recipe}.json"
    write_json(path, [dataclasses.asdict(row) for row in rows])
    return path


def _read(path: Path) -> list[Row]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(rows, list):
            raise ValueError("expected a list of rows")
        return [Row(**row) for row in rows]
    except (ValueError, TypeError) as error:  # a TypeError names fields that lack or are unknown
        text = str(error).replace("Row.__init__() ", "").rstrip(".")
        raise ValueError(f"{path} cannot be used ({text}): publish its runs again.") from None
