"""Features and scores without an attribute, of vectors that are known to tell it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from keras_gen.workshop.baselines import LinearErasure, RepairedScores, reweighing


@pytest.mark.parametrize("values", [2, 3])
def test_erased_vectors_and_attribute_have_no_covariance(rng, values):
    attributes = rng.integers(0, values, 500)
    mixed = rng.normal(size=(5, 5))
    vectors = (rng.normal(size=(500, 5)) + np.eye(5)[attributes]) @ mixed + 3
    found = LinearErasure(vectors, attributes)(vectors)
    centered = found - found.mean(axis=0)
    indicators = np.eye(values)[attributes] - np.eye(values)[attributes].mean(axis=0)
    np.testing.assert_allclose(centered.T @ indicators / 500, 0, atol=1e-10)
    np.testing.assert_allclose(found.mean(axis=0), vectors.mean(axis=0), atol=1e-9)
    linear = LogisticRegression().fit(found, attributes)
    assert linear.score(found, attributes) == pytest.approx(np.bincount(attributes).max() / 500)


def test_erasure_is_a_projection_of_the_least_rank(rng):
    attributes = rng.integers(0, 2, 300)
    vectors = rng.normal(size=(300, 4)) + attributes[:, None] * [1.0, 0.0, 2.0, 0.0]
    # A column that is constant, and one that is the double of another.
    vectors = np.column_stack([vectors, np.full(300, 7.0), 2 * vectors[:, 1]])
    erasure = LinearErasure(vectors, attributes)
    found = erasure(vectors)
    np.testing.assert_allclose(erasure(found), found, atol=1e-9)
    assert np.linalg.matrix_rank(found - vectors, tol=1e-8) == 1
    np.testing.assert_array_equal(found[:, 4], 7.0)


@pytest.mark.parametrize(
    ("vectors", "attributes", "sentence"),
    [
        (np.eye(3), [0, 1], r"Expected attributes of shape \[3\], but found \[2\]"),
        (np.full((3, 2), np.nan), [0, 1, 1], "Expected vectors to be finite numbers"),
    ],
)
def test_vectors_without_attributes_are_refused(vectors, attributes, sentence):
    with pytest.raises(ValueError, match=sentence):
        LinearErasure(vectors, attributes)


def test_an_empty_column_stays_empty(rng):
    """Rounding errors in it would tell the attribute to a probe that standardizes."""
    attributes = rng.integers(0, 2, 300)
    vectors = rng.normal(size=(300, 60)) @ rng.normal(size=(60, 60))
    vectors += attributes[:, None] * rng.normal(size=60)
    vectors[:, ::3] = 0
    found = LinearErasure(vectors, attributes)(vectors)
    assert not found[:, ::3].any()


def test_under_the_weights_label_and_attribute_are_independent(rng):
    labels = rng.integers(0, 2, 200)
    attributes = np.where(rng.random(200) < 0.8, labels, 1 - labels)
    weights = reweighing(labels, attributes)
    assert weights.sum() == pytest.approx(200)
    for value in range(2):
        inside = attributes == value
        rate = np.average(labels[inside], weights=weights[inside])
        assert rate == pytest.approx(labels.mean())


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
