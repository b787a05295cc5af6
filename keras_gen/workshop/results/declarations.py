"""What a recipe publishes: `recipes/results/<recipe>.toml`."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_gen.arguments import checked_positive
from keras_gen.workshop.results.records import RESULTS

SPREADS = {
    "seeds": "the standard deviation over runs with different seeds",
    "test examples": "the standard error over the test examples",
    "label draws": "the standard error of the mean over random choices of the labeled examples",
}
"""Every kind of spread, and what it is."""
MOST_FIGURES = 6


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that a recipe publishes.

    Attributes:
        key: Its name in the run's metrics.
        metric: Its name on the pages, with all that a comparison depends on. Settings in braces, or
            published metrics, are filled in from the run: `"NLL, {nll_samples:,} samples"`.
        unit: Its unit; empty for a ratio.
        higher_is_better: Which way is better.
        paper_value: The value that the paper reports, if it does.
        paper_values: Setting -> one of its values -> what the paper reports for that.
        paper: Source of that value, if it is not the paper of the system.
        spread: The metric behind ±, if that is measured.
        spread_of: Its kind, one of `SPREADS`, needed with `spread`.
        seeds: The setting that counts the seeds, from `seed` on, whose mean the run reports.
        baselines: Name -> metric of a baseline. The strongest one is shown.
        references: Name -> metric of what is not to be beaten, such as held-out images.
        no_baseline: Why the first figure has no baseline.
        of_export: Whether it is the figure of the model that is exported, where the others are of
            several, such as means over seeds. `keras-gen show` gives it in place of the first.
        tolerance: How far another run may be from the published value, in the unit, above 0.
    """

    key: str
    metric: str
    unit: str = ""
    higher_is_better: bool = False
    paper_value: float | None = None
    paper_values: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    paper: str | None = None
    spread: str | None = None
    spread_of: str | None = None
    seeds: str | None = None
    baselines: Mapping[str, str] = dataclasses.field(default_factory=dict)
    references: Mapping[str, str] = dataclasses.field(default_factory=dict)
    no_baseline: str | None = None
    of_export: bool = False
    tolerance: float = dataclasses.field(kw_only=True)

    def __post_init__(self):
        """Refuses a tolerance that is not positive, and a spread without its kind."""
        # No two machines compute the same.
        checked_positive(f"the tolerance of {self.key}", self.tolerance)
        known = self.spread_of in SPREADS if self.spread else self.spread_of is None
        if not known:
            raise ValueError(
                f"{self.key} has spread {self.spread!r} and spread_of {self.spread_of!r}: give "
                f"both, the kind as one of {', '.join(SPREADS)}."
            )

    @property
    def keys(self) -> list[str]:
        """All metrics of a run that it needs."""
        own = [self.key] if self.spread is None else [self.key, self.spread]
        return [*own, *self.baselines.values(), *self.references.values()]

    def words(self, numbers: Mapping[str, Any]) -> str:
        """Its name in a run of these settings and metrics, and its unit."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{filled(self.metric, numbers)}{unit}"

    def worse_by(self, value: float, other: float) -> float:
        """How much worse a value is than another; 0 if as good.

        Both count to four significant digits of the other, as precise as papers are.
        """
        digits = 3 - (math.floor(math.log10(abs(other))) if other else 0)
        worse = round(value, digits) - round(other, digits)
        return max(0.0, -worse if self.higher_is_better else worse)


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A comparison of methods, which counts as one figure. A cell without a measurement is empty.

    Attributes:
        title: What is compared.
        columns: Names of the measures, or of a second factor.
        rows: Name of a method -> a figure for each column.
        baselines: The same of methods that are baselines of the others.
        references: The same of what is not to be beaten.
        is_one_measure: Whether the columns are a second factor, so that all cells compare.
    """

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Figure, ...]]
    baselines: Mapping[str, tuple[Figure, ...]]
    references: Mapping[str, tuple[Figure, ...]]
    is_one_measure: bool

    @property
    def compared(self) -> dict[str, tuple[Figure, ...]]:
        """All rows but the references."""
        return {**self.rows, **self.baselines}

    @property
    def cells(self) -> list[Figure]:
        """All cells, row by row."""
        rows = [*self.compared.values(), *self.references.values()]
        return [cell for row in rows for cell in row]


