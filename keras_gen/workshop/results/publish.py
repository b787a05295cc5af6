"""Creates records of finished runs."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_gen.workshop.results.declarations import Published, joined, read_published
from keras_gen.workshop.results.finished_runs import FinishedRun, load_recipe, read_run
from keras_gen.workshop.results.page_lines import Group, groups
from keras_gen.workshop.results.records import (
    Record,
    checksum,
    read_records,
    settings_of,
    write_records,
)
from keras_gen.workshop.run.flags import command

ONE_REPLICA = ", DefaultDistributionStrategy with 1 replica"  # left out on pages


def publish(
    root: str | Path, exports: Sequence[str | Path], note: str | None = None
) -> dict[Path, list[Group]]:
    """Writes the results of exports to `recipes/results/<recipe>.json`.

    A record of the same command is replaced. Either all files are written, or none. The returned
    dict maps each file to its new records, as groups without older records.

    Args:
        root: The repository's root.
        exports: Folders of exports.
        note: Note for readers, such as the reason that a result is worse than the paper's result.
            If None, the notes of replaced records are kept.

    Raises:
        FileNotFoundError: If an export or recipe does not exist.
        ValueError: If an export cannot be published, if its metrics are incomplete, or if a result
            is worse than the paper's value and no note gives the reason.
    """
    note = " ".join((note or "").split()) or None
    there = read_records(root)
    notes = {record.command: record.note for records in there.values() for record in records}
    recipes: dict[str, ModuleType] = {}
    new: dict[str, dict[str, Record]] = {}
    for run in map(read_run, exports):
        name = run.recipe
        if name not in recipes:
            recipes[name] = load_recipe(root, name)
        try:
            record = _record(recipes[name], read_published(root, name), run)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{run.path}: {error}") from None
        record = dataclasses.replace(record, note=note or notes.get(record.command))
        new.setdefault(name, {})[record.command] = record
    made = {
        name: groups(name, read_published(root, name), list(records.values()))
        for name, records in new.items()
    }
    for entry in (entry for own in made.values() for group in own for entry in group.entries):
        if entry.missed_by and not entry.record.note:
            raise ValueError(
                f"{entry.figure.words(entry.record.numbers)} is {entry.value:.5g}, but the paper "
                f"reports {entry.paper_value}: state the reason with --note."
            )
    files = {}
    for name, records in new.items():
        kept = [record for record in there.get(name, []) if record.command not in records]
        files[write_records(root, name, [*kept, *records.values()])] = made[name]
    return files


def _record(recipe: ModuleType, published: Published, run: FinishedRun) -> Record:
    if run.config.get("preset") == "smoke":
        raise ValueError(
            "the preset smoke only shows that a recipe works: publish a run with --preset cpu or "
            "paper."
        )
    command, config = _command(recipe, run)
    dataset = config.get("dataset")
    if dataset not in (getattr(recipe.Settings, "dataset", None), *published.datasets):
        raise ValueError(
            f"datasets has no entry for dataset={dataset!r}: add the dataset's name and size to "
            "the recipe's .toml file in recipes/results."
        )
    there = published.on(config)
    values = there.measured(run.metrics)
    numbers = config | values
    if there.compared and there.compared not in numbers:
        raise ValueError(
            f"compared is {there.compared!r}, which is neither a setting nor a metric of the run: "
            "correct the .toml in recipes/results."
        )
    most = numbers[there.compared] if there.compared else None
    parts = run.sizes(training=False).items()
    return Record(
        command=command,
        config=config,
        train_size=_train_size(run, there),
        split="; ".join(f"{kind}, {_sum(sizes, most)}" for kind, sizes in parts),
        steps=run.metrics.get("steps"),  # type: ignore[arg-type]
        minutes=run.metrics.get("minutes", 0),
        device=(run.metrics.get("device") or "unknown").removesuffix(ONE_REPLICA),
        versions=", ".join(map(" ".join, (run.versions or {}).items())) or "unknown",
        date=run.date,
        values=values,
        resumed=bool(run.metrics.get("resumed")),
        run=run.id,
        settings=checksum(config),
    )


def _command(recipe: ModuleType, run: FinishedRun) -> tuple[str, dict[str, Any]]:
    """Returns the command of a run, and the settings that follow from the command."""
    line = command(run.recipe, recipe.Settings, recipe.PRESETS, run.config)
    config = settings_of(Path(str(recipe.__file__)), line)
    assert config == config | run.config, f"{line} does not reproduce the settings of the run"
    return line, config


def _train_size(run: FinishedRun, there: Published) -> int | str:
    """Returns the number of training examples; a text if there are several domains or subsets."""
    sizes = [size for part in run.sizes(training=True).values() for size in part]
    expected = there.sizes or sizes
    fits = sizes and len(sizes) == len(expected)
    if not fits or any(size > most for size, most in zip(sizes, expected, strict=True)):
        raise ValueError(
            f"the run used {joined(sizes) or 'no'} training examples, but train_size, the size of "
            f"the full set, is {joined(expected)}: correct train_size in recipes/results."
        )
    return there.trained_on(sizes)


def _sum(sizes: list[int], most: int | None = None) -> str:
    """Returns the numbers of examples as text, such as "1,000 of 60,000" if not all are used."""
    used = [f"{most:,} of " if most is not None and most < size else "" for size in sizes]
    return " + ".join(f"{part}{size:,}" for part, size in zip(used, sizes, strict=True))
