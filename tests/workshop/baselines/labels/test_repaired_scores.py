"""Repaired scores where the distributions of both values are known."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import RepairedScores


def shifted(rng, n):
    """Label and vector depend on a number whose mean differs by 2 between two values."""
    attributes = (rng.random(n) < 0.25).astype(int)
    vectors = rng.normal(size=(n, 1)) + 2 * attributes[:, None]
    labels = (vectors[:, 0] + rng.normal(size=n) > 1).astype(int)
    return vectors, labels, attributes


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    return shifted(rng, 6000), shifted(rng, 4000)


def test_distributions_become_alike(people):
    train, (vectors, _, attributes) = people
    rates = {}
    for part in (0.0, 0.5, 1.0):
        decided = RepairedScores(part).fit(*train)(vectors, attributes) > 0
        rates[part] = decided[attributes == 1].mean() - decided[attributes == 0].mean()
    # P(x + noise decides) > 1/2 where x > 1: .84 of one value, and .16 of the other.
    assert rates[0.0] == pytest.approx(0.68, abs=0.06)
    assert rates[0.0] - 0.1 > rates[0.5] > rates[1.0] + 0.1
    assert rates[1.0] == pytest.approx(0, abs=0.06)


def test_order_stays_within_a_value(people):
    train, (vectors, _, attributes) = people
    fitted = RepairedScores().fit(*train)
    scores = fitted.trees.decision_function(vectors)
    repaired = fitted(vectors, attributes)
    for value in (0, 1):
        order = np.argsort(scores[attributes == value])
        assert (np.diff(repaired[attributes == value][order]) >= -1e-9).all()


def test_no_repair_leaves_the_trees(people):
    train, (vectors, _, attributes) = people
    fitted = RepairedScores(part=0.0).fit(*train)
    np.testing.assert_allclose(fitted(vectors, attributes), fitted.trees.decision_function(vectors))


def test_errors():
    with pytest.raises(ValueError, match="part must be 0 to 1, found 2"):
        RepairedScores(2)
    with pytest.raises(ValueError, match="not fitted: call fit first"):
        RepairedScores()(np.zeros((1, 1)), np.zeros(1))
