"""Factors of variation whose every combination of values occurs equally often."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from keras_gen.data.source import checked_integer


class Factors:
    """The full grid of some discrete, independent factors of variation, such as shape and place.

    A combination is a row of integers, one per factor, from 0 to the factor's size - 1.

    Args:
        sizes: Number of values of each factor under its name, 2 or more of each.

    Attributes:
        names: Names of the factors, in order.
        sizes: Number of values of each.

    Raises:
        ValueError: If there is no factor, or one that does not vary.

    Example:
        >>> factors = Factors({"shape": 3, "x": 32, "y": 32})
        >>> factors.sample(4, np.random.default_rng(0)).shape
        (4, 3)
    """

    def __init__(self, sizes: Mapping[str, int]):
        if not sizes:
            raise ValueError("Factors found no factor: pass sizes such as {'shape': 3, 'x': 32}.")
        self.names = tuple(sizes)
        self.sizes = tuple(
            checked_integer(f"the number of values of factor {name!r}", size, minimum=2)
            for name, size in sizes.items()
        )

    def __len__(self) -> int:
        """Number of combinations."""
        return math.prod(self.sizes)

    def values(self, index: np.ndarray) -> np.ndarray:
        """Returns the combinations of the given numbers; the last factor changes fastest.

        Args:
            index: Integers `[n]`, 0 to `len(factors) - 1`.

        Returns:
            int64 `[n, factors]`.
        """
        return np.stack(np.unravel_index(np.asarray(index), self.sizes), axis=-1)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draws `n` combinations, each factor uniformly and independently: int64 `[n, factors]`."""
        return rng.integers(self.sizes, size=(n, len(self.sizes)))

    def sample_with_fixed(
        self, factor: int | np.ndarray, values: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws combinations in which one factor has given values; the others are uniform.

        Args:
            factor: Number of the factor, one for all rows or integers `[n]`, one per row.
            values: Value of that factor in each row, integers `[n]`.
            rng: Generator of the other factors' values.

        Returns:
            int64 `[n, factors]`.
        """
        combinations = self.sample(len(values), rng)
        combinations[np.arange(len(values)), factor] = values
        return self.check(combinations)

    def check(self, combinations: np.ndarray) -> np.ndarray:
        """Returns `combinations` as int64 `[n, factors]` if they lie on the grid.

        Raises:
            ValueError: If a value is out of its factor's range.
        """
        combinations = np.asarray(combinations)
        outside = np.argwhere((combinations < 0) | (combinations >= self.sizes))
        if len(outside):
            row, column = outside[0]
            raise ValueError(
                f"factor {self.names[column]!r} has values 0 to {self.sizes[column] - 1}, "
                f"found {combinations[row, column]} in row {row}."
            )
        return combinations.astype(np.int64)
