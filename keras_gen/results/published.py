"""What a recipe publishes: `recipes/results/<recipe>.toml`."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_gen.results.records import RESULTS

SPREADS = {
    "seeds": "the standard deviation over trainings from several seeds",
    "test examples": "the standard error over the test examples",
    "label draws": "the standard error of the mean over draws of the labeled examples",
}
"""Every kind of spread, and what it is."""
COUNTED = ("seeds", "label draws")  # kinds of which it is known how many there were
MOST_FIGURES = 6


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that a recipe publishes.

    Attributes:
        key: Its name in the run's metrics.
        metric: Its name on the pages, with all that a comparison depends on. Settings in braces are
            filled in from the run: `"NLL, {nll_samples:,} importance samples"`.
        unit: Its unit; empty for a ratio.
        higher_is_better: Which way is better.
        paper_value: The value that the paper reports, if it does.
        paper: Source of that value, if it is not the paper of the system.
        spread: Name in the run's metrics of what stands behind ±, if that is measured.
        spread_of: Its kind, one of `SPREADS`.
        seeds: The setting that says how many seeds, from `seed` on, a run takes the mean over.
        baselines: Name -> metric of the same measure, unit and direction. The figure is compared
            with the strongest one.
        references: Name -> metric of what is not to be beaten, such as held-out images.
        no_baseline: Why the figure that comes first has no baseline.
        tolerance: How far another run may be from the published value, in the unit.

    Raises:
        ValueError: If a name is empty or unknown, a number is out of its range, or a spread is
            without its kind.

    Example:
        >>> Figure("error", "squared error", baselines={"PCA": "error_pca"}, tolerance=0.3)
    """

    key: str
    metric: str
    unit: str = ""
    higher_is_better: bool = False
    paper_value: float | None = None
    paper: str | None = None
    spread: str | None = None
    spread_of: str | None = None
    seeds: str | None = None
    baselines: Mapping[str, str] = dataclasses.field(default_factory=dict)
    references: Mapping[str, str] = dataclasses.field(default_factory=dict)
    no_baseline: str | None = None
    tolerance: float = dataclasses.field(kw_only=True)

    def __post_init__(self):
        """Checks the values."""
        if not self.key or not self.metric:
            raise ValueError(f"key is {self.key!r}, metric {self.metric!r}: give both a name.")
        if not (math.isfinite(self.tolerance) and self.tolerance > 0):
            raise ValueError(
                f"the tolerance of {self.key} is {self.tolerance}: it must be positive, for no "
                "two machines compute the same."
            )
        if self.paper_value is not None and not math.isfinite(self.paper_value):
            raise ValueError(f"the paper's {self.key} is {self.paper_value}: it must be finite.")
        known, kind = (self.spread is None) == (self.spread_of is None), self.spread_of
        if not known or kind not in [None, *SPREADS] or (self.seeds is None) == (kind in COUNTED):
            raise ValueError(
                f"{self.key} has spread {self.spread!r}, spread_of {kind!r} and seeds "
                f"{self.seeds!r}: a spread is of {', '.join(SPREADS)}, and where it is of "
                f"{' or '.join(COUNTED)}, seeds is the setting that counts them."
            )

    @property
    def keys(self) -> list[str]:
        """All metrics of a run that it needs."""
        own = [self.key] if self.spread is None else [self.key, self.spread]
        return [*own, *self.baselines.values(), *self.references.values()]

    def words(self, config: Mapping[str, Any]) -> str:
        """Its name in a run of these settings, and its unit."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{filled(self.metric, config)}{unit}"

    def worse_by(self, value: float, other: float) -> float:
        """How much worse a value is than another; 0 if as good.

        Both count to four significant digits of the other, which is as precise as papers are.
        """
        digits = 3 - (math.floor(math.log10(abs(other))) if other else 0)
        worse = round(value, digits) - round(other, digits)
        return max(0.0, -worse if self.higher_is_better else worse)


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A comparison of methods, which counts as one figure.

    Its cells are figures. One that a run did not measure stays empty.

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
    def cells(self) -> list[Figure]:
        """All cells, row by row."""
        rows = [*self.rows.values(), *self.baselines.values(), *self.references.values()]
        return [cell for row in rows for cell in row]


@dataclasses.dataclass(frozen=True)
class Published:
    """What a recipe's published runs are results of.

    Attributes:
        system: Name of the method.
        family: Name of its package, such as `vae`.
        paper: Authors, year, address and place of the figures.
        dataset: The data and how it is prepared; settings in braces are filled in.
        figures: What is published, at most six with the matrices; the first one is the headline.
        matrices: Comparisons of methods.
        train_size: Examples of the whole training set, of each domain if there are several: a run
            on fewer is shown as one on a subset. None: not compared.
        compared: The setting that says how many test examples at most are measured on.
        classifiers: Name of an evaluation network -> metric of its accuracy on held-out data.
        datasets: What is different with other values of the recipe's setting `dataset` than its
            default, by value: `dataset` and `train_size`, and `without`, the keys of figures that
            mean nothing there.

    Raises:
        ValueError: If something is empty, there are too many figures, two share a key or a name, or
            the first figure has neither a baseline nor a reason for that.

    Example:
        >>> Published("VAE", "vae", "Kingma & Welling 2014", "MNIST", (Figure(...),))
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

    def __post_init__(self):
        """Checks the values."""
        for name in ("system", "family", "paper", "dataset", "figures"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: say what is published.")
        count = len(self.figures) + len(self.matrices)
        if count > MOST_FIGURES:
            raise ValueError(
                f"there are {count} figures: publish the {MOST_FIGURES} that say most, for nobody "
                "reads more. All others stay in the run's metrics.json."
            )
        for name in ("key", "metric"):
            names = [getattr(figure, name) for figure in self.figures]
            if twice := sorted({text for text in names if names.count(text) > 1}):
                raise ValueError(f"two figures have the {name} {twice[0]!r}: rename one of them.")
        first = self.figures[0]
        if bool(first.baselines) == bool(first.no_baseline):
            raise ValueError(
                f"{first.key} comes first: give it baselines, the metrics of the strongest cheap "
                "methods, or else no_baseline, the reason why there is none."
            )
        for name in self.datasets:
            self.on(name)

    @property
    def cells(self) -> list[Figure]:
        """The cells of all matrices."""
        return [cell for matrix in self.matrices for cell in matrix.cells]

    def on(self, dataset: str | None) -> "Published":
        """The same for a value of the setting `dataset`."""
        other = dict(self.datasets.get(dataset or "", {}))
        without = other.pop("without", ())
        figures = tuple(figure for figure in self.figures if figure.key not in without)
        return dataclasses.replace(self, **other, figures=figures, datasets={})

    def measured(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        """What is published of a run's metrics, by their names.

        Raises:
            ValueError: If one is missing or not finite; only a cell of a matrix may be missing.
        """
        needed = [key for figure in self.figures for key in figure.keys]
        needed += self.classifiers.values()
        needed += [key for cell in self.cells for key in cell.keys if key in metrics]
        return {key: _number(metrics, key) for key in needed}


def filled(text: str, config: Mapping[str, Any]) -> str:
    """A text with a run's settings in the place of their names in braces.

    Raises:
        ValueError: If there is no such setting, or its value cannot be written in that way.
    """
    try:
        return text.format(**config)
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{text!r} cannot be filled with the settings of a run: {error}.") from None


def read_published(root: str | Path, recipe: str) -> Published:
    """Reads what a recipe publishes.

    The file holds the fields of `Published`. Its table `figures` has, by key, those of `Figure`,
    and its table `all` those that all figures share, in which `{key}` stands for a figure's key.

    A table in `matrices` has a `title`, `rows` and `columns`, and the fields that its cells share,
    such as `tolerance`. Rows, `baselines` and `references` are names -> what `{row}` stands for in
    the columns: `columns = { MIG = "mig_{row}" }`, or with fields of its own
    `{ key = "mig_{row}", tolerance = 0.1 }`. Where the columns are a second factor of one measure,
    `key = "mig_{row}_{column}"` is the same for all, columns are names -> `{column}`, and baselines
    and references are single metrics.

    Args:
        root: The repository's root.
        recipe: Name of the recipe.

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
        figures = tuple(
            Figure(key, **_with_key(shared, key) | figure)
            for key, figure in table.pop("figures", {}).items()
        )
        matrices = tuple(_matrix(**matrix) for matrix in table.pop("matrices", {}).values())
        return Published(figures=figures, matrices=matrices, **table)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        text = str(error).replace("__init__() ", "").rstrip(".")
        raise ValueError(f"{path} cannot be used: {text}.") from None


def _with_key(fields: Any, key: str) -> Any:
    """The same with a key in the place of `{key}` in all texts."""
    if isinstance(fields, dict):
        return {name: _with_key(value, key) for name, value in fields.items()}
    return fields.replace("{key}", key) if isinstance(fields, str) else fields


def _matrix(title, rows, columns, key=None, baselines=None, references=None, **shared) -> Matrix:
    """A matrix from its table."""
    baselines = baselines or {}
    references = references or {}
    fields = {}
    for column, own in columns.items():
        if key is not None:
            own = {"key": key.replace("{column}", own)}
        fields[column] = shared | (own if isinstance(own, dict) else {"key": own})

    def cells(method: str, row: str) -> tuple[Figure, ...]:
        made = []
        for column, own in fields.items():
            template = own["key"]
            name = template.replace("{row}", row)
            filled_in = _with_key(own, name) | {"key": name, "metric": f"{column}, {method}"}
            if key is not None:
                filled_in |= {"baselines": baselines, "references": references}
            elif row not in [*baselines.values(), *references.values()]:
                against = {n: template.replace("{row}", other) for n, other in baselines.items()}
                filled_in["baselines"] = against
            made.append(Figure(**filled_in))
        return tuple(made)

    groups = (rows, {}, {}) if key is not None else (rows, baselines, references)
    lines = [{method: cells(method, row) for method, row in group.items()} for group in groups]
    return Matrix(title, tuple(columns), *lines, is_one_measure=key is not None)


def _number(metrics: Mapping[str, Any], key: str) -> float:
    value = metrics.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        found = f"{key!r} is {value}" if key in metrics else f"there is no {key!r}"
        numbers = [name for name, other in metrics.items() if isinstance(other, int | float)]
        raise ValueError(
            f"{found} in the metrics where a finite number is expected; numbers there: "
            f"{', '.join(numbers) or 'none'}. Run the recipe again, or correct the "
            "keys in recipes/results."
        )
    return value
