"""The lines that a run ends with: what it measured or made, and what its export can do."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_gen.serving.exported import read_metadata
from keras_gen.workshop.results import read_published
from keras_gen.workshop.results.declarations import filled
from keras_gen.workshop.results.records import read_records
from keras_gen.workshop.run.flags import QUICK


def made(directory: Path) -> list[str]:
    """What a smoke run has made, which it says in place of its numbers."""
    return [
        f"made: {', '.join(_drawn(directory))}, metrics.json",
        "the numbers of a smoke run mean nothing: it only shows that everything works",
    ]


def pictures(directory: Path) -> list[str]:
    """Where to look at what a run has drawn or spoken."""
    return [f"look at {', '.join(_drawn(directory))} in {directory}"]


def _drawn(directory: Path) -> list[str]:
    """The names of images and sounds in a folder."""
    kinds = (".gif", ".png", ".wav")
    return sorted(path.name for path in directory.iterdir() if path.suffix in kinds)


def numbers(recipe: Path, metrics: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """A line for each figure that the recipe publishes, with its baselines; else for each number.

    Args:
        recipe: The recipe's file; `results/<name>.toml` next to it says what it publishes.
        metrics: By name.
        config: The run's settings, which the names of figures hold.
    """
    try:
        published = read_published(recipe.parent.parent, recipe.stem).on(config)
    except FileNotFoundError:
        return [f"  {name}: {_short(value)}" for name, value in metrics.items()]
    known = {**metrics, **config}
    lines = []
    for figure in published.figures:
        if figure.key not in metrics:
            continue
        better = "higher" if figure.higher_is_better else "lower"
        others = [
            f"; {filled(name, known)} {_short(metrics[key])}"
            for name, key in (*figure.baselines.items(), *figure.references.items())
            if key in metrics
        ]
        title = figure.words(known)
        lines.append(
            f"  {title}: {_short(metrics[figure.key])} ({better} is better{''.join(others)})"
        )
    return lines


def longer(
    recipe: Path, minutes: float, flags: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Returns commands of published runs that take longer than this one, with their minutes.

    A first look is not among them: on an offline sample it would only be repeated.

    Args:
        recipe: The recipe's file.
        minutes: Minutes of this run.
        flags: Flags of this run that the commands repeat, see `own_flags`. A flag that the
            published command sets stays as published.
    """
    try:
        records = read_records(recipe.parent.parent, recipe.stem).get(recipe.stem, [])
    except FileNotFoundError:
        return []
    found = [r for r in records if r.minutes > minutes + 1 and r.preset != QUICK]
    return [
        f"longer, {r.minutes:.0f} minutes on {r.device.split(',')[0]}: "
        f"{_with_flags(_here(r.command, recipe), flags or {})}"
        for r in sorted(found, key=lambda r: r.minutes)[:2]
    ]


def resuming(recipe: Path, directory: Path) -> str:
    """Returns the command that resumes the run in a folder."""
    command = _here(f"python recipes/{recipe.name}", recipe)
    return f"{command} --resume --output {shlex.quote(str(directory))}"


def _with_flags(command: str, flags: Mapping[str, Sequence[str]]) -> str:
    """A command with further flags, but those that it sets itself."""
    there = set(command.split())
    more = [words for words in flags.values() if words[0] not in there]
    return " ".join([command, *map(shlex.join, more)])


def _here(command: str, recipe: Path) -> str:
    """A published command, as it is typed where the recipes are inside an installed package."""
    if recipe.parent.parent.name != "shipped":
        return command
    return command.replace(f"python recipes/{recipe.name}", f"keras-gen train {recipe.stem}")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def usage(path: Path) -> list[str]:
    """Commands that make images with an export, if it can make any."""
    folder = shlex.quote(str(path.parent))
    metadata = read_metadata(path)
    sample = metadata["signatures"].get("sample", {"inputs": {}, "outputs": {}})
    drawn = any(len(spec["shape"]) == 4 for spec in sample["outputs"].values())
    asked = sample["inputs"].keys() - metadata.get("defaults", {}).get("sample", {}).keys()
    if drawn and asked == {"seed", "n"}:
        return [f"draw: keras-gen sample {folder} -n 64 --seed 0 -o samples.png"]
    default = metadata["signatures"][metadata["default_signature"]]
    inputs = [spec["shape"] for spec in default["inputs"].values()]
    outputs = [spec["shape"] for spec in default["outputs"].values()]
    if [len(shape) for shape in inputs + outputs] == [4, 4]:
        height, width = inputs[0][1:3]
        size = f"  (of {height}x{width} pixels)" if height and width else ""
        return [f"apply: keras-gen apply {folder} IMAGE.png -o out.png{size}"]
    return []
