"""Lines of the table: figures, joined with what runs reached."""

import dataclasses
import statistics
from pathlib import Path

from keras_gen.results.published import Figure, Published, read_published
from keras_gen.results.rows import Row, read_rows


@dataclasses.dataclass(frozen=True)
class Entry:
    """A figure, and what runs reached that differ in their seed alone.

    Attributes:
        published: What the recipe publishes of runs on this data set.
        figure: The figure.
        rows: One for each run, that of the median run first.
        baseline: Name and value of the strongest baseline in the median run, if it has one.
    """

    published: Published
    figure: Figure
    rows: tuple[Row, ...]
    baseline: tuple[str, float] | None

    @property
    def row(self) -> Row:
        """Of the median run."""
        return self.rows[0]

    @property
    def spread(self) -> tuple[float, str] | None:
        """What stands behind ±, and what it is over; None if it was not measured."""
        if self.rows[1:]:
            values = [row.value for row in self.rows]
            return statistics.stdev(values), f"{len(values)} seeds"
        if self.row.spread is None:
            return None
        count = f"{len(self.row.seeds)} " if self.row.seeds[1:] else ""
        return self.row.spread, f"{count}{self.row.spread_of}"

    @property
    def missed_by(self) -> float | None:
        """How much worse it is than the paper's value; 0 if as good; None if there is none."""
        value = self.figure.paper_value
        return None if value is None else self.figure.worse_by(self.row.value, value)

    @property
    def is_behind(self) -> bool:
        """Whether it is worse than its baseline."""
        return bool(self.baseline and self.figure.worse_by(self.row.value, self.baseline[1]))


def entries(published: Published, rows: list[Row]) -> list[list[Entry]]:
    """The lines of each setting, both in the order in which they are declared and published.

    Runs that differ in their seed alone share a line. Its value, as all values of the setting, is
    that of their median run: by the figure that comes first, and of two the worse one.

    Args:
        published: What a recipe publishes.
        rows: Its rows. A figure may have none.

    Returns:
        A list for each setting; the score comes first.

    Raises:
        ValueError: If a row is of no figure of the recipe.

    Example:
        >>> runs = entries(read_published(".", "vae_mnist"), read_rows(".")["vae_mnist"])
    """
    groups = []
    for setting in dict.fromkeys(row.setting for row in rows):
        own_rows = [row for row in rows if row.setting == setting]
        made = published.on(own_rows[0].config.get("dataset"))
        found: dict[str, list[Row]] = {}
        for row in own_rows:
            found.setdefault(made.figure(row.figure).key, []).append(row)
        figures = [figure for figure in made.figures if figure.key in found]
        first = figures[0]
        ranked = sorted(found[first.key], key=lambda row: row.value, reverse=first.higher_is_better)
        median = ranked[len(ranked) // 2].command
        for own in found.values():
            own.sort(key=lambda row: row.command != median)
        groups.append([Entry(made, f, tuple(found[f.key]), _best(f, found)) for f in figures])
    return groups


def read_entries(root: str | Path) -> dict[str, list[list[Entry]]]:
    """The `entries` of every recipe with rows, by the recipe's name, ascending.

    Raises:
        FileNotFoundError: If there are no recipes, or nothing says what one with rows publishes.
        ValueError: If a file cannot be used.
    """
    return {
        name: entries(read_published(root, name), rows)
        for name, rows in read_rows(root).items()
        if rows
    }


def _best(figure: Figure, rows: dict[str, list[Row]]) -> tuple[str, float] | None:
    """Name and value of the strongest baseline."""
    found = {name: rows[key][0].value for name, key in figure.baselines.items() if key in rows}
    pick = max if figure.higher_is_better else min
    return pick(found.items(), key=lambda item: item[1], default=None)
