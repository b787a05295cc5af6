"""Factors of variation whose every combination of values occurs equally often."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping

import numpy as np


class Factors:
    """The full grid of some discrete, independent factors of variation, such as shape and place.

    A combination is a row of integers, one per factor, from 0 to the factor's size - 1.

    Args:
        sizes: Number of values of each factor under its name, 2 or more of each.

    Attributes:
        names: Names of the factors, in order.
        sizes: Number of values of each.

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If there is no factor, or one that does not vary.

    Example:
        >>> factors = Factors({"shape": 3, "x": 32, "y": 32})
        >>> factors.sample(4, np.random.default_rng(0)).shape
        (4, 3)
    """

    def __init__(self, sizes: Mapping[str, int]):
        if not sizes:
            raise ValueError("Factors found no factor: pass sizes such as {'shape': 3, 'x': 32}.")
        for name, size in sizes.items():
            try:
                operator.index(size)
            except TypeError:
                raise TypeError(
                    f"the size of factor {name!r} must be an integer, found {size!r}."
                ) from None
            if size < 2:
                raise ValueError(
                    f"factor {name!r} must have 2 values or more, found {size}: "
                    "leave out what does not vary."
                )
        self.names = tuple(sizes)
        self.sizes = tuple(operator.index(size) for size in sizes.values())

    def __len__(self) -> int:
        """Number of combinations."""
        return math.prod(self.sizes)

    def __repr__(self) -> str:
        """The sizes."""
        return f"Factors({dict(zip(self.names, self.sizes, strict=True))})"

    def values(self, index: np.ndarray) -> np.ndarray:
        """Returns the combinations of the given numbers; the last factor changes fastest.

        Args:
            index: Integers `[n]`, 0 to `len(factors) - 1`.

        Returns:
            int64 `[n, factors]`.

        Raises:
            ValueError: If a number is out of range.

        Example:
            >>> everything = factors.values(np.arange(len(factors)))
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

        Raises:
            ValueError: If a value is out of the factor's range.

        Example:
            >>> squares = factors.sample_with_fixed(0, np.zeros(8, int), np.random.default_rng(0))
        """
        combinations = self.sample(len(values), rng)
        combinations[np.arange(len(values)), factor] = values
        return self.check(combinations)

    def check(self, combinations: np.ndarray) -> np.ndarray:
        """Returns `combinations` as int64 `[n, factors]` if they lie on the grid.

        Raises:
            TypeError: If they are not integers.
            ValueError: If they have another shape, or a value is out of its factor's range.
        """
        combinations = np.asarray(combinations)
        if not np.issubdtype(combinations.dtype, np.integer):
            raise TypeError(f"values of factors must be integers, found {combinations.dtype}.")
        if combinations.ndim != 2 or combinations.shape[1] != len(self.sizes):
            raise ValueError(
                f"values of the factors {self.names} must have shape [n, {len(self.sizes)}], "
                f"found {list(combinations.shape)}."
            )
        outside = (combinations < 0) | (combinations >= self.sizes)
        if outside.any():
            row, column = np.argwhere(outside)[0]
            raise ValueError(
                f"factor {self.names[column]!r} has values 0 to {self.sizes[column] - 1}, "
                f"found {combinations[row, column]} in row {row}."
            )
        return combinations.astype(np.int64)
