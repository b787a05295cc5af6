"""A distribution of grids of codes by counts of what stands around a code."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from keras_gen.arguments import checked_array, checked_integer
from keras_gen.workshop.baselines.likelihoods.n_grams import NGrams


class GridNGrams:
    """A distribution of grids of codes, each given the code to its left, that above and its class.

    It is by counts, which `NGrams` interpolates: with the class, without it, without the code above
    and without any. Codes outside of the grid are one more level. The probabilities of the codes
    sum to a little less than 1, as the shortest contexts leave something for the other signs.

    Args:
        order: 2 for the code to the left, 3 for that above too, 4 for the class too.
        levels: Number of levels, which are 0 to `levels` - 1.
        classes: Number of classes.

    Raises:
        ValueError: If `order` is not 2 to 4, `levels` below 2 or `classes` below 1.

    Example:
        >>> model = GridNGrams(4, levels=512, classes=10).fit(codes, labels)
        >>> -model.log_prob(test_codes, test_labels).mean()  # nats per grid
    """

    def __init__(self, order: int, levels: int, classes: int):
        self.order = checked_integer("order", order, 2, 4)
        self.levels = checked_integer("levels", levels, minimum=2)
        self.classes = checked_integer("classes", classes, minimum=1)
        self._n_grams = _LastLevel(self.order, self.levels + 1 + self.classes)

    def fit(self, codes: np.ndarray, labels: np.ndarray) -> GridNGrams:
        """Counts what follows what, and returns itself.

        Args:
            codes: Integers `[n, height, width]` in 0 to `levels` - 1.
            labels: Integers `[n]` in 0 to `classes` - 1.

        Raises:
            ValueError: If codes or labels have another shape or are out of range.
        """
        self._n_grams.fit(self._sequences(codes, labels))
        return self

    def log_prob(self, codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns log P(codes given labels), float64 `[n]`, in nats, of grids as in `fit`."""
        log_probs = self._n_grams.log_prob(self._sequences(codes, labels))
        return log_probs.reshape(len(codes), -1).sum(axis=1)

    def _sequences(self, codes, labels):
        """For each code the class, the code above, that to the left and itself, nearest last."""
        codes = _integers(codes, 3, self.levels, "codes [n, height, width]")
        labels = _integers(labels, 1, self.classes, "labels [n]")
        if len(labels) != len(codes):
            raise ValueError(
                f"There are {len(labels)} labels for {len(codes)} grids: expected one for each."
            )
        outside = self.levels
        left = np.pad(codes, ((0, 0), (0, 0), (1, 0)), constant_values=outside)[:, :, :-1]
        above = np.pad(codes, ((0, 0), (1, 0), (0, 0)), constant_values=outside)[:, :-1]
        of_class = self.levels + 1 + labels[:, None, None]
        of_class = np.broadcast_to(of_class, codes.shape)
        together = np.stack([of_class, above, left, codes], axis=-1)
        return together.reshape(-1, 4)[:, -self.order :]


class _LastLevel(NGrams):
    """Counts and predicts the last level of each sequence, and none of those before it."""

    def _predicted(self, padded):
        return np.arange(1, len(padded) + 1) * padded.shape[1] - 1


def _integers(values, rank, levels, expected):
    """Returns int64 of integers in 0 to `levels` - 1."""
    values = checked_array("values", values)
    if values.ndim != rank or values.dtype.kind not in "iu" or not values.size:
        raise ValueError(
            f"Found dtype {values.dtype} and shape {list(values.shape)}: expected integer "
            f"{expected}."
        )
    if values.min() < 0 or values.max() >= levels:
        raise ValueError(
            f"Found {values.min()} to {values.max()}: expected {expected} in 0 to {levels - 1}."
        )
    return values.astype(np.int64)


def best_grid_n_grams(
    train: tuple[np.ndarray, np.ndarray],
    held_out: tuple[np.ndarray, np.ndarray],
    orders: Iterable[int],
    levels: int,
    classes: int,
) -> GridNGrams:
    """Fits `GridNGrams` of several orders and returns those that are best on held-out grids.

    Args:
        train: Codes and labels to fit, as `GridNGrams.fit` takes them.
        held_out: Codes and labels to choose the order with.
        orders: The orders to try.
        levels: Number of levels.
        classes: Number of classes.

    Example: `best_grid_n_grams(train, held_out, (2, 3, 4), levels=512, classes=10).order`.
    """
    models = [GridNGrams(order, levels, classes).fit(*train) for order in orders]
    return max(models, key=lambda model: model.log_prob(*held_out).sum())
