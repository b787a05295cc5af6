"""CORAL, on features of known moments."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import coral, coral_accuracy


def features(rng, n=4000):
    """Of a source and a target with other means and covariances, of variances far above 1."""
    mixed = [rng.normal(size=(n, 3)) @ rng.normal(0, 30, (3, 3)) for _ in range(2)]
    return mixed[0] + [10.0, -20.0, 5.0], mixed[1] + [-40.0, 0.0, 60.0]


def test_aligned_features_have_the_moments_of_the_target():
    source, target = features(np.random.default_rng(0))
    found = coral(source, target)
    np.testing.assert_allclose(found.mean(0), target.mean(0), atol=1e-6)
    covariances = [np.cov(values, rowvar=False) for values in (found, target)]
    # But for the 1 that is added to the variances.
    np.testing.assert_allclose(*covariances, rtol=0.1, atol=5)
    each = coral(source, target, covariance=False)
    np.testing.assert_allclose(each.mean(0), target.mean(0), atol=1e-6)
    np.testing.assert_allclose(each.var(0), target.var(0), rtol=0.01)
    same = coral(source, source)
    np.testing.assert_allclose(same, source, atol=1e-6)


def test_a_shifted_and_stretched_target_is_named_right():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    centers = 20 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    source = centers[labels] + rng.normal(size=(300, 2))
    target = [3.0, -2.0] * (centers[labels] + rng.normal(size=(300, 2))) + 100
    arrays = source, labels, target, target, labels
    assert coral_accuracy(*arrays, covariance=False) < 0.9  # the flip is not undone
    stretched = [3.0, 2.0] * (centers[labels] + rng.normal(size=(300, 2))) + 100
    assert coral_accuracy(source, labels, stretched, stretched, labels) == pytest.approx(1.0)
