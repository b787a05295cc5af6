"""Independent factors of variation; all combinations of values occur equally often."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from keras_gen.arguments import checked_integer, refuse_empty
from keras_gen.checked_arguments import checked_types


class Factors:
    """The full grid of discrete, independent factors of variation, such as shape and position.

    A combination is a row of integers, one per factor, from 0 to the factor's size - 1. `names`
    contains the names of the factors, and `sizes` contains the number of values of each factor, in
    the same order.

    Args:
        sizes: A dict that maps the name of each factor to its number of values. A number below 2
            raises a ValueError.

    Example:
        >>> factors = Factors({"shape": 3, "x": 32, "y": 32})
        >>> factors.sample(4, np.random.default_rng(0)).shape
        (4, 3)
    """

    @checked_types
    def __init__(self, sizes: Mapping[str, int]):
        refuse_empty("sizes", sizes, "factor, such as {'shape': 3, 'x': 32}")
        self.names = tuple(sizes)
        self.sizes = tuple(
            checked_integer(f"the number of values of factor {name!r}", size, minimum=2)
            for name, size in sizes.items()
        )

    def __len__(self) -> int:
        """Returns the number of combinations."""
        return math.prod(self.sizes)

    @checked_types
    def values(self, index: np.ndarray) -> np.ndarray:
        """Returns combinations at indices, int64 `[n, factors]`; the last factor varies fastest."""
        return np.stack(np.unravel_index(np.asarray(index), self.sizes), axis=-1)

    @checked_types
    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Samples `n` combinations with independent uniform factors, int64 `[n, factors]`."""
        return rng.integers(self.sizes, size=(n, len(self.sizes)))

    @checked_types
    def sample_with_fixed(
        self, factor: int | np.ndarray, values: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Samples combinations, int64 `[n, factors]`, in which one factor has given values.

        Args:
            factor: Index of the factor: one integer for all rows, or integers `[n]`, one per row.
            values: Value of that factor in each row, integers `[n]`.
            rng: Random generator for the values of the other factors, which are uniform.
        """
        combinations = self.sample(len(values), rng)
        combinations[np.arange(len(values)), factor] = values
        return self.check(combinations)

    @checked_types
    def check(self, combinations: np.ndarray) -> np.ndarray:
        """Returns `combinations` as int64 `[n, factors]`; raises a ValueError for other values."""
        outside = np.argwhere((combinations < 0) | (combinations >= self.sizes))
        if len(outside):
            row, column = outside[0]
            raise ValueError(
                f"factor {self.names[column]!r} has the value {combinations[row, column]} in "
                f"row {row}: expected 0 to {self.sizes[column] - 1}."
            )
        return combinations.astype(np.int64)
