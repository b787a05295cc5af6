import math

import numpy as np
import pytest

from keras_gen.metrics import auroc


def test_auroc_counts_pairs(rng):
    scores = rng.integers(6, size=80) / 5.0  # with many ties
    positive = rng.integers(2, size=80)
    pairs = np.subtract.outer(scores[positive == 1], scores[positive == 0])
    expected = np.mean((pairs > 0) + 0.5 * (pairs == 0))
    assert auroc(scores, positive) == pytest.approx(expected)
    assert auroc(-scores, positive) == pytest.approx(1 - expected)
    assert auroc(np.exp(scores), positive == 1) == pytest.approx(expected)
    assert auroc(np.zeros(80), positive) == 0.5
    assert auroc(positive, positive) == 1


def test_auroc_of_two_gaussians(rng):
    scores = np.concatenate([rng.normal(size=4000), rng.normal(size=4000) + 1])
    # P(x + 1 > y) for standard normal x and y: the distribution function at 1 / sqrt 2.
    expected = 0.5 * (1 + math.erf(0.5))
    assert auroc(scores, np.arange(8000) >= 4000) == pytest.approx(expected, abs=0.02)


X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: auroc(X[:, 0], Y * 0), ValueError, "of both kinds"),
        (lambda: auroc(X[:, 0], Y * 2), ValueError, r"values \[0 2\]"),
        (lambda: auroc(X[:, 0], Y[:3]), ValueError, r"\[3\] for 6 scores"),
        (lambda: auroc(X[:, 0] * np.nan, Y), ValueError, "finite numbers"),
    ],
)
def test_clear_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
