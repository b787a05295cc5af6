"""Classifiers on codes that hold the labels, or do not."""

import keras
import numpy as np
import pytest

from keras_gen.metrics import fine_tuned_error, linear_probe, transfer_report
from left_half import data, encoder


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


@pytest.mark.slow
def test_features_that_tell_the_classes_are_fine_tuned_and_others_are_not():
    parts, options = (data(200, 0), data(100, 1), data(400, 2)), dict(batch_size=50, epochs=5)
    good = fine_tuned_error(encoder(slice(0, 2)), *parts, learning_rate=0.1, **options)
    bad = fine_tuned_error(encoder(slice(2, 4)), *parts, **options)
    assert good["test_error"] == 0 and 40 < bad["test_error"] < 60
    assert good["epoch"] in range(1, 6) and bad["epoch"] in range(1, 6)


@pytest.mark.slow
def test_the_epoch_is_chosen_by_validation_and_nothing_else():
    """With the labels of validation turned round, the worst epoch is the best."""
    train, (images, labels), test = data(200, 0), data(100, 1), data(100, 2)
    options = dict(batch_size=100, epochs=8, learning_rate=0.02)
    right, wrong = (
        fine_tuned_error(encoder(slice(0, 4)), train, validation, test, **options)
        for validation in ((images, labels), (images, 1 - labels))
    )
    assert wrong["epoch"] < right["epoch"] and wrong["test_error"] > right["test_error"]


@pytest.mark.thorough
def test_fine_tuning_repeats_itself_and_leaves_the_encoder_alone():
    inputs = keras.Input((4, 4, 1))
    network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    before, parts = network.get_weights(), (data(40, 0), data(20, 1), data(100, 2))
    found = [fine_tuned_error(network, *parts, batch_size=20, epochs=2) for _ in range(2)]
    assert found[0] == found[1]
    np.testing.assert_equal(network.get_weights(), before)


@pytest.mark.thorough
def test_there_are_as_many_classes_as_labels():
    images, labels = data(12, 0)
    part = images, labels + 10
    found = fine_tuned_error(encoder(slice(0, 2)), part, part, part, epochs=1)
    assert 0 <= found["test_error"] <= 100


@pytest.mark.slow
def test_features_that_tell_the_classes_serve_a_new_task():
    train, test = data(300, 0), data(400, 1)
    good = transfer_report(encoder(slice(0, 2)), train, test, 150, draws=1, epochs=150)
    bad = transfer_report(encoder(slice(2, 4)), train, test, draws=2, epochs=2)
    assert good["probed"] == 1 and good["tuned"] > 0.95
    assert abs(bad["probed"] - 0.5) < 0.1 and abs(bad["tuned"] - 0.5) < 0.1
    assert "probed_error" not in good and bad["probed_error"] > 0


@pytest.mark.thorough
def test_transfer_repeats_itself_and_leaves_the_encoder_alone():
    inputs = keras.Input((4, 4, 1))
    network = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    before, (train, test) = network.get_weights(), (data(40, 0), data(100, 1))
    options = dict(labels_per_class=10, draws=1, epochs=2)
    reports = [transfer_report(network, train, test, **options) for _ in range(2)]
    assert reports[0] == reports[1] and reports[0].keys() == {"tuned", "probed"}
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
