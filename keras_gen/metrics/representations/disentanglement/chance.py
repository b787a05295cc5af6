"""Whether codes know anything of factors: a score of codes that do not is one of noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import train_test_split

LEVEL = 0.01  # how often noise may pass for knowledge
SHUFFLES = 400  # for each factor


def refuse_noise(codes: np.ndarray, factors: np.ndarray) -> None:
    """Raises a ValueError if trees predict no factor from the codes better than chance.

    They are trained on 7 in 10 of the rows, drawn at random, and judged on the others.

    Args:
        codes: Finite numbers `[n, d]`, n of at least 2.
        factors: Integers `[n, f]`.
    """
    train_codes, test_codes, train, test = train_test_split(
        codes, factors, test_size=0.3, random_state=0
    )
    trees = ExtraTreesClassifier(20, min_samples_leaf=0.01, max_features=None, random_state=0)
    predicted = [trees.fit(train_codes, values).predict(test_codes) for values in train.T]
    better_than_chance(np.stack(predicted, axis=1), test)


def better_than_chance(
    predicted: np.ndarray,
    factors: np.ndarray,
    agreement: Callable[[np.ndarray, np.ndarray], np.ndarray] = np.equal,
) -> np.ndarray:
    """Which factors are predicted better than chance, booleans `[f]`.

    A permutation test: how often do the predictions agree with shuffled factors as well as with the
    true ones? At a level that noise in all factors together passes once in a hundred times.

    Args:
        predicted: Predictions `[m, f]` for rows that their predictors have not seen.
        factors: What they predict, `[m, f]`.
        agreement: Function of the two that returns numbers `[m, f]`, of which the mean counts.

    Raises:
        ValueError: If there is none.
    """
    rng, count = np.random.default_rng(0), factors.shape[1]
    found = agreement(predicted, factors).mean(axis=0)
    shuffled = np.stack(
        [
            agreement(predicted, rng.permutation(factors)).mean(axis=0)
            for _ in range(SHUFFLES * count)
        ]
    )
    chance = shuffled.mean(axis=0)
    by_chance = (1 + (shuffled >= found).sum(axis=0)) / (1 + len(shuffled))
    better = by_chance <= LEVEL / count
    if not better.any():
        best = np.argmax(found - chance)
        raise ValueError(
            f"No factor is predicted from the codes better than chance (the best, factor {best}, "
            f"scores {found[best]:.3f} on {len(factors)} held-out examples, {chance[best]:.3f} on "
            "shuffled ones), and a score would be one of noise: pass codes of an encoder that has "
            "learned, or more examples."
        )
    return better