@dataclasses.dataclass(frozen=True)
class Published:
    """What a recipe publishes.

    Attributes:
        system: Name of the method.
        family: Name of its package, such as `vae`.
        paper: Authors, year, address and place of the figures.
        dataset: The data and how it is prepared; settings in braces are filled in.
        figures: At most six with the matrices; the first one, the headline, has a baseline or a
            reason for having none (else a ValueError).
        matrices: Comparisons of methods.
        train_size: Examples of the whole training set, or of each domain's, to show whether a part
            of it was trained on. None: not compared.
        compared: The setting or metric that says how many test examples at most are measured on.
        classifiers: Name of an evaluation network -> metric of its accuracy on held-out data.
        datasets: Value of the recipe's setting `dataset` -> what is different there: `dataset`,
            `train_size`, and `without`, the keys of figures that mean nothing there.
        presets: Preset -> fields that are different there, such as `figures`, all of them.
    """

    system: str
    family: str
    paper: str
    dataset: str
    figures: tuple[Figure, ...]
    matrices: tuple[Matrix, ...] = ()
    train_size: int | list[int] | None = None
    compared: str | None = None
    classifiers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        """Refuses too many figures or none, a headline without a baseline or a reason, and more."""
        sizes = self.train_size if isinstance(self.train_size, list) else [self.train_size or 1]
        if not all(isinstance(size, int) for size in sizes):
            raise ValueError(
                f"train_size is {self.train_size!r}: give a number of examples, or a list of one "
                "for each domain."
            )
        count = len(self.figures) + len(self.matrices)
        if not self.figures or count > MOST_FIGURES:
            raise ValueError(
                f"there are {count} figures: publish the 1 to {MOST_FIGURES} that say most, and "
                "leave all others in the run's metrics.json."
            )
        first = self.figures[0]
        if bool(first.baselines) == bool(first.no_baseline):
            raise ValueError(
                f"{first.key} comes first: give it baselines, the metrics of the strongest cheap "
                "methods, or else no_baseline, the reason why there is none."
            )
        for name in self.datasets:
            self.on({"dataset": name})
        for name in self.presets:
            self.on({"preset": name})

    @property
    def cells(self) -> list[Figure]:
        """The cells of all matrices."""
        return [cell for matrix in self.matrices for cell in matrix.cells]

    def on(self, config: Mapping[str, Any]) -> "Published":
        """The same for a run's settings `dataset` and `preset`."""
        other = dict(self.datasets.get(config.get("dataset") or "", {}))
        without = other.pop("without", ())
        figures = tuple(figure for figure in self.figures if figure.key not in without)
        other = {"figures": figures, **other, **self.presets.get(config.get("preset") or "", {})}
        return dataclasses.replace(self, **other, datasets={}, presets={})

    def measured(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        """What is published of a run's metrics, by their names.

        Raises:
            ValueError: If one is missing or not finite; only a cell of a matrix may be missing.
        """
        needed = [key for figure in self.figures for key in figure.keys]
        needed += self.classifiers.values()
        if self.compared and self.compared in metrics:
            needed.append(self.compared)
        needed += [key for cell in self.cells for key in cell.keys if key in metrics]
        return {key: _number(metrics, key) for key in needed}


def filled(text: str, numbers: Mapping[str, Any]) -> str:
    """A text with numbers of a run in place of their names in braces; else a ValueError."""
    try:
        return text.format(**numbers)
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"{text!r} cannot be filled with the settings and metrics of a run: {error}."
        ) from None


def read_published(root: str | Path, recipe: str) -> Published:
    """Reads what a recipe publishes.

    The file holds the fields of `Published`. Its table `figures` has, by key, those of `Figure`,
    and its table `all` those that all figures share; `{key}` stands for a figure's key.

    A table in `matrices` has a `title`, `rows` and `columns`, and the fields that its cells share,
    such as `tolerance`. Rows, `baselines` and `references` are names -> what `{row}` stands for in
    the columns: `columns = { MIG = "mig_{row}" }`, or with fields of its own
    `{ key = "mig_{row}", tolerance = 0.1 }`. Where the columns are a second factor of one measure,
    `key = "mig_{row}_{column}"` is the same for all, columns are names -> `{column}`, and baselines
    and references are single metrics.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds anything else.

    Example:
        >>> read_published(".", "vae_mnist").system
        'VAE'
    """
    path = Path(root) / RESULTS / f"{recipe}.toml"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: it says what {recipe} publishes.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        shared = table.pop("all", {})
        figures = _figures(table.pop("figures", {}), shared)
        for own in table.get("presets", {}).values():
            own["figures"] = _figures(own["figures"], shared)
        matrices = tuple(_matrix(**matrix) for matrix in table.pop("matrices", {}).values())
        return Published(figures=figures, matrices=matrices, **table)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        text = str(error).replace("__init__() ", "").rstrip(".")
        raise ValueError(f"{path} cannot be used: {text}.") from None


def _figures(tables: Mapping[str, dict], shared: dict) -> tuple[Figure, ...]:
    return tuple(Figure(key, **_with_key(shared | own, key)) for key, own in tables.items())


def _with_key(fields: Any, key: str) -> Any:
    if isinstance(fields, dict):
        return {name: _with_key(value, key) for name, value in fields.items()}
    return fields.replace("{key}", key) if isinstance(fields, str) else fields


def _matrix(title, rows, columns, key=None, baselines=None, references=None, **shared) -> Matrix:
    baselines = baselines or {}
    references = references or {}
    fields = {}
    for column, own in columns.items():
        if key is not None:
            own = {"key": key.replace("{column}", own)}
        fields[column] = shared | (own if isinstance(own, dict) else {"key": own})

    def line(method: str, row: str, others: dict) -> tuple[Figure, ...]:
        cells = []
        for column, own in fields.items():
            name = own["key"].replace("{row}", row)
            cell = _with_key(own, name) | {"key": name, "metric": f"{column}, {method}"}
            cell["baselines"] = others
            if key is not None:
                cell["references"] = references
            else:
                cell["baselines"] = {
                    n: own["key"].replace("{row}", r) for n, r in others.items()
                }
            cells.append(Figure(**cell))
        return tuple(cells)

    return Matrix(
        title,
        tuple(columns),
        rows={method: line(method, row, baselines) for method, row in rows.items()},
        baselines={} if key else {name: line(name, row, {}) for name, row in baselines.items()},
        references={}
        if key
        else {name: line(name, row, {}) for name, row in references.items()},
        is_one_measure=key is not None,
    )


def _number(metrics: Mapping[str, Any], key: str) -> float:
    value = metrics.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        found = f"{key!r} is {value}" if key in metrics else f"there is no {key!r}"
        raise ValueError(
            f"{found} in the metrics where a finite number is expected: run the recipe again, or "
            f"correct its .toml in recipes/results. Metrics: {', '.join(metrics) or 'none'}."
        )
    return value
