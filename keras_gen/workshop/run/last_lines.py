"""The final lines that a run prints: results or files, and commands that use its export."""

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
    """Returns the list of a smoke run's files, which is printed instead of results."""
    return [
        f"files in {directory}: {', '.join(_drawn(directory))}, metrics.json",
        "the metrics of a smoke run are meaningless; the run only checks that everything works",
    ]


def pictures(directory: Path) -> list[str]:
    """Returns the names of the image and sound files that a run produced."""
    files = _drawn(directory)
    kinds = "images and sounds" if any(name.endswith(".wav") for name in files) else "images"
    return [f"{kinds} in {directory}: {', '.join(files)}"]


def _drawn(directory: Path) -> list[str]:
    """Returns the names of the image and sound files in a folder."""
    kinds = (".gif", ".png", ".wav")
    return sorted(path.name for path in directory.iterdir() if path.suffix in kinds)


def numbers(recipe: Path, metrics: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Returns the lines with the metrics of a run.

    There is one line per published metric, with the metric's baselines. If the recipe does not
    publish metrics, there is one line per metric.

    Args:
        recipe: Recipe file. The file `results/<name>.toml` in the same folder declares the
            published metrics.
        metrics: Metrics by name.
        config: Settings of the run, which may appear in the names of metrics.
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
    """Returns the commands and the minutes of published runs that take longer than this run.

    Quick previews are left out, because on an offline sample, they would only repeat this run.

    Args:
        recipe: Recipe file.
        minutes: Minutes of this run.
        flags: Flags of this run that the commands repeat; see `own_flags`. A flag that a published
            command already sets is not changed.
    """
    try:
        records = read_records(recipe.parent.parent, recipe.stem).get(recipe.stem, [])
    except FileNotFoundError:
        return []
    found = [r for r in records if r.minutes > minutes + 1 and r.preset != QUICK]
    return [
        f"longer run, {r.minutes:.0f} minutes on {r.device.split(',')[0]}: "
        f"{_with_flags(_here(r.command, recipe), flags or {})}"
        for r in sorted(found, key=lambda r: r.minutes)[:2]
    ]


def resuming(recipe: Path, directory: Path) -> str:
    """Returns the command that resumes the run in `directory`."""
    command = _here(f"python recipes/{recipe.name}", recipe)
    return f"{command} --resume --output {shlex.quote(str(directory))}"


def _with_flags(command: str, flags: Mapping[str, Sequence[str]]) -> str:
    """Adds flags to a command, except for flags that the command already sets."""
    there = set(command.split())
    more = [words for words in flags.values() if words[0] not in there]
    return " ".join([command, *map(shlex.join, more)])


def _here(command: str, recipe: Path) -> str:
    """Adapts a published command if the recipes are in an installed package."""
    if recipe.parent.parent.name != "shipped":
        return command
    return command.replace(f"python recipes/{recipe.name}", f"keras-gen train {recipe.stem}")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def usage(path: Path) -> list[str]:
    """Returns commands that generate images with an export, if its signatures are suitable."""
    folder = shlex.quote(str(path.parent))
    metadata = read_metadata(path)
    sample = metadata["signatures"].get("sample", {"inputs": {}, "outputs": {}})
    drawn = any(len(spec["shape"]) == 4 for spec in sample["outputs"].values())
    asked = sample["inputs"].keys() - metadata.get("defaults", {}).get("sample", {}).keys()
    if drawn and asked == {"seed", "n"}:
        return [f"sample: keras-gen sample {folder} -n 64 --seed 0 -o samples.png"]
    default = metadata["signatures"][metadata["default_signature"]]
    inputs = [spec["shape"] for spec in default["inputs"].values()]
    outputs = [spec["shape"] for spec in default["outputs"].values()]
    if [len(shape) for shape in inputs + outputs] == [4, 4]:
        height, width = inputs[0][1:3]
        size = f"  (IMAGE.png: {height}x{width} pixels)" if height and width else ""
        return [f"apply: keras-gen apply {folder} IMAGE.png -o out.png{size}"]
    return []
