import math

import numpy as np
import pytest

from keras_gen.metrics import linear_probe


def exclusive_or(rng, n):
    bits = rng.integers(2, size=[n, 2])
    return bits + 0.1 * rng.normal(size=[n, 2]), bits[:, 0] ^ bits[:, 1]


def logistic_newton(x, y):
    """Coefficients of the penalized likelihood (penalty w.w / 2, none on the intercept)."""
    x = np.c_[x, np.ones(len(x))]
    penalty = np.diag([1.0] * (x.shape[1] - 1) + [0.0])
    w = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - y) + penalty @ w
        w -= np.linalg.solve((x.T * (p * (1 - p))) @ x + penalty, gradient)
    return w


def test_a_probe_against_newton_iterations(rng):
    y, test_y = rng.integers(2, size=40), rng.integers(2, size=500)
    x = rng.normal(size=[40, 3]) + y[:, None] * [1.0, 0.5, 0.0]
    test_x = rng.normal(size=[500, 3]) + test_y[:, None] * [1.0, 0.5, 0.0]
    mean, std = x.mean(axis=0), x.std(axis=0)
    w = logistic_newton((x - mean) / std, y)
    expected = np.mean((((test_x - mean) / std) @ w[:-1] + w[-1] > 0) == test_y)
    assert 0.5 < expected < 0.9
    # scikit-learn stops a little before the optimum, which may move one borderline example.
    assert linear_probe(x, y, test_x, test_y) == {40: pytest.approx(expected, abs=0.0021)}


def test_a_probe_of_two_gaussians_reaches_the_best_possible_accuracy(rng):
    y, test_y = rng.integers(2, size=2000), rng.integers(2, size=4000)
    x = rng.normal(size=[2000, 2]) + 2.0 * y[:, None] * [1, 0]
    test_x = rng.normal(size=[4000, 2]) + 2.0 * test_y[:, None] * [1, 0]
    best = 0.5 * (1 + math.erf(1 / math.sqrt(2)))  # the normal distribution function at 1
    assert linear_probe(x, y, test_x, test_y)[2000] == pytest.approx(best, abs=0.02)


def test_more_labels_help_and_scale_does_not_matter(blobs):
    x, y = blobs(600, spread=2.0)
    test_x, test_y = blobs(1000, spread=2.0)
    accuracy = linear_probe(x, y, test_x, test_y, counts=[3, 30, 600])
    assert list(accuracy) == [3, 30, 600]
    assert 1 / 3 < accuracy[3] < accuracy[30] < accuracy[600]
    scale = np.array([1e-3, 1.0, 1e3])
    assert linear_probe(x * scale, y, test_x * scale, test_y, [30])[30] == pytest.approx(
        accuracy[30], abs=0.002
    )


def test_a_probe_cannot_see_an_exclusive_or(rng):
    x, y = exclusive_or(rng, 400)
    test_x, test_y = exclusive_or(rng, 400)
    assert linear_probe(x, y, test_x, test_y)[400] < 0.8  # three of the four corners at best


def test_random_codes_are_at_chance(rng):
    y, test_y = np.arange(400) % 4, np.arange(800) % 4
    x, test_x = rng.normal(size=[400, 5]), rng.normal(size=[800, 5])
    assert linear_probe(x, y, test_x, test_y)[400] == pytest.approx(0.25, abs=0.06)


X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linear_probe(X, Y, X[:, :1], Y), ValueError, "2 features in train_codes and 1"),
        (lambda: linear_probe(X, Y[:5], X, Y), ValueError, r"train_labels of shape \[6\]"),
        (lambda: linear_probe(X, Y / 2, X, Y), TypeError, "train_labels to be integers"),
        (lambda: linear_probe(X, Y * 0, X, Y), ValueError, "found 1 classes"),
        (lambda: linear_probe(X, Y, X, Y, counts=[7]), ValueError, r"counts \[7\]"),
        (lambda: linear_probe(X, Y, X, Y, counts=[1]), ValueError, r"counts \[1\]"),
        (lambda: linear_probe(X, Y, X * np.nan, Y), ValueError, "test_codes"),
    ],
)
def test_clear_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
