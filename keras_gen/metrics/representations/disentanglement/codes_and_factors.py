"""Checks of codes and factors, such as that the codes predict a factor at all."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import train_test_split

from keras_gen.metrics.metric_arguments import as_features, as_numbers

LEVEL = 0.01  # how often noise may pass for knowledge
SHUFFLES = 400  # for each factor


def check(codes: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 codes `[n, d]` and int factors `[n, f]`, d and f of at least 2.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If shapes differ, codes are not finite, or a factor has one value only.
    """
    codes = as_features(codes, "codes")
    factors = as_numbers(factors, "factors")
    if factors.ndim != 2 or len(factors) != len(codes):
        raise ValueError(
            f"Expected factors of shape [{len(codes)}, f], found {list(factors.shape)}: "
            "pass the factors of the same examples in the same order."
        )
    if codes.shape[1] < 2 or factors.shape[1] < 2:
        raise ValueError(
            f"Found {codes.shape[1]} codes and {factors.shape[1]} factors: pass 2 or more "
            "of each, since one alone cannot be entangled with another."
        )
    if not np.issubdtype(factors.dtype, np.integer):
        raise TypeError(
            f"factors must be integers, found {factors.dtype}: pass the number of each value."
        )
    constant = np.flatnonzero((factors == factors[0]).all(axis=0))
    if len(constant):
        raise ValueError(
            f"factor {constant[0]} has one value only: leave out its column, or add examples."
        )
    return codes, factors


def refuse_noise(codes: np.ndarray, factors: np.ndarray) -> None:
    """Raises a ValueError if trees predict no factor from the codes better than chance.

    They are trained on a random 7 of 10 rows of codes `[n, d]` and factors (integers `[n, f]`), and
    tested on the others.
    """
    train_codes, test_codes, train, test = train_test_split(
        codes, factors, test_size=0.3, random_state=0
    )
    trees = ExtraTreesClassifier(20, min_samples_leaf=0.01, max_features=None, random_state=0)
    predicted = [trees.fit(train_codes, values).predict(test_codes) for values in train.T]
    better_than_chance(np.stack(predicted, axis=1), test)


def better_than_chance(predicted: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Returns which factors are predicted better than chance, booleans `[f]`.

    A permutation test: how often do the predictions agree with shuffled factors as well as with the
    true ones? Noise in all factors passes once in a hundred times.

    Args:
        predicted: Predictions `[m, f]` for rows that their predictors have not seen.
        factors: The true values, `[m, f]`.

    Raises:
        ValueError: If no factor is.
    """
    rng = np.random.default_rng(0)
    count = factors.shape[1]
    found = (predicted == factors).mean(axis=0)
    shuffled = np.stack(
        [(predicted == rng.permutation(factors)).mean(axis=0) for _ in range(SHUFFLES * count)]
    )
    chance = shuffled.mean(axis=0)
    by_chance = (1 + (shuffled >= found).sum(axis=0)) / (1 + len(shuffled))
    better = by_chance <= LEVEL / count
    if not better.any():
        best = np.argmax(found - chance)
        raise ValueError(
            "No factor is predicted from the codes better than chance (the best, factor "
            f"{best}, scores {found[best]:.3f} on {len(factors)} held-out examples, "
            f"{chance[best]:.3f} on "
            "shuffled ones), and a score would be one of noise: pass codes of an encoder "
            "that has learned, or more examples."
        )
    return better
