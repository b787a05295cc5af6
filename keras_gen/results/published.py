"""What the results of a recipe are held against: `recipes/results/<recipe>.toml`."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_gen.results.rows import RESULTS

SPREADS = {
    "seeds": "the standard deviation over trainings from several seeds",
    "test examples": "the standard error over the test examples",
    "label draws": "the standard error of the mean over draws of the labeled examples",
    "subsets": "the standard error over random subsets, which overlap, so it is too small",
}
"""Every kind of spread, and what it is."""
COUNTED = ("seeds", "label draws")  # kinds of which it is known how many there were
ROLES = ("baseline", "reference", "check")


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that a recipe's run measures.

    Attributes:
        key: Its name in the run's metrics.
        metric: Its name in the table, with all that a comparison depends on.
        unit: Its unit; empty for a ratio.
        higher_is_better: Which way is better.
        paper_value: The value that the paper reports, if it does.
        paper: Source of that value, if it is not the paper of the system.
        spread: Name in the run's metrics of what stands behind ±, if that is measured.
        spread_of: Its kind, one of `SPREADS`.
        seeds: The setting that says how many seeds, from `seed` on, a run takes the mean over.
        baselines: Name of a baseline -> key of its figure. The strongest one is compared with.
        no_baseline: Why the figure that comes first has none.
        role: None for a figure of the method itself; `baseline`; `reference` for what is not to be
            beaten, such as held-out images; `check` for another library's method against its
            published value.
        tolerance: How far another run may be from the published value, in the unit.
        given: Settings on which the name depends, such as `{"nll_samples": 5000}`: a run
            with others is not published under it.

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
    no_baseline: str | None = None
    role: str | None = None
    tolerance: float = dataclasses.field(kw_only=True)
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict, kw_only=True)

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
        if self.role not in [None, *ROLES]:
            raise ValueError(f"the role of {self.key} is {self.role!r}: use {', '.join(ROLES)}.")

    @property
    def title(self) -> str:
        """Its name, unit and direction, as a run prints them beside the number."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.metric}{unit}, {'higher' if self.higher_is_better else 'lower'} is better"

    def worse_by(self, value: float, other: float) -> float:
        """How much worse a value is than another; 0 if as good.

        Both count to four significant digits of the other, which is as precise as papers are.
        """
        digits = 3 - (math.floor(math.log10(abs(other))) if other else 0)
        worse = round(value, digits) - round(other, digits)
        return max(0.0, -worse if self.higher_is_better else worse)

    def measured(self, metrics: Mapping[str, Any]) -> tuple[float, float | None]:
        """The value and its spread (None if it has none) in a run's metrics.

        Raises:
            ValueError: If a number is missing or not finite.
        """
        value = _number(metrics, self.key)
        return value, None if self.spread is None else _number(metrics, self.spread)


@dataclasses.dataclass(frozen=True)
class Published:
    """What a recipe's published runs are results of.

    Attributes:
        system: Name of the method.
        family: Name of its package, such as `vae`.
        paper: Authors, year, address and place of the figures.
        dataset: The data and how it is prepared.
        figures: What is published; the first one is the score in README.md.
        train_size: Examples of the whole training set, of each domain if there are several: a run
            on fewer is shown as one on a subset. None: not compared.
        datasets: What is different with other values of the recipe's setting `dataset` than its
            default, by value: `dataset` and `train_size`; `given`, settings on which all names
            depend there; `without`, the keys of figures that mean nothing there.

    Raises:
        ValueError: If something is empty, two figures share a key or a name, a baseline is no
            figure of the same unit and direction, or the first figure has neither a baseline nor a
            reason for that.

    Example:
        >>> Published("VAE", "vae", "Kingma & Welling 2014", "MNIST", (Figure(...),), 60_000)
    """

    system: str
    family: str
    paper: str
    dataset: str
    figures: tuple[Figure, ...]
    train_size: int | list[int] | None = None
    datasets: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        """Checks the values."""
        for name in ("system", "family", "paper", "dataset", "figures"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: say what is published.")
        for name in ("key", "metric"):
            names = [getattr(figure, name) for figure in self.figures]
            if twice := sorted({text for text in names if names.count(text) > 1}):
                raise ValueError(f"two figures have the {name} {twice[0]!r}: rename one of them.")
        for figure in self.figures:
            for other in map(self.figure, figure.baselines.values()):
                alike = (other.unit, other.higher_is_better) == (
                    figure.unit,
                    figure.higher_is_better,
                )
                if other is figure or not alike:
                    raise ValueError(
                        f"{other.key} cannot be the baseline of {figure.key}: name another figure "
                        "of the same unit and direction."
                    )
        first = self.figures[0]
        if bool(first.baselines) == bool(first.no_baseline):
            raise ValueError(
                f"{first.key} comes first: give it baselines, the figures of the strongest cheap "
                "methods, or else no_baseline, the reason why there is none."
            )
        for name in self.datasets:
            self.on(name)

    def on(self, dataset: str | None) -> "Published":
        """The same for a value of the setting `dataset`."""
        other = dict(self.datasets.get(dataset or "", {}))
        given, without = other.pop("given", {}), list(map(self.figure, other.pop("without", ())))
        figures = tuple(
            dataclasses.replace(figure, given={**figure.given, **given})
            for figure in self.figures
            if figure not in without
        )
        return dataclasses.replace(self, **other, figures=figures, datasets={})

    def figure(self, key: str) -> Figure:
        """The figure of a key.

        Raises:
            ValueError: If there is none.
        """
        found = {figure.key: figure for figure in self.figures}
        if key not in found:
            raise ValueError(
                f"{self.system} has no figure {key!r}: add it to its .toml in recipes/results, or "
                "remove what names it."
            )
        return found[key]


def read_published(root: str | Path, recipe: str) -> Published:
    """Reads what a recipe publishes.

    The file holds the fields of `Published`; its table `figures` has, by key, those of `Figure`,
    and its table `all` has those that all figures share. A figure that another one names as its
    baseline has the role of one, unless it says otherwise.

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
        figures = {key: shared | figure for key, figure in table.pop("figures", {}).items()}
        for figure in list(figures.values()):
            for key in figure.get("baselines", {}).values():
                figures.get(key, {}).setdefault("role", "baseline")
        made = tuple(Figure(key, **figure) for key, figure in figures.items())
        return Published(figures=made, **table)
    except (ValueError, TypeError, AttributeError) as error:
        text = str(error).replace("__init__() ", "").rstrip(".")
        raise ValueError(f"{path} cannot be used: {text}.") from None


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
