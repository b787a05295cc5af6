"""Corresponding training and held-out parts, and their descriptions for run records."""

from __future__ import annotations

import copy
import dataclasses
from typing import Self

import numpy as np
from typing_extensions import override

from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import Source

OFFLINE_WARNING = "Using a small offline sample instead of the real data, because {}"


class Parts:
    """Base class for objects whose fields are sources that can be described."""

    def parts(self) -> dict[str, Source]:
        """Returns the sources by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Source)}

    def first(self, count: int) -> Self:
        """Returns a copy with each source's first `count` examples; arrays are not shortened."""
        shorter = copy.copy(self)
        for name, source in self.parts().items():
            vars(shorter)[name] = source.take(count)
        return shorter

    def describe(self) -> dict[str, str]:
        """Returns the size and origin of each source."""
        return {k: f"{len(v)} examples: {v.origin}" for k, v in self.parts().items()}

    def identity(self) -> dict[str, str]:
        """Returns the identity of each source: size, origin without folders, and checksum."""
        found = self.record()
        return {k: f"{found[k]}, checksum {v.checksum()}" for k, v in self.parts().items()}

    def record(self) -> dict[str, str]:
        """Returns the dataset's name and, for each source, its size and origin without folders."""
        first = next(iter(self.parts().values()))
        parts = {k: text.split(", from ")[0] for k, text in self.describe().items()}
        return {"name": _name(first), **parts}


@dataclasses.dataclass(frozen=True)
class Split(Parts):
    """The training part and the held-out part of a dataset.

    `warning` explains why the data differs from the requested data; the string is empty if the data
    does not differ.
    """

    train: Source
    test: Source
    warning: str = ""

    def for_validation(self, count: int) -> Split:
        """Splits the training part; holds out the last `count` examples, at least 1 but not all."""
        if not 0 < count < len(self.train):
            raise ValueError(
                f"count is {count}: expected 1 to {len(self.train) - 1} held-out examples, "
                f"because there are {len(self.train)} training examples."
            )
        train, test = _without_last(self.train, count)
        return Split(train, test, self.warning)


@dataclasses.dataclass(frozen=True)
class Domains(Parts):
    """Training and held-out parts of two domains of uint8 images `[size, size, 3]`; see `Split`."""

    train_x: Source
    train_y: Source
    test_x: Source
    test_y: Source
    warning: str = ""

    def for_validation(self, most: int = 100) -> Domains:
        """Splits the training part of each domain, and holds out the last images.

        The number of held-out images per domain is `most`, but at most a tenth of the smaller
        domain, and at least 1.
        """
        count = min(most, max(1, min(len(self.train_x), len(self.train_y)) // 10))
        train_x, test_x = _without_last(self.train_x, count)
        train_y, test_y = _without_last(self.train_y, count)
        return Domains(train_x, train_y, test_x, test_y, self.warning)

    def compared(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the arrays compared by `TranslationEvaluation`: `test_x`, `test_y`, `train_y`."""
        return self.test_x.arrays(), self.test_y.arrays(), self.train_y.arrays()


class Sets(Parts):
    """Several datasets of a recipe, with parts called `train_NAME` and `test_NAME`.

    Args:
        only: Parts used by the recipe, such as `("train_mnist", "test_usps")`. If None, all parts
            are used.
        **sets: The splits of the datasets, as keyword arguments named after the datasets.

    Example:
    ```python
    data = Sets(mnist=small_images("mnist"), usps=small_images("usps"), only=("train_mnist",))
    ```
    """

    @checked_types
    def __init__(self, only: tuple[str, ...] | None = None, **sets: Split):
        warnings = dict.fromkeys(split.warning for split in sets.values() if split.warning)
        self.warning = "; ".join(warnings)
        for name, split in sets.items():
            for part, source in split.parts().items():
                if only is None or f"{part}_{name}" in only:
                    setattr(self, f"{part}_{name}", source)

    @override
    def record(self) -> dict[str, str]:
        names = dict.fromkeys(map(_name, self.parts().values()))
        return super().record() | {"name": " and ".join(names)}


def _name(source: Source) -> str:
    return source.origin.split(",")[0]


def _without_last(source: Source, count: int) -> tuple[Source, Source]:
    return source.select(slice(-count)), source.select(slice(-count, None))
