"""Inexpensive models of table rows: independent columns, a tree, a network, and a mixture."""

from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax, logsumexp
from typing_extensions import override


class IndependentColumns:
    """A model of independent columns that uses the frequencies of the training rows.

    Args:
        cells: Cell indices of the training rows, int `[n, columns]`, without missing cells.
        sizes: Number of possible cells in each column.
    """

    def __init__(self, cells: np.ndarray, sizes: Sequence[int]):
        self.shares = _smoothed_shares(_training_cells(cells, sizes), sizes)

    def log_prob(self, cells: np.ndarray) -> np.ndarray:
        """Returns log P of rows without gaps, `[n]`, in nats."""
        cells = _checked_cells(cells, [len(each) for each in self.shares])
        pairs = zip(self.shares, cells.T, strict=True)
        return np.sum([np.log(shares)[column] for shares, column in pairs], axis=0)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns the cells of sampled rows, int `[n, columns]`."""
        random = np.random.default_rng(seed)
        return np.stack([random.choice(len(p), n, p=p) for p in self.shares], axis=1)


class ChowLiuTree:
    """A tree of columns, each dependent on one other column, with maximum mutual information.

    Chow, Liu: "Approximating Discrete Probability Distributions with Dependence Trees", IEEE
    Transactions on Information Theory 14, 1968. The mutual information that is expected for
    independent columns is subtracted.

    Args:
        cells: Cell indices of the training rows, int `[n, columns]`, without missing cells.
        sizes: Number of possible cells in each column.
        pseudo_counts: Number of pseudo-rows added to each conditional distribution of a column. The
            pseudo-rows follow the column's marginal distribution.
    """

    def __init__(self, cells: np.ndarray, sizes: Sequence[int], pseudo_counts: float = 10.0):
        count = len(sizes)
        cells = _training_cells(cells, sizes)
        self.shares = _smoothed_shares(cells, sizes)
        joint = {
            (i, j): _joint(cells[:, i], cells[:, j], sizes[i], sizes[j])
            for i in range(count)
            for j in range(count)
        }
        information = {pair: _mutual_information(counts) for pair, counts in joint.items()}
        self.order = [count - 1]
        self.parents: dict[int, int] = {}
        self.conditionals: dict[int, np.ndarray] = {}
        while len(self.order) < count:
            left = [j for j in range(count) if j not in self.order]
            pairs = [(i, j) for i in self.order for j in left]
            parent, child = max(pairs, key=lambda pair: information[pair])
            counts = joint[parent, child] + pseudo_counts * self.shares[child]
            self.conditionals[child] = counts / counts.sum(axis=1, keepdims=True)
            self.parents[child] = parent
            self.order.append(child)

    def log_prob(self, cells: np.ndarray) -> np.ndarray:
        """Returns log P of rows without gaps, `[n]`, in nats."""
        cells = _checked_cells(cells, [len(each) for each in self.shares])
        root = self.order[0]
        total = np.log(self.shares[root])[cells[:, root]]
        for child, parent in self.parents.items():
            total += np.log(self.conditionals[child])[cells[:, parent], cells[:, child]]
        return total

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns the cells of sampled rows, int `[n, columns]`."""
        random = np.random.default_rng(seed)
        cells = np.zeros([n, len(self.order)], int)
        root = self.order[0]
        cells[:, root] = random.choice(len(self.shares[root]), n, p=self.shares[root])
        for child, parent in self.parents.items():
            cells[:, child] = _drawn(self.conditionals[child][cells[:, parent]], random)
        return cells


