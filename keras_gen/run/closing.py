"""The lines that a run ends with: what it measured or made, and what its export can do."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_gen.results import read_published
from keras_gen.serving.exported import read_metadata


def made(directory: Path) -> list[str]:
    """What a smoke run has made, which it says in place of its numbers."""
    files = [
        path.name for path in directory.iterdir() if path.suffix in (".gif", ".png", ".wav")
    ]
    return [
        f"made: {', '.join(sorted(files))}, metrics.json",
        "the numbers of a smoke run mean nothing: it only shows that everything works",
    ]


def numbers(recipe: Path, metrics: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """A line for each number; those that the recipe publishes have their unit and direction.

    Args:
        recipe: The recipe's file; `results/<name>.toml` next to it says what it publishes.
        metrics: By name.
        config: The run's settings, which the names of figures hold.
    """
    titles = {}
    with contextlib.suppress(FileNotFoundError):
        published = read_published(recipe.parent.parent, recipe.stem)
        for figure in published.on(config.get("dataset")).figures:
            better = "higher" if figure.higher_is_better else "lower"
            title = figure.words({**metrics, **config})
            titles[figure.key] = f"  ({title}, {better} is better)"
    lines = []
    for name, value in metrics.items():
        number = f"{value:.4g}" if isinstance(value, float) else value
        lines.append(f"  {name}: {number}{titles.get(name, '')}")
    return lines


def usage(path: Path) -> list[str]:
    """Commands that serve an export, and that make images with it if it can make any."""
    name = path.parent.name
    metadata = read_metadata(path)
    lines = [
        f'serve it: docker run -p 8501:8501 -v "{path.parent.resolve()}:/models/{name}" '
        f"-e MODEL_NAME={name} tensorflow/serving"
    ]
    drawn = metadata["signatures"].get("sample", {}).get("outputs", {}).values()
    if any(len(spec["shape"]) == 4 for spec in drawn):
        return [*lines, f"draw: keras-gen sample {path.parent} -n 64 --seed 0 -o samples.png"]
    default = metadata["signatures"][metadata["default_signature"]]
    inputs = [spec["shape"] for spec in default["inputs"].values()]
    outputs = [spec["shape"] for spec in default["outputs"].values()]
    if [len(shape) for shape in inputs + outputs] == [4, 4]:
        height, width = inputs[0][1:3]
        size = f"  (of {height}x{width} pixels)" if height and width else ""
        lines.append(f"apply: keras-gen apply {path.parent} IMAGE.png -o out.png{size}")
    return lines
