"""The metrics that a recipe publishes, as declared in `recipes/results/<recipe>.toml`."""

import dataclasses
import itertools
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_gen.arguments import checked_positive

RESULTS = Path("recipes") / "results"
"""Folder of the published metrics and results, relative to the repository's root."""
SPREADS = {
    "seeds": "the standard deviation over runs with different seeds",
    "test examples": "the standard error over the test examples",
    "label samples": "the standard error of the mean over random choices of the labeled examples",
}
"""Dict from each type of spread to its description."""
MOST_FIGURES = 6


@dataclasses.dataclass(frozen=True)
class Figure:
    """A metric that a recipe publishes.

    Attributes:
        key: Key of the metric in the metrics of a run.
        metric: Name of the metric on the pages, with all conditions that matter for a comparison.
            Names of settings and published metrics in braces are replaced with values from the run,
            as in `"NLL, {nll_samples:,} samples"`.
        unit: Unit of the metric; empty for a ratio.
        higher_is_better: Whether higher values of the metric are better.
        paper_value: Value that the paper reports, if any.
        paper_values: Values that the paper reports for several values of a setting, as a dict from
            the setting to a dict from its values to the reported results.
        paper: Source of the paper's value, if other than the paper that introduced the system.
        spread: Dict from the type of the spread, one of `SPREADS`, to the metric shown after ±.
            Empty if there is no such metric.
        seeds: Name of the setting that holds the number of seeds over which the run averages. The
            first of these seeds is `seed`.
        baselines: Dict from the name of each baseline to its metric. The strongest baseline is
            shown.
        references: Dict from the name of each reference to its metric. A reference is a result that
            a model cannot be expected to beat, such as the result for held-out images.
        no_baseline: Reason that the first metric has no baseline, if it has none.
        of_export: Whether the value describes the exported model while other metrics describe
            several models, for example as means over seeds. If True, `keras-gen show` prints this
            metric instead of the first one.
        tolerance: Maximum difference between the value of another run and the published value, in
            the metric's unit; positive.
    """

    key: str
    metric: str
    unit: str = ""
    higher_is_better: bool = False
    paper_value: float | None = None
    paper_values: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    paper: str | None = None
    spread: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seeds: str | None = None
    baselines: Mapping[str, str] = dataclasses.field(default_factory=dict)
    references: Mapping[str, str] = dataclasses.field(default_factory=dict)
    no_baseline: str | None = None
    of_export: bool = False
    tolerance: float = dataclasses.field(kw_only=True)

    def __post_init__(self):
        """Rejects a tolerance that is not positive, and a spread of an unknown type."""
        # A tolerance is required, because results differ between machines.
        checked_positive(f"the tolerance of {self.key}", self.tolerance)
        if len(self.spread) > 1 or not self.spread.keys() <= SPREADS.keys():
            raise ValueError(
                f"the spread of {self.key} has the type {' and '.join(self.spread)}: expected one "
                f"of {', '.join(SPREADS)}."
            )

    @property
    def keys(self) -> list[str]:
        """Names of all the metrics that a run must report."""
        others = (self.spread, self.baselines, self.references)
        return [self.key, *itertools.chain(*(each.values() for each in others))]

    def words(self, numbers: Mapping[str, Any]) -> str:
        """Returns the metric's name, with a run's settings and metrics filled in, and its unit."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{filled(self.metric, numbers)}{unit}"

    def worse_by(self, value: float, other: float) -> float:
        """Returns how much worse a value is than another value, or 0 if it is at least as good.

        Values are compared with four significant digits, the usual precision of papers.
        """
        digits = 3 - (math.floor(math.log10(abs(other))) if other else 0)
        worse = round(value, digits) - round(other, digits)
        return max(0.0, -worse if self.higher_is_better else worse)


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A comparison of methods, which counts as one metric. A cell without a measurement is empty.

    Attributes:
        title: Description of the comparison.
        columns: Names of the metrics, or values of a second factor.
        rows: Dict from the name of each method to its metrics, one per column.
        baselines: Dict from the name of each baseline to its metrics, one per column.
        references: Dict from the name of each reference to its metrics, one per column.
        is_one_measure: Whether the columns are values of a second factor, which makes all cells
            comparable.
    """

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Figure, ...]]
    baselines: Mapping[str, tuple[Figure, ...]]
    references: Mapping[str, tuple[Figure, ...]]
    is_one_measure: bool

    @property
    def compared(self) -> dict[str, tuple[Figure, ...]]:
        """All rows except the references, by name."""
        return {**self.rows, **self.baselines}

    @property
    def cells(self) -> list[Figure]:
        """All cells, row by row."""
        rows = [*self.compared.values(), *self.references.values()]
        return [cell for row in rows for cell in row]