class ColumnNetwork(ChowLiuTree):
    """A Bayesian network of columns in the order of the Chow-Liu tree, with several parents each.

    Parents are added one after another, while the likelihood of the last fifth of the training rows
    rises. A conditional distribution is computed from counts, and backs off to the distribution
    with one parent less. The final counts use all training rows.

    Args:
        cells: Cell indices of the training rows, int `[n, columns]`, without missing cells.
        sizes: Number of possible cells in each column.
        most_parents: Maximum number of parents of a column.
    """

    strengths = (3.0, 10.0, 30.0, 100.0)
    """Candidates for the number of pseudo-rows, which follow the backed-off distribution."""

    def __init__(self, cells: np.ndarray, sizes: Sequence[int], most_parents: int = 4):
        super().__init__(cells, sizes)
        self.cells = _training_cells(cells, sizes)
        self.chosen = {
            child: self._choose(child, self.order[:place], most_parents)
            for place, child in enumerate(self.order)
        }

    def _choose(self, child, candidates, most_parents):
        """Returns the parents of a column in the order of choice, each with its strength."""
        fitted, held_out = np.split(self.cells, [4 * len(self.cells) // 5])
        values = held_out[:, child]
        chosen: list[tuple[int, float]] = []
        p = self._conditional(child, chosen, fitted, held_out)
        best = _log_likelihood(p, values)
        while len(chosen) < most_parents:
            parents = [parent for parent, _ in chosen]
            scores = {}
            for parent in candidates:
                if parent not in parents:
                    counts = _counts([*parents, parent], child, p.shape[1], fitted, held_out)
                    for strength in self.strengths:
                        shares = _backed_off(counts, strength, p)
                        scores[parent, strength] = _log_likelihood(shares, values)
            choice = max(scores, key=scores.__getitem__, default=None)
            if choice is None or scores[choice] <= best:
                break
            chosen.append(choice)
            best = scores[choice]
            p = self._conditional(child, chosen, fitted, held_out)
        return chosen

    def _conditional(self, child, chosen, train, rows):
        """Returns P(child's cells | parents) for each row, `[n, cells]`, from training rows."""
        p = np.tile(self.shares[child], (len(rows), 1))
        parents = []
        for parent, strength in chosen:
            parents.append(parent)
            p = _backed_off(_counts(parents, child, p.shape[1], train, rows), strength, p)
        return p

    def _given_row(self, child, rows):
        return self._conditional(child, self.chosen[child], self.cells, rows)

    @override
    def log_prob(self, cells: np.ndarray) -> np.ndarray:
        cells = _checked_cells(cells, [len(each) for each in self.shares])
        columns = [
            np.log(self._given_row(child, cells))[np.arange(len(cells)), cells[:, child]]
            for child in self.order
        ]
        return np.sum(columns, axis=0)

    @override
    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        random = np.random.default_rng(seed)
        cells = np.zeros([n, len(self.order)], int)
        for child in self.order:
            cells[:, child] = _drawn(self._given_row(child, cells), random)
        return cells


def _log_likelihood(p, values):
    return np.log(p[np.arange(len(values)), values]).mean() if len(values) else -np.inf


def _counts(parents, child, size, train, rows):
    """Returns counts of the child's cells in training rows with each row's parents, `[n, size]`."""
    given = np.concatenate([train[:, parents], rows[:, parents]])
    _, ids = np.unique(given, axis=0, return_inverse=True)
    known, wanted = np.split(ids.reshape(-1), [len(train)])
    return _joint(known, train[:, child], ids.max(initial=-1) + 1, size)[wanted]


def _backed_off(counts, strength, p):
    """Returns the shares of counts `[n, cells]`, smoothed with pseudo-rows that follow p."""
    return (counts + strength * p) / (counts.sum(axis=1, keepdims=True) + strength)


class ProductMixture:
    """A mixture of models with independent columns, fitted by the EM algorithm.

    Args:
        cells: Cell indices of the training rows, int `[n, columns]`; -1 marks a missing cell, which
            is ignored.
        sizes: Number of possible cells in each column.
        components: Number of mixture components.
        rounds: Number of EM steps.
        seed: Seed for the initial assignment of rows to components.
    """

    def __init__(
        self,
        cells: np.ndarray,
        sizes: Sequence[int],
        components: int = 80,
        rounds: int = 60,
        seed: int = 0,
    ):
        self.sizes = list(sizes)
        cells = _training_cells(cells, sizes, least=-1)
        prior = np.concatenate(_smoothed_shares(cells, sizes)) + 1e-4
        rows = self._one_hot(cells)
        random = np.random.default_rng(seed)
        parts = random.dirichlet(np.full(components, 0.1), len(rows)).astype("float32")
        for _ in range(rounds):
            self._maximize(rows, parts, prior)
            scores = rows @ self.log_shares.T + self.log_weights
            parts = np.exp(log_softmax(scores, axis=1))
        self._maximize(rows, parts, prior)

    def _maximize(self, rows, parts, prior):
        counts = parts.T @ rows + prior
        shares = [each / each.sum(axis=1, keepdims=True) for each in self._by_column(counts)]
        self.log_shares = np.log(np.concatenate(shares, axis=1)).astype("float32")
        self.log_weights = np.log(parts.mean(axis=0) + 1e-9)

    def _one_hot(self, cells):
        cells = _checked_cells(cells, self.sizes, least=-1)
        pairs = zip(self.sizes, cells.T, strict=True)
        # The last row of each table, which contains zeros, represents gaps.
        columns = [np.eye(size + 1, size, dtype="float32")[column] for size, column in pairs]
        return np.concatenate(columns, axis=1)

    def _by_column(self, values):
        return np.split(values, np.cumsum(self.sizes)[:-1], axis=1)

    def log_prob(self, cells: np.ndarray) -> np.ndarray:
        """Returns log P of rows, `[n]`, in nats, without regard to missing cells."""
        scores = self._one_hot(cells) @ self.log_shares.T + self.log_weights
        return logsumexp(scores, axis=1) - logsumexp(self.log_weights)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns the cells of sampled rows, int `[n, columns]`."""
        random = np.random.default_rng(seed)
        weights = np.exp(self.log_weights)
        chosen = random.choice(len(weights), n, p=weights / weights.sum())
        by_column = self._by_column(np.exp(self.log_shares))
        return np.stack([_drawn(each[chosen], random) for each in by_column], axis=1)

    def probabilities(self, cells: np.ndarray) -> list[np.ndarray]:
        """Returns P of each column's cells, `[n, cells]`, given the known values of the row."""
        scores = self._one_hot(cells) @ self.log_shares.T + self.log_weights
        weights = np.exp(log_softmax(scores, axis=1))
        return [weights @ each for each in self._by_column(np.exp(self.log_shares))]


def _checked_cells(cells, sizes, least=0):
    """Rejects cells `[n, columns]` that are not integers from `least` to the column's last cell."""
    cells = np.asarray(cells)
    if cells.ndim != 2 or cells.shape[1] != len(sizes) or cells.dtype.kind not in "iu":
        raise ValueError(
            f"cells has shape {cells.shape} and dtype {cells.dtype}: expected integers "
            f"[n, {len(sizes)}]."
        )
    wrong = np.argwhere((cells < least) | (cells >= np.array(sizes)))
    if len(wrong):
        row, column = wrong[0]
        raise ValueError(
            f"cells contains {cells[row, column]} in row {row} of column {column}: expected "
            f"{least} to {sizes[column] - 1}. Leave out rows with gaps, or fill in the gaps."
        )
    return cells.astype(np.int64)


def _training_cells(cells, sizes, least=0):
    cells = _checked_cells(cells, sizes, least)
    if not len(cells):
        raise ValueError("cells has no rows: expected at least one row.")
    return cells


def _smoothed_shares(cells, sizes):
    """Returns the frequencies of each column's cells, with one pseudo-row spread over the cells."""
    found = []
    for column, size in zip(cells.T, sizes, strict=True):
        counts = np.bincount(column[column >= 0], minlength=size)
        found.append((counts + 1 / size) / (counts.sum() + 1))
    return found


def _joint(first, second, rows, columns):
    return np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns)


def _mutual_information(counts):
    p = counts / counts.sum()
    product = np.outer(p.sum(axis=1), p.sum(axis=0))
    seen = p > 0
    used = [(p.sum(axis=axis) > 0).sum() - 1 for axis in (0, 1)]
    chance = used[0] * used[1] / (2 * counts.sum())
    return (p[seen] * np.log(p[seen] / product[seen])).sum() - chance


def _drawn(probabilities, random):
    """Samples one outcome for each row of probabilities `[n, outcomes]`."""
    cumulative = np.cumsum(probabilities, axis=1)
    uniform = random.uniform(size=(len(probabilities), 1)) * cumulative[:, -1:]
    return (cumulative[:, :-1] <= uniform).sum(axis=1)
