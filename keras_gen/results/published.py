"""What the results of a recipe are held against: `recipes/results/<recipe>.toml`."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_gen.results.rows import RESULTS


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that a recipe's run measures.

    Attributes:
        key: Its name in the run's metrics.
        metric: Its name in the table, with all that a comparison depends on.
        unit: Its unit; empty for a ratio.
        higher_is_better: Which way is better.
        paper_value: The value that the paper reports, if it does.
        spread: Name in the run's metrics of its standard error, if that is measured.
        tolerance: How far another run may be from the published value, in the unit.
        given: Settings on which the name depends, such as `{"nll_samples": 5000}`: a run
            with others is not published under it.

    Raises:
        ValueError: If a name is empty or a number is out of its range.

    Example:
        >>> Figure("nll", "NLL", "nats", paper_value=86.76, spread="nll_error", tolerance=0.3)
    """

    key: str
    metric: str
    unit: str = ""
    higher_is_better: bool = False
    paper_value: float | None = None
    spread: str | None = None
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

    def measured(self, metrics: Mapping[str, Any]) -> tuple[float, float | None]:
        """The value and its standard error (None if it has none) in a run's metrics.

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
        figures: What is published.
        train_size: Examples of the whole training set, of each domain if there are several: a run
            on fewer is shown as one on a subset. None: not compared.

    Raises:
        ValueError: If something is empty, or two figures share a key or a name.

    Example:
        >>> Published("VAE", "vae", "Kingma & Welling 2014", "MNIST", (Figure(...),), 60_000)
    """

    system: str
    family: str
    paper: str
    dataset: str
    figures: tuple[Figure, ...]
    train_size: int | tuple[int, ...] | None = None

    def __post_init__(self):
        """Checks the values."""
        for name in ("system", "family", "paper", "dataset", "figures"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: say what is published.")
        for name in ("key", "metric"):
            names = [getattr(figure, name) for figure in self.figures]
            if twice := sorted({text for text in names if names.count(text) > 1}):
                raise ValueError(f"two figures have the {name} {twice[0]!r}: rename one of them.")


def read_published(root: str | Path, recipe: str) -> Published:
    """Reads what a recipe publishes.

    The file holds the fields of `Published`; its table `figures` has, by key, those of `Figure`,
    and its table `all` has those that all figures share.

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
        figures = [Figure(k, **shared | v) for k, v in table.pop("figures", {}).items()]
        size = table.pop("train_size", None)
        size = tuple(size) if isinstance(size, list) else size
        return Published(figures=tuple(figures), train_size=size, **table)
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