@dataclasses.dataclass(frozen=True)
class Published:
    """The published metrics of a recipe.

    Attributes:
        system: Name of the method.
        family: Name of the method's package, such as `vae`.
        paper: Authors, year, and URL of the paper, and the location of the values in it.
        dataset: Dataset and preprocessing. Names of settings in braces are replaced with their
            values.
        figures: Published metrics. There are at most six metrics and matrices in total. The first
            metric, the headline, must have a baseline or a reason for having none.
        matrices: Comparisons of methods.
        train_size: Number of examples in the full training set, or in each domain. The pages use
            this number to show whether a run used only part of the training set. If None, the pages
            do not show the size.
        left_out: Number of examples of the full training set, or of each domain, that the recipe
            does not train on, for example because they choose its settings.
        compared: Name of the setting or metric that holds the maximum number of test examples.
        classifiers: Dict from the name of each evaluation network to the metric that holds its
            accuracy on held-out data.
        datasets: Dict from values of the recipe's setting `dataset` to the fields that differ
            between datasets. These fields are `dataset`, `train_size`, and `without`, which lists
            the keys of metrics that are not meaningful for the dataset.
        presets: Dict from presets to the fields that differ between them, such as `figures` with
            all metrics.
    """

    system: str
    family: str
    paper: str
    dataset: str
    figures: tuple[Figure, ...]
    matrices: tuple[Matrix, ...] = ()
    train_size: int | list[int] | None = None
    left_out: int | list[int] = 0
    compared: str | None = None
    classifiers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        """Rejects too many metrics, a headline without a baseline or reason, and other errors."""
        sizes = self.train_size if isinstance(self.train_size, list) else [self.train_size or 1]
        if not all(isinstance(size, int) for size in sizes):
            raise ValueError(
                f"train_size is {self.train_size!r}: expected a number of examples, or a list "
                "with one for each domain."
            )
        count = len(self.figures) + len(self.matrices)
        if not self.figures or count > MOST_FIGURES:
            raise ValueError(
                f"there are {len(self.figures)} figures and {len(self.matrices)} matrices: "
                f"expected at least one figure and at most {MOST_FIGURES} in total. Publish "
                "the most informative figures, and leave the others in the run's metrics.json."
            )
        first = self.figures[0]
        if bool(first.baselines) == bool(first.no_baseline):
            raise ValueError(
                f"{first.key} is the first figure: expected either baselines (the metrics of "
                "the strongest inexpensive methods) or no_baseline (the reason that there is "
                "none)."
            )
        for name in self.datasets:
            self.on({"dataset": name})
        for name in self.presets:
            self.on({"preset": name})

    @property
    def sizes(self) -> list[int] | None:
        """The size of the full training set in each domain."""
        return [self.train_size] if isinstance(self.train_size, int) else self.train_size

    def trained_on(self, sizes: Sequence[int]) -> int | str:
        """Returns the number of examples that a run trains on; a text if it is not the full set.

        Args:
            sizes: Number of examples that the run reads in each domain.
        """
        left_out = [self.left_out] if isinstance(self.left_out, int) else self.left_out
        pairs = itertools.zip_longest(sizes, left_out, fillvalue=0)
        used = [size - left for size, left in pairs]
        whole = self.sizes or list(sizes)
        if used == whole:
            return used[0] if len(used) == 1 else joined(used)
        return f"{joined(used)} of {joined(whole)}"

    @property
    def cells(self) -> list[Figure]:
        """The cells of all matrices."""
        return [cell for matrix in self.matrices for cell in matrix.cells]

    def on(self, config: Mapping[str, Any]) -> "Published":
        """Returns the published metrics for a run's settings `dataset` and `preset`."""
        other = dict(self.datasets.get(config.get("dataset") or "", {}))
        without = other.pop("without", ())
        figures = tuple(figure for figure in self.figures if figure.key not in without)
        other = {"figures": figures, **other, **self.presets.get(config.get("preset") or "", {})}
        return dataclasses.replace(self, **other, datasets={}, presets={})

    def measured(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        """Returns the values of a run's published metrics by name.

        Raises:
            ValueError: If a metric is missing or not finite. Only a cell of a matrix may be
                missing.
        """
        needed = [key for figure in self.figures for key in figure.keys]
        needed += self.classifiers.values()
        if self.compared and self.compared in metrics:
            needed.append(self.compared)
        needed += [key for cell in self.cells for key in cell.keys if key in metrics]
        return {key: _number(metrics, key) for key in needed}


def joined(sizes: Sequence[int]) -> str:
    """Returns the sizes of domains as text, such as "1,000 + 5"."""
    return " + ".join(f"{size:,}" for size in sizes)


def filled(text: str, numbers: Mapping[str, Any]) -> str:
    """Returns the text after replacing each name in braces with the run's number of that name."""
    try:
        return text.format(**numbers)
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"{text!r} cannot be filled with the settings and metrics of a run: {error}."
        ) from None


def read_published(root: str | Path, recipe: str) -> Published:
    """Reads the published metrics of a recipe.

    The recipe's TOML file contains the fields of `Published`. Its table `figures` contains the
    fields of each `Figure` by key, and its table `all` contains the fields that all figures share,
    in which `{key}` represents the key of a figure.

    A table in `matrices` has a `title`, `rows`, `columns`, and the fields that its cells share,
    such as `tolerance`. A column defines the key of its metric, in which `{row}` is a placeholder:
    `columns = { MIG = "mig_{row}" }`, or, with additional fields,
    `{ key = "mig_{row}", tolerance = 0.1 }`. `rows`, `baselines`, and `references` map names to
    values of `{row}`. If the columns are a second factor of one metric, all cells share
    `key = "mig_{row}_{column}"`, and `columns` maps names to values of `{column}`. In this case,
    `baselines` and `references` map names to the keys of single metrics.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the contents of the file are invalid.

    Example:
        >>> read_published(".", "vae_mnist").system
        'VAE'
    """
    path = Path(root) / RESULTS / f"{recipe}.toml"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: expected a file with the published metrics of {recipe}."
        )
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
            f"{found} in the metrics: expected a finite number. Run the recipe again, or correct "
            f"its .toml in recipes/results. Metrics: {', '.join(metrics) or 'none'}."
        )
    return value
