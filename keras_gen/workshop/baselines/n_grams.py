"""Distributions of sequences and grids of integers, based on n-gram counts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from keras_gen.arguments import checked_array, checked_integer
from keras_gen.metrics.metric_arguments import as_candidates

_FREE = 9  # number of bits of a hash that are dropped
_DIRECT = 2**24  # keys below this number are counted in an array


class NGrams:
    """A count-based model of sequences, which predicts each level from the previous levels.

    Counts of long contexts are interpolated with counts of shorter contexts, using modified
    Kneser-Ney smoothing (Chen, Goodman: "An Empirical Study of Smoothing Techniques for Language
    Modeling", Computer Speech and Language 1999, sec. 3, after Kneser, Ney, ICASSP 1995):

        p(w | h) = (c(h w) - D(c(h w)) + sum_v D(c(h v)) p(w | h')) / sum_v c(h v),

    where h' is h without its first level. The discount D has one value for counts of 1, one for
    counts of 2, and one for counts of 3 or more. For the longest contexts, c counts n-grams; for
    shorter contexts, c counts the distinct levels that precede the n-gram. The empty context is
    interpolated with a uniform distribution. Each sequence is preceded by begin symbols, which are
    part of contexts and are never predicted.

    Args:
        order: Number of levels in an n-gram, at least 1. Each level is predicted from the `order` -
            1 previous levels. An n-gram must fit in 63 bits.
        levels: Number of levels, which are 0 to `levels` - 1.

    Example:
        >>> model = NGrams(3, levels=256).fit(train)
        >>> -model.log_prob(test).mean()  # nats per sequence
    """

    def __init__(self, order: int, levels: int):
        self.order = checked_integer("order", order, minimum=1)
        self.levels = checked_integer("levels", levels, minimum=2)
        self._base = self.levels + 1  # includes the begin symbol, which is the last level
        if self._base**self.order >= 2**63:
            raise ValueError(
                f"{self.order}-grams of {self.levels} levels do not fit in 63 bits: use a lower "
                "order."
            )
        self._counts: list[_Counts] = []

    def fit(self, sequences: np.ndarray) -> NGrams:
        """Counts the n-grams of sequences, and returns `self`.

        Args:
            sequences: Integers `[n, time]` or `[n, time, 1]` from -1 to `levels` - 1. The value -1
                marks padding before or after a sequence; padding is ignored.
        """
        contexts, next_level, *_ = self._n_grams(sequences)
        n_grams = [context * self._base + next_level for context in contexts]
        if not len(n_grams[0]):
            raise ValueError("The sequences contain only padding: expected at least one level.")
        longer, counts = _counted(n_grams.pop())
        self._counts = [_Counts(longer, counts, self._base)]
        while n_grams:
            keys, counts = _counted(n_grams.pop())
            context, level = np.divmod(longer, self._base)
            # Place value of the first level in the number that represents a longer context.
            first = self._base ** len(n_grams)
            shorter = context % first * self._base + level
            before = _counted(shorter)[1]
            # A begin symbol is preceded only by begin symbols.
            begins = (keys // first == self.levels) & (first > 1)
            self._counts.insert(0, _Counts(keys, np.where(begins, counts, before), self._base))
            longer = keys
        return self

    def log_prob(self, sequences: np.ndarray) -> np.ndarray:
        """Returns log P(x) in nats, float64 `[n]`, for sequences in the format of `fit`."""
        p, rows, size = self._probabilities(sequences)
        return np.bincount(rows, np.log(p), minlength=size)

    def conditional(self, contexts: np.ndarray) -> np.ndarray:
        """Returns the probabilities of the level after each context, float64 `[n, levels]`.

        Args:
            contexts: Integers `[n, time]` from -1 to `levels` - 1, of which the last `order` - 1
                are used. The value -1 marks padding before a sequence.
        """
        levels = as_sequences(contexts, self.levels)
        levels = np.pad(levels, ((0, 0), (self.order - 1, 0)), constant_values=-1)
        longer = self._contexts((len(levels), 1), lambda lag: levels[:, -lag, None])
        following = np.broadcast_to(np.arange(self.levels), (len(levels), self.levels))
        return self._interpolated(longer, following)

    def _interpolated(self, contexts, level):
        """Returns the probability of each level, given its contexts of every length."""
        if not self._counts:
            raise ValueError("These n-grams are not fitted: call fit first.")
        p = np.full(level.shape, 1 / self.levels)
        for counts, context in zip(self._counts, contexts, strict=True):
            p = counts.probabilities(context, level, p)
        return p

    def _contexts(self, shape, before):
        """Yields numbers that represent the contexts, the shortest first.

        Args:
            shape: Shape of the contexts.
            before: Function from a lag to the levels that many places earlier; -1 marks padding.
        """
        context = np.zeros(shape, np.int64)
        yield context
        for lag in range(1, self.order):
            levels = before(lag)
            levels = np.where(levels < 0, self.levels, levels)
            context = context + levels * self._base ** (lag - 1)
            yield context

    def _probabilities(self, sequences):
        """Returns the probability and sequence of each level, and the number of sequences."""
        contexts, level, rows, size = self._n_grams(sequences)
        return self._interpolated(contexts, level), rows, size

    def _n_grams(self, sequences):
        """Returns contexts of every length, the next level and its sequence, and all sequences."""
        sequences = as_sequences(sequences, self.levels)
        ahead = self.order - 1
        padded = np.pad(sequences, ((0, 0), (ahead, 0)), constant_values=-1)
        flat = padded.ravel()
        places = self._predicted(padded)
        level = flat[places]
        contexts = self._contexts(level.shape, lambda lag: flat[places - lag])
        return contexts, level, places // padded.shape[1], len(sequences)

    def _predicted(self, padded):
        """Returns the positions in the padded sequences whose level is counted and predicted."""
        return np.flatnonzero(padded >= 0)


class WordNGrams(NGrams):
    """Character n-grams, mixed with counts of characters that follow the latest words.

    There are three additional contexts: the beginning of the current word, this beginning with the
    previous word, and this beginning with the two previous words. The counts in these contexts are
    interpolated with each other and with the n-grams, as in `NGrams`. The interpolated distribution
    is then mixed with the n-grams alone; the weight of this mixture is chosen on held-out
    sequences. Contexts are identified by 55-bit hashes.

    Args:
        order: Number of characters in an n-gram; see `NGrams`.
        levels: Number of characters.
        letters: Mask of the characters that words consist of, bool `[levels]`.

    Example: `WordNGrams(9, levels=89, letters=letters).fit(train).tuned(held_out).log_prob(test)`.
    """

    def __init__(self, order: int, levels: int, letters: np.ndarray):
        super().__init__(order, levels)
        self.letters = checked_array("letters", letters)
        if self.letters.dtype != bool or self.letters.shape != (levels,):
            raise ValueError(
                f"letters has dtype {self.letters.dtype} and shape {list(self.letters.shape)}: "
                f"expected a bool mask [{levels}]."
            )
        self.share = 0.5  # weight of the n-grams without words
        self._words: list[tuple[np.ndarray, _Counts]] = []

    def fit(self, sequences: np.ndarray) -> WordNGrams:
        """Counts the n-grams and the contexts of words, and returns `self`; see `NGrams.fit`."""
        super().fit(sequences)
        contexts, level = self._after_words(sequences)
        self._words = []
        for context in contexts:
            known, number = np.unique(context, return_inverse=True)
            keys, counts = _counted(number * self._base + level)
            self._words.append((known, _Counts(keys, counts, self._base)))
        return self

    def tuned(self, held_out: np.ndarray) -> WordNGrams:
        """Chooses the weight of the mixture on held-out sequences, and returns `self`."""
        plain, words, *_ = self._both(held_out)
        shares = np.arange(1, 10) / 10
        nats = [-np.log(share * plain + (1 - share) * words).mean() for share in shares]
        self.share = float(shares[np.argmin(nats)])
        return self

    def log_prob(self, sequences: np.ndarray) -> np.ndarray:
        """Returns log P(x) in nats, float64 `[n]`, for sequences in the format of `fit`."""
        plain, words, rows, size = self._both(sequences)
        nats = np.log(self.share * plain + (1 - self.share) * words)
        return np.bincount(rows, nats, minlength=size)

    def conditional(self, contexts: np.ndarray) -> np.ndarray:
        """Raises NotImplementedError, because the contexts also contain words."""
        raise NotImplementedError("WordNGrams has no conditional: use NGrams instead.")

    def _both(self, sequences):
        """Returns `_probabilities` of the n-grams, followed by the probabilities given words."""
        plain, rows, size = self._probabilities(sequences)
        contexts, level = self._after_words(sequences)
        p = plain
        for context, (known, counts) in zip(contexts, self._words, strict=True):
            p = counts.probabilities(_found(known, context), level, p)
        return plain, p, rows, size

    def _after_words(self, sequences):
        """Returns hashes of the three contexts of each character, and the characters."""
        sequences = as_sequences(sequences, self.levels)
        current, previous, earlier = np.zeros([3, len(sequences)], np.uint64)
        in_word = np.zeros(len(sequences), bool)
        found = []
        for character in sequences.T:
            latest = _hash(previous, current)
            found.append((current, latest, _hash(_hash(earlier, previous), latest)))
            letter = self.letters[character] & (character >= 0)
            ends = in_word & ~letter
            earlier = np.where(ends, previous, earlier)
            previous = np.where(ends, current, previous)
            # A word, or the characters between two words, starts with its own first hash.
            start = np.where(letter, np.uint64(1), np.uint64(2))
            current = _hash(np.where(in_word == letter, current, start), character)
            in_word = letter
        live = sequences >= 0
        drop = np.uint64(_FREE)
        contexts = [np.stack(part, axis=1)[live] >> drop for part in zip(*found, strict=True)]
        return contexts, sequences[live]


def _hash(first, second):
    """Returns hashes of pairs of 64-bit integers."""
    mixed = first * np.uint64(0x9E3779B97F4A7C15) ^ second.astype(np.uint64)
    return (mixed ^ mixed >> np.uint64(29)) * np.uint64(0xD6E8FEB86659FD93)


def best_n_grams(
    train: np.ndarray, held_out: np.ndarray, orders: Iterable[int], levels: int
) -> NGrams:
    """Fits n-grams of several orders, and returns the model that is best on held-out sequences.

    Args:
        train: Sequences to fit, as accepted by `NGrams.fit`.
        held_out: Sequences for choosing the order.
        orders: Orders to try.
        levels: Number of levels.

    Example: `best_n_grams(train, held_out, orders=range(1, 7), levels=97).log_prob(test)`.
    """
    models = [NGrams(order, levels).fit(train) for order in as_candidates("orders", orders)]
    return max(models, key=lambda model: model.log_prob(held_out).sum())


def as_sequences(sequences: np.ndarray, levels: int) -> np.ndarray:
    """Returns sequences of levels as int64 `[n, time]`.

    Args:
        sequences: Integers `[n, time]` or `[n, time, 1]` from -1 to `levels` - 1. Other values
            raise a ValueError.
        levels: Number of levels.
    """
    sequences = checked_array("sequences", sequences)
    flat = sequences[..., 0] if sequences.ndim == 3 and sequences.shape[2] == 1 else sequences
    if flat.ndim != 2 or flat.dtype.kind not in "iu" or not flat.size:
        raise ValueError(
            f"sequences has dtype {sequences.dtype} and shape {list(sequences.shape)}: expected "
            "integers [n, time] or [n, time, 1]."
        )
    if flat.min() < -1 or flat.max() >= levels:
        raise ValueError(
            f"Sequences have levels from {flat.min()} to {flat.max()}: expected 0 to {levels - 1}, "
            "and -1 for padding."
        )
    return flat.astype(np.int64, copy=False)


class _Counts:
    """Counts of n-grams, sorted by their keys, `context * base + level`."""

    def __init__(self, keys, counts, base):
        self.keys = keys
        self.base = base
        discounts = _discounts(counts)[np.minimum(counts, 3)]
        self.left = counts - discounts
        self.contexts, first = np.unique(keys // base, return_index=True)
        self.totals = np.add.reduceat(counts, first)
        self.discounted = np.add.reduceat(discounts, first)

    def probabilities(self, context, level, shorter):
        """Returns n-gram probabilities, interpolated with probabilities given shorter contexts."""
        n_gram = _found(self.keys, context * self.base + level)
        place = _found(self.contexts, context)
        left = np.where(n_gram >= 0, self.left[n_gram], 0)
        p = (left + self.discounted[place] * shorter) / self.totals[place]
        return np.where(place >= 0, p, shorter)


def _counted(keys):
    """Returns the distinct keys, sorted, and their counts."""
    if keys.max() < _DIRECT:  # avoids sorting, which is slow if most keys are equal
        counts = np.bincount(keys)
        (found,) = np.nonzero(counts)
        return found, counts[found]
    return np.unique(keys, return_counts=True)


def _discounts(counts):
    """Returns discounts for counts of 0, 1, 2, and 3 or more; leave-one-out if data suffice."""
    n = np.bincount(np.minimum(counts, 5), minlength=5)[1:5]
    if n.all():
        y = n[0] / (n[0] + 2 * n[1])
        found = np.array([i - (i + 1) * y * n[i] / n[i - 1] for i in (1, 2, 3)])
        if (found > 0).all():
            return np.array([0, *found])
    return np.array([0, 0.5, 1, 1.5])


def _found(keys, wanted):
    """Returns the positions of wanted keys in the sorted keys; -1 for keys that do not occur."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


class GridNGrams:
    """A distribution of code grids in which two neighbors and the class predict each code.

    The context is the code to the left, the code above, and the class. `NGrams` interpolates
    between counts with the full context, without the class, without the class and the code above,
    and without any context. Positions outside of the grid are treated as an additional level. The
    probabilities of all codes sum to slightly less than 1, because the shortest contexts reserve
    some probability for symbols that are not codes.

    Args:
        order: Size of the context plus 1. With 2, the context is the code to the left; 3 adds the
            code above, and 4 also adds the class.
        levels: Number of levels, which are 0 to `levels` - 1.
        classes: Number of classes.

    Raises:
        ValueError: If `order` is not 2 to 4, if `levels` is below 2, or if `classes` is below 1.

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
        """Counts the codes in each context, and returns `self`.

        Args:
            codes: Codes, integers `[n, height, width]` from 0 to `levels` - 1.
            labels: Labels, integers `[n]` from 0 to `classes` - 1.

        Raises:
            ValueError: If codes or labels have the wrong shape or are out of range.
        """
        self._n_grams.fit(self._sequences(codes, labels))
        return self

    def log_prob(self, codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns log P(codes | labels) in nats, float64 `[n]`; for the arguments, see `fit`."""
        log_probs = self._n_grams.log_prob(self._sequences(codes, labels))
        return log_probs.reshape(len(codes), -1).sum(axis=1)

    def _sequences(self, codes, labels):
        """Returns a sequence per code: class, code above, code to the left, and the code."""
        codes = _integers(codes, 3, self.levels, "codes [n, height, width]")
        labels = _integers(labels, 1, self.classes, "labels [n]")
        if len(labels) != len(codes):
            raise ValueError(
                f"There are {len(labels)} labels for {len(codes)} grids: expected one label per "
                "grid."
            )
        outside = self.levels
        left = np.pad(codes, ((0, 0), (0, 0), (1, 0)), constant_values=outside)[:, :, :-1]
        above = np.pad(codes, ((0, 0), (1, 0), (0, 0)), constant_values=outside)[:, :-1]
        of_class = self.levels + 1 + labels[:, None, None]
        of_class = np.broadcast_to(of_class, codes.shape)
        together = np.stack([of_class, above, left, codes], axis=-1)
        return together.reshape(-1, 4)[:, -self.order :]


class _LastLevel(NGrams):
    """Counts and predicts only the last level of each sequence."""

    def _predicted(self, padded):
        return np.arange(1, len(padded) + 1) * padded.shape[1] - 1


def _integers(values, rank, levels, expected):
    """Returns integers in 0 to `levels` - 1 as int64."""
    values = checked_array("values", values)
    if values.ndim != rank or values.dtype.kind not in "iu" or not values.size:
        raise ValueError(
            f"Found an array of dtype {values.dtype} and shape {list(values.shape)}: expected "
            f"integer {expected}."
        )
    if values.min() < 0 or values.max() >= levels:
        raise ValueError(
            f"Found values from {values.min()} to {values.max()}: expected {expected} from 0 to "
            f"{levels - 1}."
        )
    return values.astype(np.int64)


def best_grid_n_grams(
    train: tuple[np.ndarray, np.ndarray],
    held_out: tuple[np.ndarray, np.ndarray],
    orders: Iterable[int],
    levels: int,
    classes: int,
) -> GridNGrams:
    """Fits `GridNGrams` of several orders, and returns the model that is best on held-out grids.

    Args:
        train: Codes and labels to fit, as accepted by `GridNGrams.fit`.
        held_out: Codes and labels for choosing the order.
        orders: Orders to try.
        levels: Number of levels.
        classes: Number of classes.

    Example: `best_grid_n_grams(train, held_out, (2, 3, 4), levels=512, classes=10).order`.
    """
    models = [
        GridNGrams(order, levels, classes).fit(*train)
        for order in as_candidates("orders", orders)
    ]
    return max(models, key=lambda model: model.log_prob(*held_out).sum())
