"""Distributions of sequences by counts of their n-grams."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from keras_gen.arguments import checked_integer


class NGrams:
    """A distribution of sequences of levels, each given those right before it, by counts.

    Counts of long contexts are interpolated with those of shorter ones, as by Witten and Bell: "The
    Zero-Frequency Problem", IEEE Trans. Information Theory 1991; Chen, Goodman: "An Empirical Study
    of Smoothing Techniques for Language Modeling", Computer Speech and Language 1999, eqs. (13) and
    (15):

        p(w | h) = (c(h w) + t(h) p(w | h')) / (c(h) + t(h)),

    where t(h) is the number of different levels after the context h, and h' is h without its first
    level. Below the empty context all levels are equally probable. Before a sequence stand begin
    signs, which are part of contexts and are never predicted.

    Args:
        order: Levels in an n-gram, 1 or more: a level is given the `order` - 1 before it. An n-gram
            must fit 63 bits.
        levels: Number of levels, which are 0 to `levels` - 1.

    Example:
        >>> model = NGrams(3, levels=256).fit(train)
        >>> -model.log_prob(test).mean()  # nats per sequence
    """

    def __init__(self, order: int, levels: int):
        self.order = checked_integer("order", order, minimum=1)
        self.levels = checked_integer("levels", levels, minimum=2)
        self._base = self.levels + 1  # the begin sign is the last
        if self._base**self.order >= 2**63:
            raise ValueError(
                f"{self.order}-grams of {self.levels} levels do not fit 63 bits: choose a lower "
                "order."
            )
        self._counts: list[_Counts] = []

    def fit(self, sequences: np.ndarray) -> NGrams:
        """Counts the n-grams of sequences, and returns itself.

        Args:
            sequences: Integers `[n, time]` or `[n, time, 1]` in -1 to `levels` - 1. Nothing is
                learned of -1, which is padding, before as after a sequence.
        """
        self._counts = []
        for context, level in self._n_grams(sequences)[0]:
            self._counts.append(_Counts(context * self._base + level, self._base))
        return self

    def log_prob(self, sequences: np.ndarray) -> np.ndarray:
        """Returns log P(x), float64 `[n]`, in nats, of sequences as in `fit`."""
        if not self._counts:
            raise ValueError("These n-grams are not fitted: call fit first.")
        n_grams, rows, size = self._n_grams(sequences)
        p = np.full(len(rows), 1 / self.levels)
        for counts, (context, level) in zip(self._counts, n_grams, strict=True):
            p = witten_bell(*counts.of(context, level), p)
        return np.bincount(rows, np.log(p), minlength=size)

    def _n_grams(self, sequences):
        """The contexts of every length with the level after them; its sequence; sequences."""
        sequences = as_sequences(sequences, self.levels)
        ahead = self.order - 1
        padded = np.pad(sequences, ((0, 0), (ahead, 0)), constant_values=-1)
        flat = np.where(padded < 0, self.levels, padded).ravel().astype(np.int64)
        (places,) = np.nonzero(padded.ravel() >= 0)
        level = flat[places]
        rows = places // padded.shape[1]

        def of_every_length():
            context = np.zeros_like(level)
            yield context, level
            for lag in range(1, self.order):
                context = context + flat[places - lag] * self._base ** (lag - 1)
                yield context, level

        return of_every_length(), rows, len(sequences)


def best_n_grams(
    train: np.ndarray, held_out: np.ndarray, orders: Iterable[int], levels: int
) -> NGrams:
    """Fits n-grams of several orders and returns those that are best on held-out sequences.

    Args:
        train: Sequences to fit, as `NGrams.fit` takes them.
        held_out: Sequences to choose the order with.
        orders: The orders to try.
        levels: Number of levels.

    Example: `best_n_grams(train, held_out, orders=range(1, 7), levels=97).log_prob(test)`.
    """
    models = [NGrams(order, levels).fit(train) for order in orders]
    return max(models, key=lambda model: model.log_prob(held_out).sum())


def witten_bell(count, total, kinds, shorter):
    """Returns probabilities of what follows contexts, by counts and by shorter contexts.

    Args:
        count: How often it followed the context in training.
        total: How often the context was there; where it never was, the shorter one counts alone.
        kinds: How many different things followed it.
        shorter: Probabilities by a shorter context.
    """
    return np.where(total > 0, (count + kinds * shorter) / np.maximum(total + kinds, 1), shorter)


def as_sequences(sequences: np.ndarray, levels: int) -> np.ndarray:
    """Returns sequences of levels as integers `[n, time]`.

    Args:
        sequences: Integers `[n, time]` or `[n, time, 1]` in -1 to `levels` - 1, else a ValueError.
        levels: Number of levels.
    """
    sequences = np.asarray(sequences)
    flat = sequences[..., 0] if sequences.ndim == 3 and sequences.shape[2] == 1 else sequences
    if flat.ndim != 2 or flat.dtype.kind not in "iu" or not flat.size:
        raise ValueError(
            f"Found sequences of dtype {sequences.dtype} and shape {list(sequences.shape)}: "
            "expected integers [n, time] or [n, time, 1]."
        )
    if flat.min() < -1 or flat.max() >= levels:
        raise ValueError(
            f"Sequences have levels from {flat.min()} to {flat.max()}: expected 0 to {levels - 1}, "
            "and -1 for padding."
        )
    return flat


class _Counts:
    """Counts of n-grams as sorted keys, which are `context * base + level`."""

    def __init__(self, keys, base):
        self.base = base
        self.keys, self.counts = np.unique(keys, return_counts=True)
        self.contexts, first = np.unique(self.keys // base, return_index=True)
        self.totals = np.add.reduceat(self.counts, first)
        self.kinds = np.diff([*first, len(self.keys)])

    def of(self, context, level):
        """The count of each n-gram, that of its context, and the levels after that."""
        where = _found(self.keys, context * self.base + level)
        whose = _found(self.contexts, context)
        return (
            np.where(where >= 0, self.counts[where], 0),
            np.where(whose >= 0, self.totals[whose], 0),
            np.where(whose >= 0, self.kinds[whose], 0),
        )


def _found(keys, wanted):
    """Where sorted keys hold what is wanted; -1: nowhere."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)
