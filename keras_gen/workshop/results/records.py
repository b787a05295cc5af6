"""The results of published runs, stored in `recipes/results/<recipe>.json`."""

import contextlib
import dataclasses
import functools
import io
import itertools
import json
import re
import shlex
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_gen.files.reading import read_text
from keras_gen.files.writing import replacing
from keras_gen.workshop.results.declarations import RESULTS, read_published
from keras_gen.workshop.run.flags import PLACES, command, parse
from keras_gen.workshop.run.outline import Outline, read_outline

# Flags whose values do not change the paper's experimental setting.
NEUTRAL = ("--preset", "--seed", "--deterministic", "--strategy", "--grid-every")
USUAL_DEVICE = "2 CPU cores"
USUAL_VERSIONS = "keras_gen 0.1.0, keras 3.15.1, tensorflow 2.21.0"
LIST_OF_WORDS = re.compile(r'\[\n\s+((?:[\w".+-]+,?\s+)+)\]')


@dataclasses.dataclass(frozen=True)
class Record:
    """One published run.

    Attributes:
        command: Command that was run in the repository's root.
        config: Settings of the run. Files do not store settings, because they follow from the
            command.
        train_size: Number of training examples, or a text such as `"800 + 1,072 of 6,287 + 1,072"`.
            Files store this field only if the run used part of the training set.
        split: Split used for evaluation, and its size.
        steps: Number of training steps. Files store this number only if it is not the product of
            epochs and steps per epoch.
        minutes: Duration of the run, in minutes.
        versions: Text that lists packages with their versions, or "unknown". Files store the
            versions only if they are not the usual ones.
        date: Day of the run, or None if not recorded.
        note: Note for readers, such as the reason that a result is worse than the paper's, or None.
        values: Published results by name of the metric.
        device: Device on which the run took place. Files store the device only if it is not the
            usual one.
        resumed: Whether the run was interrupted and continued from a checkpoint.
        run: ID of the run, or None if not recorded. The images of the run also contain this ID.
        settings: The `checksum` of the settings at the time of publication, or None if the run is
            not published.
    """

    command: str
    config: dict
    train_size: int | str
    split: str
    steps: int
    minutes: int | float
    values: dict
    device: str = USUAL_DEVICE
    versions: str = USUAL_VERSIONS
    date: str | None = None
    note: str | None = None
    resumed: bool = False
    run: str | None = None
    settings: int | None = None

    def __post_init__(self):
        """Checks the values, because files may be edited by hand."""
        for name, value in self.values.items():
            if not isinstance(value, int | float) or value != value:
                raise ValueError(f"the value of {name} is {value!r}: expected a number")

    @property
    def setting(self) -> str:
        """The settings that all runs of a group share: all settings except the seed."""
        config = self.config | {"seed": None}
        return json.dumps([config, self.train_size, self.split], sort_keys=True)

    @property
    def numbers(self) -> dict:
        """The settings and results by name; texts refer to these names in braces."""
        return self.config | self.values

    @property
    def preset(self) -> Any:
        """The preset of the command."""
        return self.config.get("preset")

    @property
    def changed_flags(self) -> int:
        """The number of flags in the command that change the results of the preset."""
        words = self.command.split()
        return sum(word.startswith("--") and word not in NEUTRAL for word in words)


def checksum(config: Mapping[str, Any]) -> int:
    """Returns the sum of all settings' checksums, which changes when a setting changes.

    A setting that is added to a recipe adds only its own checksum to the sum.
    """
    return sum(zlib.crc32(f"{name}={value}".encode()) for name, value in config.items())


def settings_of(recipe: Path, command: str) -> dict[str, Any]:
    """Returns the settings that follow from a published command.

    Args:
        recipe: The recipe's file.
        command: Published command, such as `"python recipes/vae_mnist.py --preset cpu"`.

    Raises:
        ValueError: If the recipe does not accept the flags of the command.
    """
    return _settings(_outline(recipe, recipe.stat().st_mtime_ns), command)


@functools.cache
def _outline(recipe: Path, written: int) -> Outline:
    """Returns the outline of a recipe, and rereads the file if its `written` time changes."""
    outline = read_outline(recipe)
    if outline is None:
        raise ValueError(
            f"{recipe} does not end with a call to run_recipe, or its settings need a slow import: "
            "add the call, or avoid the import."
        )
    return outline


@functools.cache
def _settings(outline: Outline, command: str) -> dict[str, Any]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            flags = shlex.split(command)[2:]
            settings = parse(outline.settings, outline.presets, "", flags)
    except SystemExit:
        raise ValueError(said.getvalue().strip().rpartition("error: ")[2]) from None
    return {name: value for name, value in settings.as_json().items() if name not in PLACES}


