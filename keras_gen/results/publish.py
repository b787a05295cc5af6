"""From finished runs to rows."""

import dataclasses
import json
import shlex
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_gen.results.entries import Entry, entries
from keras_gen.results.published import Published, read_published
from keras_gen.results.rows import Row, read_rows, write_rows
from keras_gen.results.runs import FinishedRun, load_recipe, read_run


def publish(
    root: str | Path, exports: Sequence[str | Path], note: str | None = None
) -> dict[Path, list[Entry]]:
    """Writes the figures of exports into `recipes/results/<recipe>.json`.

    Each run becomes a row for each figure; the table shows runs that differ in nothing but the seed
    as one. Rows of the same command are replaced, all others are kept. Nothing is written unless
    everything can be.

    Args:
        root: The repository's root.
        exports: Folders of exports.
        note: Why a figure is worse than the paper's, or what else must be known. Without one, the
            notes of the rows that are replaced are kept.

    Returns:
        File written -> the lines of the table that the new rows alone would make.

    Raises:
        FileNotFoundError: If there is no such export or recipe.
        ValueError: If an export cannot be published, there is a mistake in what its recipe
            publishes, the metrics lack a figure, or a figure is missed and no note says why.
        OSError: If a file cannot be written.

    Example:
        >>> publish(".", ["saved_models/vae_mnist/1"])    # doctest: +SKIP
        {PosixPath('recipes/results/vae_mnist.json'): [Entry(...)]}
    """
    note = " ".join((note or "").split()) or None
    groups: dict[tuple[str, str], list[FinishedRun]] = {}
    for run in map(read_run, exports):
        alike = json.dumps(run.config | {"seed": None}, sort_keys=True)
        groups.setdefault((run.recipe, alike), []).append(run)
    recipes = {name: load_recipe(root, name) for name, _ in groups}
    published = {name: read_published(root, name) for name in recipes}
    there = read_rows(root)
    notes = {(row.command, row.figure): row.note for rows in there.values() for row in rows}
    new: dict[str, list[Row]] = {name: [] for name in recipes}
    for (name, _), runs in groups.items():
        _check_alike(runs)
        for run in sorted(runs, key=lambda run: run.config.get("seed", 0)):
            for row in _rows(recipes[name], published[name], run):
                old = notes.get((row.command, row.figure))
                new[name].append(dataclasses.replace(row, note=note or old))
    made = {name: list(chain(*entries(published[name], rows))) for name, rows in new.items()}
    for entry in chain(*made.values()):
        if entry.missed_by and not entry.row.note:
            raise ValueError(
                f"{entry.figure.metric} is {entry.row.value:.5g} where the paper has "
                f"{entry.figure.paper_value}: say why with --note."
            )
    commands = {row.command for rows in new.values() for row in rows}
    kept = {
        name: [row for row in there.get(name, []) if row.command not in commands] for name in new
    }
    return {write_rows(root, name, kept[name] + rows): made[name] for name, rows in new.items()}


def _check_alike(runs: list[FinishedRun]) -> None:
    """Refuses runs that stand in one line of the table and cannot be compared."""
    paths = " and ".join(str(run.path) for run in runs)
    seeds = [run.config.get("seed") for run in runs]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"of {paths} two have the same seed: name each run once.")
    if any(run.data != runs[0].data for run in runs):
        raise ValueError(f"{paths} differ in their data: publish them one by one.")


def _rows(recipe: ModuleType, published: Published, run: FinishedRun) -> list[Row]:
    """One row for each figure of a run."""
    if run.config.get("preset") == "smoke":
        raise ValueError(
            f"{run.path} is of the preset smoke, which shows that a recipe works and no more: "
            "publish a run of cpu or paper."
        )
    command, config = _command(recipe, run)
    dataset = config.get("dataset")
    if dataset not in (getattr(recipe.Settings, "dataset", None), *published.datasets):
        raise ValueError(
            f"{run.path} has the setting dataset {dataset!r}, of which datasets says nothing: add "
            "its name and size to the .toml in recipes/results."
        )
    there = published.on(dataset)
    rows = []
    for figure in there.figures:
        for key, value in figure.given.items():
            if config.get(key) != value:
                raise ValueError(
                    f"{run.path} has the setting {key} {config.get(key)}, and {figure.metric!r} "
                    f"means {value}: publish a run with that."
                )
        if figure.seeds not in [None, *config]:
            raise ValueError(
                f"{figure.key} takes the mean over {figure.seeds!r}, which is no setting of "
                f"{run.recipe}: correct seeds in recipes/results."
            )
        try:
            value, spread = figure.measured(run.metrics)
        except ValueError as error:
            raise ValueError(f"{run.path}: {error}") from None
        count = config[figure.seeds] if figure.seeds else 1
        rows.append(
            Row(
                figure=figure.key,
                train_size=_train_size(run, there.train_size),
                split="; ".join(
                    f"{kind}, {_sum(sizes)}" for kind, sizes in run.sizes(training=False).items()
                ),
                value=value,
                spread=spread,
                spread_of=figure.spread_of,
                seeds=list(range(config["seed"], config["seed"] + count)),
                preset=config["preset"],
                command=command,
                config=config,
                steps=run.metrics.get("steps"),  # type: ignore[arg-type]
                minutes=run.metrics.get("minutes", 0),
                device=run.metrics.get("device") or "unknown",
                versions=run.versions,
                date=run.date,
                note=None,
            )
        )
    return rows


def _command(recipe: ModuleType, run: FinishedRun) -> tuple[str, dict[str, Any]]:
    """The command of a run, and the settings that it leads to."""
    from keras_gen.run import command, parse
    from keras_gen.run.settings import PLACES

    try:
        line = command(run.recipe, recipe.Settings, recipe.PRESETS, run.config)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{run.path}: {error}") from None
    settings = parse(recipe.Settings, recipe.PRESETS, "", shlex.split(line)[2:])
    config = {key: value for key, value in settings.as_json().items() if key not in PLACES}
    assert config == config | run.config, f"{line} does not lead to the settings of {run.path}"
    return line, config


def _train_size(run: FinishedRun, whole: int | list[int] | None) -> int | str:
    """Examples trained on: a number, or a text for several domains and subsets of the `whole`."""
    sizes = [size for part in run.sizes(training=True).values() for size in part]
    expected = [whole] if isinstance(whole, int) else list(whole or sizes)
    fits = sizes and len(sizes) == len(expected)
    if not fits or any(size > most for size, most in zip(sizes, expected, strict=True)):
        raise ValueError(
            f"{run.path} was trained on {_sum(sizes) or 'no'} examples, where train_size is "
            f"{_sum(expected)}, those of the whole set: correct it in recipes/results."
        )
    if sizes == expected:
        return sizes[0] if len(sizes) == 1 else _sum(sizes)
    return f"{_sum(sizes)} of {_sum(expected)}"


def _sum(sizes: list[int]) -> str:
    return " + ".join(f"{size:,}" for size in sizes)
