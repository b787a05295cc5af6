import numpy as np
import pytest
from scipy import linalg

from keras_gen.metrics import Moments, frechet_distance, moments


def spread(rng, d):
    """A covariance with eigenvalues of very different size."""
    vectors = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return vectors @ np.diag(np.logspace(-3, 2, d)) @ vectors.T


def brute(a, b):
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
    assert value == pytest.approx(brute(a, b), rel=1e-9)
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


def test_clear_errors(rng):
    x = rng.normal(size=(20, 3))
    with pytest.raises(ValueError, match="one extractor"):
        frechet_distance(x, rng.normal(size=(20, 4)))
    with pytest.raises(ValueError, match="Expected b to be finite numbers"):
        frechet_distance(x, x[:1])
    with pytest.raises(ValueError, match="no NaN"):
        moments(np.full([3, 3], np.nan))
    with pytest.raises(ValueError, match=r"covariance \[d, d\]"):
        frechet_distance(x, Moments(np.zeros(3), np.eye(4)))
    with pytest.raises(ValueError, match="eigenvalue -1"):
        frechet_distance(x, Moments(np.zeros(3), np.diag([1.0, 1.0, -1.0])))