def recipes_folder(root: str | Path) -> Path:
    """Returns the folder of recipes in the repository at `root`, which must exist."""
    folder = Path(root) / "recipes"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{Path(root).resolve()} does not contain the folder recipes: run this command in "
            "the repository's root, or pass the root with --root."
        )
    return folder


def read_records(root: str | Path, recipe: str | None = None) -> dict[str, list[Record]]:
    """Returns the records of every recipe that has records, sorted by recipe name.

    Args:
        root: The folder that contains `recipes/`.
        recipe: Name of the recipe whose records are read. If None, the records of all recipes are
            read.

    Raises:
        FileNotFoundError: If the folder `root` contains no recipes.
        ValueError: If a file is not a list of records.

    Example:
        >>> read_records(".")["vae_mnist"][0].values["nll"]
    """
    recipes = recipes_folder(root)
    return {
        path.stem: _read(path, recipes / f"{path.stem}.py")
        for path in sorted((Path(root) / RESULTS).glob("*.json"))
        if recipe in (None, path.stem)
    }


def write_records(root: str | Path, recipe: str, records: list[Record]) -> Path:
    """Atomically writes the records of one recipe, and returns the file.

    Runs that differ only in the seed share a JSON object. A field whose value differs between these
    runs is a list with one value per run.
    """
    path = Path(root) / RESULTS / f"{recipe}.json"
    runs: dict[str, list[Record]] = {}
    for record in records:
        runs.setdefault(record.setting, []).append(record)
    text = json.dumps([_row(path, each) for each in runs.values()], indent=2)
    one_line = LIST_OF_WORDS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    with replacing(path) as file:
        file.write(f"{one_line}\n".encode())
    return path


def _row(path: Path, runs: list[Record]) -> dict[str, Any]:
    """Returns runs as stored in a file, without settings, empty fields, and usual values."""
    rows = []
    for run in runs:
        row = dataclasses.asdict(run)
        usual = _usual(path, row.pop("config"))
        if run.settings is None:
            row["settings"] = checksum(run.config)
        rows.append({n: v for n, v in row.items() if v not in (None, False, usual.get(n))})
    if len(runs) == 1:
        return rows[0]
    first = {"command": runs[0].command, "seeds": [run.config["seed"] for run in runs]}
    return first | _joined(rows) | first


def _joined(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the values that all rows share, and lists of the other values."""
    joined: dict[str, Any] = {}
    for name in dict.fromkeys(itertools.chain(*rows)):
        values = [row.get(name) for row in rows]
        if name == "values":
            joined[name] = _joined([row["values"] for row in rows])
        else:
            joined[name] = values[0] if values.count(values[0]) == len(values) else values
    return joined


def _split(joined: Mapping[str, Any], run: int) -> dict[str, Any]:
    """Returns the row of one run from the result of `_joined`."""
    row = {}
    for name, value in joined.items():
        if name == "values":
            row[name] = _split(value, run)
        elif (own := value[run] if isinstance(value, list) else value) is not None:
            row[name] = own
    return row


def _usual(path: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields that follow from the settings and from the declared metrics."""
    usual: dict[str, Any] = {"device": USUAL_DEVICE, "versions": USUAL_VERSIONS}
    if "epochs" in config and "steps_per_epoch" in config:
        usual["steps"] = config["epochs"] * config["steps_per_epoch"]
    if path.with_suffix(".toml").is_file():
        published = read_published(path.parents[2], path.stem).on(config)
        if published.sizes:
            usual["train_size"] = published.trained_on(published.sizes)
    return usual


def _read(path: Path, recipe: Path) -> list[Record]:
    try:
        return [
            _record(path, recipe, _split(joined, run), seed)
            for joined in json.loads(read_text(path))
            for run, seed in enumerate(joined["seeds"] if "seeds" in joined else [None])
        ]
    # A TypeError is raised for missing or unknown fields, and names them.
    except (ValueError, TypeError, AttributeError, LookupError, OSError) as error:
        text = str(error).replace("Record.__init__() ", "").rstrip(".")
        raise ValueError(f"{path} cannot be used ({text}): publish its runs again.") from None


def _record(path: Path, recipe: Path, row: dict[str, Any], seed: int | None) -> Record:
    """Returns the record of a row, with the command for the given seed if there is one."""
    row.pop("seeds", None)
    config = settings_of(recipe, row["command"])
    if seed is not None:
        outline = _outline(recipe, recipe.stat().st_mtime_ns)
        config = config | {"seed": seed}
        row["command"] = command(recipe.stem, outline.settings, outline.presets, config)
    return Record(config=config, **_usual(path, config) | row)
