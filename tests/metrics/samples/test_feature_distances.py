"""Distances between sets of features, by closed forms."""

import numpy as np
import pytest
from scipy import linalg, special, stats

from keras_gen.metrics import Moments, frechet_distance, inception_score, kernel_distance, moments


def spread(rng, d):
    """A covariance with eigenvalues of very different size."""
    vectors = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return vectors @ np.diag(np.logspace(-3, 2, d)) @ vectors.T


def brute_frechet(a, b):
    """The definition, with scipy's root of a matrix that is not symmetric."""
    root = np.real(linalg.sqrtm(a.covariance @ b.covariance))
    difference = a.mean - b.mean
    return difference @ difference + np.trace(a.covariance + b.covariance - 2 * root)


def test_moments_are_numpys(rng):
    x = rng.normal(size=(20, 4))
    found = moments(x.astype("float32"))
    np.testing.assert_allclose(found.mean, x.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.covariance, np.cov(x.T), atol=1e-6)
    assert found.n == 20


def test_closed_forms():
    # Diagonal covariances: |dm|^2 + sum (s_a - s_b)^2.
    a = Moments(np.zeros(3), np.diag([1.0, 4.0, 9.0]), 10)
    b = Moments(np.array([1.0, 2.0, 2.0]), np.diag([4.0, 4.0, 0.0]), 20)
    assert frechet_distance(a, b) == {
        "distance": pytest.approx(9 + 1 + 0 + 9),
        "n_a": 10,
        "n_b": 20,
    }
    # Rotated alike, the distance stays.
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    a, b = (Moments(turn @ m.mean, turn @ m.covariance @ turn.T) for m in (a, b))
    assert frechet_distance(a, b) == {"distance": pytest.approx(19), "n_a": None, "n_b": None}


def test_full_rank_against_scipys_root(rng):
    a = Moments(rng.normal(size=6), spread(rng, 6))
    b = Moments(rng.normal(size=6), spread(rng, 6))
    value = frechet_distance(a, b)["distance"]
    assert value == pytest.approx(brute_frechet(a, b), rel=1e-9)
    assert value == pytest.approx(frechet_distance(b, a)["distance"], rel=1e-9)


def test_identical_sets_and_shifted_sets(rng):
    x = (rng.normal(size=(40, 6)) @ spread(rng, 6) + 100).astype("float32")
    scale = np.trace(np.cov(x.T))
    assert frechet_distance(x, x[::-1])["distance"] < 1e-10 * scale
    shifted = frechet_distance(x, x.astype("float64") + 3)["distance"]
    assert shifted == pytest.approx(6 * 9, rel=1e-6)


def test_covariances_without_full_rank(rng):
    # Fewer examples than features, in subspaces that share nothing: the roots' product is 0.
    x, y = np.zeros([2, 5, 30])
    x[:, :10], y[:, 10:] = rng.normal(size=(5, 10)), rng.normal(size=(5, 20))
    a, b = moments(x), moments(y)
    wanted = np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance + b.covariance)
    assert frechet_distance(x, y)["distance"] == pytest.approx(wanted, rel=1e-12)
    assert frechet_distance(x, x)["distance"] < 1e-10
    # In one line the distance is that of two scalars.
    t, u = rng.normal(size=(50, 1)), 2 * rng.normal(size=(60, 1)) + 1
    along = rng.normal(size=(1, 30))
    on_line = frechet_distance(t * along, u * along)["distance"]
    assert on_line == pytest.approx(frechet_distance(t, u)["distance"] * np.sum(along**2))
    # No spread at all, and one mode: the distance is the other set's variance.
    assert frechet_distance(np.ones([4, 3]), np.zeros([5, 3]))["distance"] == pytest.approx(3)
    one_mode = frechet_distance(Moments(np.zeros(3), np.diag([1.0, 4.0, 9.0])), np.zeros([9, 3]))
    assert one_mode["distance"] == pytest.approx(14)


