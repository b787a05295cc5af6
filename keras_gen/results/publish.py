"""From finished runs to rows."""

import dataclasses
import json
import shlex
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_gen.results.published import Published, read_published
from keras_gen.results.rows import Row, read_rows, write_rows
from keras_gen.results.runs import FinishedRun, load_recipe, read_run


def publish(
    root: str | Path, exports: Sequence[str | Path], note: str | None = None
) -> dict[Path, list[Row]]:
    """Writes the figures of exports into `recipes/results/<recipe>.json`.

    Exports that differ in nothing but the seed become one row for each figure: the mean, with the
    standard deviation as its spread. Rows of the same figure and command are replaced, all others
    are kept. Nothing is written unless everything can be.

    Args:
        root: The repository's root.
        exports: Folders of exports.
        note: Why a figure is worse than the paper's, or what else must be known. Without one, the
            notes of the rows that are replaced are kept.

    Returns:
        File written -> the new rows in it.

    Raises:
        FileNotFoundError: If there is no such export or recipe.
        ValueError: If an export cannot be published, there is a mistake in what its recipe
            publishes, the metrics lack a figure, or a figure is missed and no note says why.
        OSError: If a file cannot be written.

    Example:
        >>> publish(".", ["saved_models/vae_mnist/1"])    # doctest: +SKIP
        {PosixPath('recipes/results/vae_mnist.json'): [Row(system='VAE', ...)]}
    """
    note = " ".join((note or "").split()) or None
    groups: dict[tuple[str, str], list[FinishedRun]] = {}
    for run in map(read_run, exports):
        alike = json.dumps(run.config | {"seed": None}, sort_keys=True)
        groups.setdefault((run.recipe, alike), []).append(run)
    recipes = {name: load_recipe(root, name) for name, _ in groups}
    published = {name: read_published(root, name) for name in recipes}
    there = read_rows(root)
    new: dict[str, list[Row]] = {name: [] for name in recipes}
    for (name, _), runs in groups.items():
        for row in _rows(recipes[name], published[name], name, runs):
            old = [other.note for other in there.get(name, []) if _same(row, other)]
            new[name].append(dataclasses.replace(row, note=note or (old[0] if old else None)))
    for row in (row for rows in new.values() for row in rows):
        if row.missed_by and not row.note:
            raise ValueError(
                f"{row.metric} is {row.value:.5g} where the paper has {row.paper_value}: say why "
                "with --note."
            )
    return {
        write_rows(
            root,
            name,
            [o for o in there.get(name, []) if not any(_same(row, o) for row in rows)] + rows,
        ): rows
        for name, rows in new.items()
    }


def _same(row: Row, other: Row) -> bool:
    return (row.metric, row.command) == (other.metric, other.command)


def _rows(
    recipe: ModuleType, published: Published, name: str, runs: list[FinishedRun]
) -> list[Row]:
    """One row for each figure of runs that differ in their seeds only."""
    runs = sorted(runs, key=lambda run: run.config.get("seed", 0))
    first = runs[0]
    seeds = [run.config.get("seed", 0) for run in runs]
    if first.config.get("preset") == "smoke":
        raise ValueError(
            f"{first.path} is of the preset smoke, which shows that a recipe works and no more: "
            "publish a run of cpu or paper."
        )
    if len(set(seeds)) < len(seeds):
        raise ValueError(
            f"of {' and '.join(str(run.path) for run in runs)} two have the same seed: name each "
            "run once."
        )
    if any(run.data != first.data for run in runs):
        raise ValueError(
            f"{' and '.join(str(run.path) for run in runs)} differ in their data: publish them one "
            "by one."
        )
    command, config = _command(recipe, name, first)
    rows = []
    for figure in published.figures:
        for key, value in figure.given.items():
            if config.get(key) != value:
                raise ValueError(
                    f"{first.path} has the setting {key} {config.get(key)}, and {figure.metric!r} "
                    f"means {value}: publish a run with that."
                )
        try:
            measured = [figure.measured(run.metrics) for run in runs]
        except ValueError as error:
            raise ValueError(f"{first.path}: {error}") from None
        values = [value for value, _ in measured]
        rows.append(
            Row(
                system=published.system,
                family=published.family,
                paper=published.paper,
                dataset=published.dataset,
                train_size=_train_size(first, published.train_size),
                split="; ".join(
                    f"{kind}, {_sum(sizes)}" for kind, sizes in first.sizes(training=False).items()
                ),
                metric=figure.metric,
                unit=figure.unit,
                higher_is_better=figure.higher_is_better,
                paper_value=figure.paper_value,
                value=statistics.fmean(values),
                spread=statistics.stdev(values) if values[1:] else measured[0][1],
                seeds=seeds,
                preset=first.config["preset"],
                command=command,
                config=config,
                steps=first.metrics.get("steps"),  # type: ignore[arg-type]
                minutes=round(statistics.fmean(run.metrics.get("minutes", 0) for run in runs), 1),
                device=_all(run.metrics.get("device") for run in runs),
                versions=_versions(runs),
                date=max((run.date for run in runs if run.date), default=None),
                note=None,
            )
        )
    return rows


def _command(recipe: ModuleType, name: str, run: FinishedRun) -> tuple[str, dict[str, Any]]:
    """The command of a run, and the settings that it leads to."""
    from keras_gen.run import command, parse
    from keras_gen.run.settings import PLACES

    try:
        line = command(name, recipe.Settings, recipe.PRESETS, run.config)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{run.path}: {error}") from None
    settings = parse(recipe.Settings, recipe.PRESETS, "", shlex.split(line)[2:])
    config = {key: value for key, value in settings.as_json().items() if key not in PLACES}
    assert config == config | run.config, f"{line} does not lead to the settings of {run.path}"
    return line, config


def _train_size(run: FinishedRun, whole: int | tuple[int, ...] | None) -> int | str:
    """Examples trained on: a number, or a text for several domains and subsets of the `whole`."""
    sizes = [size for part in run.sizes(training=True).values() for size in part]
    expected = [whole] if isinstance(whole, int) else list(whole or sizes)
    if not sizes or len(sizes) != len(expected):
        raise ValueError(
            f"{run.path} was trained on {len(sizes)} parts, where train_size has "
            f"{len(expected)}: correct it in recipes/results."
        )
    if sizes == expected:
        return sizes[0] if len(sizes) == 1 else _sum(sizes)
    return f"{_sum(sizes)} of {_sum(expected)}"


def _sum(sizes: list[int]) -> str:
    return " + ".join(f"{size:,}" for size in sizes)


def _all(texts: Iterable[Any]) -> str:
    return " / ".join(dict.fromkeys(str(text or "unknown") for text in texts))


def _versions(runs: list[FinishedRun]) -> dict[str, str] | None:
    if not all(run.versions for run in runs):
        return None
    packages = dict.fromkeys(package for run in runs for package in run.versions or {})
    return {key: _all((run.versions or {}).get(key) for run in runs) for key in packages}
