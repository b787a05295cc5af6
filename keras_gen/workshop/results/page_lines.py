"""Lines of the pages: figures with what runs reached."""

import dataclasses
import statistics
from pathlib import Path
from typing import Any

from keras_gen.serving.exported import read_metadata, resolve, versions
from keras_gen.workshop.results.declarations import Figure, Published, filled, read_published
from keras_gen.workshop.results.records import Record, read_records


@dataclasses.dataclass(frozen=True)
class Entry:
    """A figure, and the records of runs that differ in their seed alone, the median run first."""

    figure: Figure
    records: tuple[Record, ...]

    @property
    def record(self) -> Record:
        """The median run."""
        return self.records[0]

    @property
    def value(self) -> float:
        """What the median run reached."""
        return self.record.values[self.figure.key]

    @property
    def spread(self) -> tuple[float, str] | None:
        """Size and kind of the spread behind ±; None if it was not measured."""
        figure = self.figure
        if self.records[1:]:
            values = [record.values[figure.key] for record in self.records]
            return statistics.stdev(values), f"{len(values)} seeds"
        size = self.record.values.get(figure.spread)
        if size is None:
            return None
        count = f"{self.record.config[figure.seeds]} " if figure.seeds else ""
        return size, f"{count}{figure.spread_of}"

    @property
    def baseline(self) -> dict[str, float]:
        """Name and value of the strongest baseline in the median run; empty if it has none."""
        found = self._named(self.figure.baselines)
        pick = max if self.figure.higher_is_better else min
        return dict([pick(found.items(), key=lambda item: item[1])]) if found else {}

    @property
    def references(self) -> dict[str, float]:
        """Name and value of each reference, which is not to be beaten."""
        return self._named(self.figure.references)

    @property
    def paper_value(self) -> float | None:
        """What the paper reports for the settings of the run; None if it does not."""
        for setting, values in self.figure.paper_values.items():
            if (chosen := self.record.config.get(setting, "")) in values:
                return values[chosen]
        return self.figure.paper_value

    @property
    def missed_by(self) -> float | None:
        """How much worse it is than the paper's value; 0 if as good; None if there is none."""
        value = self.paper_value
        return None if value is None else self.figure.worse_by(self.value, value)

    @property
    def is_behind(self) -> bool:
        """Whether it is worse than its baseline."""
        return any(self.figure.worse_by(self.value, other) for other in self.baseline.values())

    def _named(self, keys) -> dict[str, float]:
        values = self.record.values
        numbers = self.record.numbers
        return {
            filled(name, numbers): values[key] for name, key in keys.items() if key in values
        }


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs of a recipe that differ in their seed alone, the median run first.

    `published` is what the recipe publishes of runs on their data set, and `exported` the run whose
    weights are in `saved_models/`, if it is one of them.
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
        """A line for each figure that the median run measured; the headline comes first."""
        return [entry for f in self.published.figures if (entry := self.entry(f)) is not None]

    @property
    def seeds(self) -> list[int]:
        """All seeds of the runs, and those whose mean a run reports."""
        counted = [f.seeds for f in [*self.published.figures, *self.published.cells] if f.seeds]
        found = set()
        for record in self.records:
            first = record.config.get("seed", 0)
            found |= set(
                range(first, first + max([1, *(record.config[name] for name in counted)]))
            )
        return sorted(found)

    def entry(self, figure: Figure) -> Entry | None:
        """The line of a figure, if the median run measured it."""
        measured = tuple(record for record in self.records if figure.key in record.values)
        return Entry(figure, measured) if figure.key in self.record.values else None


def entry_of_export(figure: Figure, config: dict[str, Any], metrics: dict[str, Any]) -> Entry:
    """The line of a figure of one run, published or not; a KeyError if it was not measured."""
    values = {key: metrics[key] for key in figure.keys if key == figure.key or key in metrics}
    numbers = {**metrics, **config}
    return Entry(figure, (Record("", numbers, 0, "", 0, 0, "", values),))


def groups(recipe: str, published: Published, records: list[Record]) -> list[Group]:
    """The runs of each setting; the headline of a recipe is the first figure of the first group.

    That group is the one whose command changes the fewest flags of its preset; of two, the one of
    the preset paper; `read_groups` puts an exported one before it. Runs that differ in their seed
    alone make one group, with the values of their median run: by the first figure, and of two the
    worse one.
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
    """The `groups` of every recipe with records, by the recipe's name, ascending.

    Where `saved_models/` has the weights of a run, its group comes first, so that a headline is
    true of what a visitor can load.

    Raises:
        FileNotFoundError: If there are no recipes, or one with records has no `.toml` file.
        ValueError: If a file cannot be used.
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
    """What the exported model was measured to reach; empty if none is kept."""
    return read_metadata(resolve(folder)).get("metrics", {}) if versions(folder) else {}


def _with_export(group: Group, metrics: dict[str, Any]) -> Group:
    """The group, with the run whose published figures are those of the exported model.

    Baselines may have been measured after its run, so that the export knows nothing of them.
    """
    own = {figure.key for figure in group.published.figures}
    for record in group.records:
        compared = {
            key: value for key, value in record.values.items() if key in own or key in metrics
        }
        if compared.items() <= metrics.items():
            return dataclasses.replace(group, exported=record)
    return group
