"""Lines of the results pages, each of which shows a metric and its results."""

import dataclasses
import statistics
from pathlib import Path
from typing import Any

from keras_gen.serving.exported import read_metadata, resolve, versions
from keras_gen.workshop.results.declarations import Figure, Published, filled, read_published
from keras_gen.workshop.results.records import Record, read_records


@dataclasses.dataclass(frozen=True)
class Entry:
    """A metric, and the records of runs that differ only in the seed, with the median run first."""

    figure: Figure
    records: tuple[Record, ...]

    @property
    def record(self) -> Record:
        """The median run."""
        return self.records[0]

    @property
    def value(self) -> float:
        """The result of the median run."""
        return self.record.values[self.figure.key]

    @property
    def spread(self) -> tuple[float, str] | None:
        """Size and type of the spread shown after ±, or None if no spread was measured."""
        figure = self.figure
        if self.records[1:]:
            values = [record.values[figure.key] for record in self.records]
            return statistics.stdev(values), f"{len(values)} seeds"
        for kind, metric in figure.spread.items():
            if metric in self.record.values:
                count = f"{self.record.config[figure.seeds]} " if figure.seeds else ""
                return self.record.values[metric], f"{count}{kind}"
        return None

    @property
    def baseline(self) -> dict[str, float]:
        """The strongest baseline and its value in the median run; empty without baselines."""
        found = self._named(self.figure.baselines)
        pick = max if self.figure.higher_is_better else min
        return dict([pick(found.items(), key=lambda item: item[1])]) if found else {}

    @property
    def references(self) -> dict[str, float]:
        """Dict from the names of the references to their values."""
        return self._named(self.figure.references)

    @property
    def paper_value(self) -> float | None:
        """Value that the paper reports for the settings of the run, or None."""
        for setting, values in self.figure.paper_values.items():
            if (chosen := self.record.config.get(setting, "")) in values:
                return values[chosen]
        return self.figure.paper_value

    @property
    def missed_by(self) -> float | None:
        """Shortfall from the paper's value, at least 0, or None if the paper has no value."""
        value = self.paper_value
        return None if value is None else self.figure.worse_by(self.value, value)

    @property
    def is_behind(self) -> bool:
        """Whether the baseline is better than the result."""
        return any(self.figure.worse_by(self.value, other) for other in self.baseline.values())

    def _named(self, keys) -> dict[str, float]:
        values = self.record.values
        numbers = self.record.numbers
        return {
            filled(name, numbers): values[key] for name, key in keys.items() if key in values
        }


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs of a recipe that differ only in the seed, with the median run first.

    `published` describes the metrics that the recipe publishes for the dataset of these runs.
    `exported` is the run whose weights are in `saved_models/`, if that is one of these runs.
    """

    recipe: str
    published: Published
    records: tuple[Record, ...]
    exported: Record | None = None

    @property
    def record(self) -> Record:
        """The median run."""
        return self.records[0]

    @property
    def entries(self) -> list[Entry]:
        """One entry per metric that the median run measured, with the headline first."""
        return [entry for f in self.published.figures if (entry := self.entry(f)) is not None]

    @property
    def seeds(self) -> list[int]:
        """All seeds of the runs, including the seeds over which a run averages."""
        counted = [f.seeds for f in [*self.published.figures, *self.published.cells] if f.seeds]
        found = set()
        for record in self.records:
            first = record.config.get("seed", 0)
            found |= set(
                range(first, first + max([1, *(record.config[name] for name in counted)]))
            )
        return sorted(found)

    def entry(self, figure: Figure) -> Entry | None:
        """Returns the line for a metric, if the median run measured it."""
        measured = tuple(record for record in self.records if figure.key in record.values)
        return Entry(figure, measured) if figure.key in self.record.values else None


def entry_of_export(figure: Figure, config: dict[str, Any], metrics: dict[str, Any]) -> Entry:
    """Returns the line for a metric of one run; raises a KeyError if the metric is missing."""
    values = {key: metrics[key] for key in figure.keys if key == figure.key or key in metrics}
    numbers = {**metrics, **config}
    return Entry(figure, (Record("", numbers, 0, "", 0, 0, values),))


def groups(recipe: str, published: Published, records: list[Record]) -> list[Group]:
    """Groups runs by settings; the first metric of the first group is the recipe's headline.

    Runs that differ only in the seed form one group. The first group is the group whose command
    changes the fewest flags of its preset; the preset `paper` breaks ties. `read_groups` moves an
    exported group to the front. The values of a group are the values of its median run by the first
    metric; for an even number of runs, the worse of the two middle runs is used.
    """
    settings: dict[str, list[Record]] = {}
    for record in records:
        settings.setdefault(record.setting, []).append(record)
    made = []
    for alike in settings.values():
        there = published.on(alike[0].config)
        first = there.figures[0]
        ranked = sorted(
            (record for record in alike if first.key in record.values),
            key=lambda record: record.values[first.key],
            reverse=first.higher_is_better,
        )
        if ranked:
            median = ranked[len(ranked) // 2]
            alike = [median, *(record for record in alike if record is not median)]
            made.append(Group(recipe, there, tuple(alike)))
    return sorted(made, key=lambda own: (own.record.changed_flags, own.record.preset != "paper"))


def read_groups(root: str | Path) -> dict[str, list[Group]]:
    """Returns the `groups` of every recipe with records, sorted by recipe name.

    If the weights of a run are in `saved_models/`, the run's group comes first, so that the
    headline describes a model that readers can load.

    Raises:
        FileNotFoundError: If there are no recipes, or if a recipe with records has no `.toml` file.
        ValueError: If a file is invalid.
    """
    made = {}
    for name, records in read_records(root).items():
        metrics = _metrics_of_export(Path(root) / "saved_models" / name)
        own = groups(name, read_published(root, name), records)
        if own:
            found = [_with_export(group, metrics) for group in own]
            made[name] = sorted(found, key=lambda group: group.exported is None)
    return made


def _metrics_of_export(folder: Path) -> dict[str, Any]:
    """Returns the metrics of the exported model, or an empty dict if there is no export."""
    return read_metadata(resolve(folder)).get("metrics", {}) if versions(folder) else {}


def _with_export(group: Group, metrics: dict[str, Any]) -> Group:
    """Sets the group's `exported` to the run whose metrics equal the exported model's metrics.

    Baselines are not compared, because they may have been measured after the run and thus be
    missing from the export.
    """
    own = {figure.key for figure in group.published.figures}
    for record in group.records:
        compared = {
            key: value for key, value in record.values.items() if key in own or key in metrics
        }
        if compared.items() <= metrics.items():
            return dataclasses.replace(group, exported=record)
    return group
