"""Lines of the pages: figures, joined with what runs reached."""

import dataclasses
import statistics
from pathlib import Path
from typing import Any

from keras_gen.results.published import Figure, Published, filled, read_published
from keras_gen.results.records import Record, read_records


@dataclasses.dataclass(frozen=True)
class Entry:
    """A figure, and what runs reached that differ in their seed alone.

    Attributes:
        figure: The figure.
        records: One for each run, the median run first.
    """

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
        """What stands behind ±, and what it is over; None if it was not measured."""
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
        """What is not to be beaten, by name."""
        return self._named(self.figure.references)

    @property
    def missed_by(self) -> float | None:
        """How much worse it is than the paper's value; 0 if as good; None if there is none."""
        value = self.figure.paper_value
        return None if value is None else self.figure.worse_by(self.value, value)

    @property
    def is_behind(self) -> bool:
        """Whether it is worse than its baseline."""
        return any(self.figure.worse_by(self.value, other) for other in self.baseline.values())

    def _named(self, keys) -> dict[str, float]:
        values = self.record.values
        config = self.record.config
        return {filled(name, config): values[key] for name, key in keys.items() if key in values}


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs of a recipe that differ in their seed alone.

    Attributes:
        recipe: Name of the recipe.
        published: What it publishes of runs on their data set.
        records: One for each run, the median run first.
    """

    recipe: str
    published: Published
    records: tuple[Record, ...]

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
        """All seeds of the runs, and those that a run took the mean over."""
        counted = [f.seeds for f in [*self.published.figures, *self.published.cells] if f.seeds]
        found = set()
        for record in self.records:
            first = record.config.get("seed", 0)
            found |= set(range(first, first + max([1, *(record.config[name] for name in counted)])))
        return sorted(found)

    def entry(self, figure: Figure) -> Entry | None:
        """The line of a figure, if the median run measured it."""
        measured = tuple(record for record in self.records if figure.key in record.values)
        return Entry(figure, measured) if figure.key in self.record.values else None


def entry_of_export(figure: Figure, config: dict[str, Any], metrics: dict[str, Any]) -> Entry:
    """The line of a figure of one run, published or not.

    Raises:
        KeyError: If the run did not measure it.
    """
    values = {key: metrics[key] for key in figure.keys if key == figure.key or key in metrics}
    return Entry(figure, (Record("", config, 0, "", 0, 0, "", None, None, None, values),))


def groups(recipe: str, published: Published, records: list[Record]) -> list[Group]:
    """The runs of each setting; the headline of a recipe is the first figure of the first group.

    That group is the one with the fewest flags that change its preset, and of two that of the
    preset paper: no value decides. Runs that differ in their seed alone make one group. Its values
    are those of their median run: by the figure that comes first, and of two the worse one.
    """
    settings: dict[str, list[Record]] = {}
    for record in records:
        settings.setdefault(record.setting, []).append(record)
    made = []
    for alike in settings.values():
        there = published.on(alike[0].config.get("dataset"))
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

    Raises:
        FileNotFoundError: If there are no recipes, or nothing says what one with records publishes.
        ValueError: If a file cannot be used.
    """
    made = {
        name: groups(name, read_published(root, name), records)
        for name, records in read_records(root).items()
    }
    return {name: own for name, own in made.items() if own}