def brute_kernel(a, b):
    """The definition, one pair at a time."""

    def kernel(x, y):
        return (np.dot(x, y) / len(x) + 1) ** 3

    n, m = len(a), len(b)
    within_a = sum(kernel(a[i], a[j]) for i in range(n) for j in range(n) if i != j)
    within_b = sum(kernel(b[i], b[j]) for i in range(m) for j in range(m) if i != j)
    between = sum(kernel(x, y) for x in a for y in b)
    return within_a / (n * (n - 1)) + within_b / (m * (m - 1)) - 2 * between / (n * m)


def jackknife(a, b):
    without_a = [brute_kernel(np.delete(a, i, axis=0), b) for i in range(len(a))]
    without_b = [brute_kernel(a, np.delete(b, i, axis=0)) for i in range(len(b))]
    return np.sqrt((len(a) - 1) * np.var(without_a) + (len(b) - 1) * np.var(without_b))


def test_whole_sets_against_the_definition(rng):
    a, b = rng.normal(size=(9, 4)), rng.normal(size=(7, 4)) + 0.3
    value, error = kernel_distance(a, b)
    np.testing.assert_allclose(value, brute_kernel(a, b), rtol=1e-10)
    np.testing.assert_allclose(error, jackknife(a, b), rtol=1e-8)


def test_blocks_change_nothing(rng, monkeypatch):
    a, b = rng.normal(size=(9, 4)), rng.normal(size=(7, 4)) + 0.3
    whole = kernel_distance(a, b)
    monkeypatch.setitem(kernel_distance.__globals__, "BLOCK", 15)  # two rows of a at once
    np.testing.assert_allclose(kernel_distance(a, b), whole, rtol=1e-12)


def test_scalar_features_with_known_moments(rng):
    # One feature: (xy + 1)^3 = 1 + 3xy + 3x^2y^2 + x^3y^3, so the squared MMD is
    # 3 (dm1)^2 + 3 (dm2)^2 + (dm3)^2 in the raw moments. N(0, 1): 0, 1, 0. N(1, 1): 1, 2, 4.
    a, b = rng.normal(size=(1500, 1)), rng.normal(size=(1500, 1)) + 1
    value, error = kernel_distance(a, b, subset_size=1500)
    assert abs(value - 22.0) < 5 * error < 11.0


def test_subsets_agree_with_the_whole_and_follow_the_seed(rng):
    a, b = rng.normal(size=(200, 6)), rng.normal(size=(300, 6)) + 0.5
    whole, _ = kernel_distance(a, b)
    value, error = kernel_distance(a, b, subsets=100, subset_size=50, seed=3)
    assert abs(value - whole) < 5 * error
    assert (value, error) == kernel_distance(a, b, subsets=100, subset_size=50, seed=3)
    # The same subsets, and the standard error of their mean.
    draw = np.random.default_rng(3)
    parts = [
        kernel_distance(draw.choice(a, 50, replace=False), draw.choice(b, 50, replace=False))[0]
        for _ in range(100)
    ]
    wanted = (np.mean(parts), stats.sem(parts))
    assert (value, error) == pytest.approx(wanted)
    assert value != kernel_distance(a, b, subsets=100, subset_size=50, seed=4)[0]


def test_inception_scores_by_hand():
    uniform = np.full([20, 4], 0.25)
    assert inception_score(uniform) == pytest.approx((1, 0))
    certain = np.tile(np.eye(4), [10, 1])
    assert inception_score(certain) == pytest.approx((4, 0))
    assert inception_score(50.0 * certain, from_logits=True) == pytest.approx((4, 0))
    # One class only, however certain, has no variety; half of two classes has two.
    assert inception_score(certain[::4]) == pytest.approx((1, 0))
    assert inception_score(np.eye(4)[[0, 1] * 10]) == pytest.approx((2, 0))


def test_inception_scores_against_the_definition(rng):
    logits = 3 * rng.normal(size=(23, 5))
    p = special.softmax(logits, axis=1)
    scores = []
    for part in (p[:12], p[12:]):
        marginal = part.mean(axis=0)
        scores.append(np.exp(np.mean([np.sum(q * np.log(q / marginal)) for q in part])))
    wanted = (np.mean(scores), np.std(scores))
    assert inception_score(p, splits=2) == pytest.approx(wanted)
    assert inception_score(logits.astype("float32"), True, splits=2) == pytest.approx(
        wanted, rel=1e-5
    )
