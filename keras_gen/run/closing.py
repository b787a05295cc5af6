"""The lines that a run ends with: what its numbers are, and what its export can do."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_gen.results import read_published
from keras_gen.serving.exported import read_metadata

SMOKE_NOTE = "these numbers mean nothing: smoke only shows that everything works"


def numbers(recipe: Path, metrics: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """A line for each number; those that the recipe publishes have their unit and direction.

    Args:
        recipe: The recipe's file, beside which `results/<name>.toml` says what it publishes.
        metrics: By name.
        config: The run's settings, which the names of figures hold.
    """
    titles = {}
    with contextlib.suppress(FileNotFoundError):
        published = read_published(recipe.parent.parent, recipe.stem)
        for figure in published.on(config.get("dataset")).figures:
            better = "higher" if figure.higher_is_better else "lower"
            titles[figure.key] = f"  ({figure.words(config)}, {better} is better)"
    for name, value in metrics.items():
        number = f"{value:.4g}" if isinstance(value, float) else value
        yield f"  {name}: {number}{titles.get(name, '')}"


def usage(path: Path) -> Iterator[str]:
    """Commands that serve an export, and that make images with it if it can make any."""
    name, metadata = path.parent.name, read_metadata(path)
    yield (
        f'serve it: docker run -p 8501:8501 -v "{path.parent.resolve()}:/models/{name}" '
        f"-e MODEL_NAME={name} tensorflow/serving"
    )
    drawn = metadata["signatures"].get("sample", {}).get("outputs", {}).values()
    if any(len(spec["shape"]) == 4 for spec in drawn):
        yield f"draw: keras-gen sample {path.parent} -n 64 --seed 0 -o samples.png"
        return
    default = metadata["signatures"][metadata["default_signature"]]
    taken, given = ([spec["shape"] for spec in default[k].values()] for k in ("inputs", "outputs"))
    if [len(shape) for shape in (*taken, *given)] == [4, 4]:
        height, width = taken[0][1:3]
        size = f"  (of {height}x{width} pixels)" if height and width else ""
        yield f"apply: keras-gen apply {path.parent} IMAGE.png -o out.png{size}"
