"""Scores that hold one factor fixed and find the codes that do not change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.data.sets.factors import Factors
from keras_gen.metrics.representations.disentanglement.codes_and_factors import refuse_noise

ROWS = 4096  # that `represent` gets at most at once
EXAMPLES = 4096  # of the grid, on which it is tested whether codes know anything

Represent = Callable[[np.ndarray], np.ndarray]


@checked_types
def beta_vae_score(
    factors: Factors,
    represent: Represent,
    train: int = 1000,
    test: int = 500,
    pairs: int = 64,
    seed: int = 0,
) -> float:
    """Whether a linear classifier predicts which factor was held fixed: Higgins et al. (2017).

    A point is the mean absolute difference of the codes of `pairs` pairs of examples; all pairs
    share the value of one factor. A logistic regression on standardized points predicts which
    factor; the score is its held-out accuracy, about 1 / f by chance. Locatello et al. (2019) take
    10,000, 5,000 and 64.

    It is lenient: a rotation of the codes may leave it at 1, and so does the loss of one factor
    (Kim and Mnih 2018), which is then recognized by exclusion.

    Args:
        factors: The grid to draw from.
        represent: Maps integers `[m, f]`, combinations on the grid, m at most 4,096, to their
            codes, finite numbers `[m, d]`.
        train: Points to train on.
        test: Points held out.
        pairs: Pairs of each point.
        seed: Seed of all draws.

    Raises:
        ValueError: If the codes are no finite matrix, or predict no factor better than chance.

    Example:
        >>> beta_vae_score(Factors({"a": 4, "b": 5}), lambda values: values)
        1.0
    """
    rng = np.random.default_rng(checked_seed(seed))
    labels = rng.integers(len(factors.sizes), size=train + test)
    fixed = np.repeat(labels, pairs)
    first = factors.sample(len(fixed), rng)
    second = factors.sample_with_fixed(fixed, first[np.arange(len(fixed)), fixed], rng)
    codes = _encode(represent, first)
    refuse_noise(codes[:EXAMPLES], first[:EXAMPLES])
    difference = np.abs(codes - _encode(represent, second))
    points = difference.reshape(len(labels), pairs, -1).mean(axis=1)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(points[:train], labels[:train])
    return float(classifier.score(points[train:], labels[train:]))


@checked_types
def factor_vae_score(
    factors: Factors,
    represent: Represent,
    train: int = 800,
    test: int = 800,
    samples: int = 64,
    least_std: float = 0.05,
    seed: int = 0,
) -> float:
    """Whether the code that varies least identifies the fixed factor: Kim and Mnih (2018).

    A vote is the code with the least variance among `samples` examples with one value of a factor,
    relative to its variance among all. Each code predicts the factor that gave it most votes. The
    score is the fraction of right votes among held-out ones, about 1 / f by chance. A factor that
    no code represents costs 1 / f.

    Args:
        factors: The grid to draw from.
        represent: As of `beta_vae_score`.
        train: Votes that assign the codes.
        test: Votes held out.
        samples: Examples of each vote, 2 or more.
        least_std: Codes with at most this standard deviation among all examples count as collapsed
            and have no vote; if all have, the score is 0. The default suits codes under a standard
            normal prior; 0 only excludes constants.
        seed: Seed of all draws.

    Raises:
        ValueError: As `beta_vae_score`, by the codes with votes.

    Example:
        >>> factor_vae_score(Factors({"a": 4, "b": 5}), lambda values: values)
        1.0
    """
    rng = np.random.default_rng(checked_seed(seed))
    rows = factors.sample(10_000, rng)
    codes = _encode(represent, rows)
    std = codes.std(axis=0)
    active = std > least_std
    if not active.any():
        return 0.0
    refuse_noise(codes[:EXAMPLES, active], rows[:EXAMPLES])
    labels = rng.integers(len(factors.sizes), size=train + test)
    values = rng.integers(np.take(factors.sizes, labels))
    rows = factors.sample_with_fixed(np.repeat(labels, samples), np.repeat(values, samples), rng)
    codes = _encode(represent, rows)[:, active] / std[active]
    votes = codes.reshape(len(labels), samples, -1).var(axis=1).argmin(axis=1)
    counts = np.zeros([active.sum(), len(factors.sizes)], np.int64)
    np.add.at(counts, (votes[:train], labels[:train]), 1)
    return float(np.mean(counts.argmax(axis=1)[votes[train:]] == labels[train:]))


def _encode(represent: Represent, rows: np.ndarray) -> np.ndarray:
    """Returns the codes float64 `[n, d]` of the combinations, in parts that fit into memory."""
    parts = []
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        codes = np.asarray(represent(part), np.float64)
        if codes.ndim != 2 or len(codes) != len(part) or not np.isfinite(codes).all():
            raise ValueError(
                f"represent must return finite codes [{len(part)}, d] for combinations "
                "of shape "
                f"{list(part.shape)}, found shape {list(codes.shape)} or numbers not finite."
            )
        parts.append(codes)
    return np.concatenate(parts)
