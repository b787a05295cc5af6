"""Class densities of a conditional flow against Gaussians, and Bayes' rule."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.flows import ConditionalFlow, Flow
from keras_gen.layers.flows import ConditionalAffine
from keras_gen.networks import coupling_flow

MEANS = np.array([[0.0, 0.0], [3.0, -1.0], [-2.0, 2.0]])
DEVIATIONS = np.array([[1.0, 0.5], [0.5, 2.0], [1.5, 1.0]])
LABELS = np.array([2, 0, 1, 1, 2])


def gaussians():
    """Every class has a normal distribution: the couplings change nothing yet."""
    model = ConditionalFlow(coupling_flow((2,), steps=2, hidden=(3,), condition_dim=3), classes=3)
    last = model.flow.steps[-1]
    assert isinstance(last, ConditionalAffine)
    zeros = np.zeros(2)
    last.network.set_weights([MEANS, zeros, np.log(DEVIATIONS), zeros])
    return model


def log_densities(x):
    """log N(x; mean, deviation^2) of each class, `[n, classes]`."""
    return stats.norm.logpdf(x[:, None], MEANS, DEVIATIONS).sum(axis=-1)


def test_class_densities_are_those_of_gaussians(rng):
    model = gaussians()
    x = rng.normal(size=(5, 2))
    expected = log_densities(x)[np.arange(5), LABELS]
    np.testing.assert_allclose(model.log_prob(x, LABELS), expected, rtol=1e-5)
    latents = model.encode(x, LABELS)
    np.testing.assert_allclose(latents, (x - MEANS[LABELS]) / DEVIATIONS[LABELS], rtol=1e-4)
    np.testing.assert_allclose(model.decode(latents, LABELS), x, rtol=1e-4)
    # The same latents as another class: the same place within its distribution.
    others = (LABELS + 1) % 3
    expected = MEANS[others] + DEVIATIONS[others] * latents
    np.testing.assert_allclose(model.decode(latents, others), expected, rtol=1e-4)


def test_classes_are_counted_and_have_their_priors(rng):
    model = gaussians()
    x = tf.constant(rng.normal(size=(5, 2)), tf.float32)
    model.class_counts.assign([2, 4, 4])
    logits = ConditionalFlow.classify.function(model, x=x)["logits"]
    expected = log_densities(x.numpy()) + np.log(np.array([3, 5, 5]) / 13)
    np.testing.assert_allclose(logits, expected, rtol=1e-4)
    model.compile(keras.optimizers.SGD(0.0))
    model.train_step((x, LABELS))
    np.testing.assert_array_equal(model.class_counts, [3, 6, 6])


@pytest.mark.thorough
def test_classes_follow_bayes_rule_with_the_priors_of_the_training(rng):
    model = gaussians()
    x = rng.normal(size=(5, 2)).astype("float32")
    np.testing.assert_allclose(model.classify(x), log_densities(x) - np.log(3), rtol=1e-4)
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(x, LABELS, batch_size=2, epochs=2, verbose=0)
    model.evaluate(x, LABELS, verbose=0)
    np.testing.assert_array_equal(model.class_counts, [2, 4, 4])
    # Other parts of the flow have seen their first batch: densities as the model has them.
    each = [model.log_prob(x, np.full(5, label)) for label in range(3)]
    joint = np.stack(each, axis=1) + np.log(np.array([3, 5, 5]) / 13)
    np.testing.assert_allclose(model.classify(x), joint, rtol=1e-4, atol=1e-5)
    labels = model.drawn_labels(2000, tf.constant([0, 1], tf.int64), classes=3)
    counts = np.bincount(labels, minlength=3)
    np.testing.assert_allclose(counts / 2000, np.array([3, 5, 5]) / 13, atol=0.04)


def test_samples_are_of_the_class_that_is_asked_for():
    model = gaussians()
    drawn = model.sample(2000, seed=1, label=1, batch_size=2000)
    np.testing.assert_allclose(drawn.mean(axis=0), MEANS[1], atol=0.15)
    np.testing.assert_allclose(drawn.std(axis=0), DEVIATIONS[1], rtol=0.1)
    mode = model.sample(3, seed=1, label=[0, 1, 2], temperature=0.0)
    np.testing.assert_allclose(mode, MEANS, atol=1e-5)


@pytest.mark.thorough
def test_vectors_are_conditions_in_their_own_units(rng):
    """x = 3 + 100 c and noise: a linear table of the condition says it all."""
    conditions = rng.normal(50, 10, (400, 1))
    rows = 3 + 100 * conditions + rng.normal(0, 1, (400, 2))
    model = ConditionalFlow.for_vectors(2, conditions=1, steps=2, hidden=(8,))
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(rows, conditions, batch_size=50, epochs=10, verbose=0)
    drawn = model.sample(200, seed=1, condition=[[60.0]])
    assert np.abs(drawn.mean(axis=0) - 6003).max() < 200 and rows.std() > 800
    assert "classify" not in model.signatures()
    with pytest.raises(ValueError, match="conditions of this ConditionalFlow are vectors"):
        model.classify(rows)


@pytest.mark.thorough
def test_images_of_classes(rng):
    model = ConditionalFlow.for_images((2, 2, 1), classes=2, steps=2, hidden=(3,), seed=1)
    images = rng.integers(0, 256, (4, 2, 2, 1), dtype="uint8")
    labels = np.array([0, 1, 0, 1])
    np.testing.assert_array_equal(model.decode(model.encode(images, labels), labels), images)
    path = model.interpolate(images[:2], images[2:], steps=3, labels=labels[:2])
    np.testing.assert_array_equal(path[:, 0], images[:2])
    joint = model.classify(images)[np.arange(4), labels]
    np.testing.assert_allclose(joint, model.log_prob(images, labels) + np.log(0.5), rtol=1e-5)


def test_flows_with_and_without_a_condition_are_told_apart():
    plain = coupling_flow((2,), steps=1, hidden=(2,))
    conditional = coupling_flow((2,), steps=1, hidden=(2,), condition_dim=3)
    with pytest.raises(ValueError, match=r"shape \(3,\): expected no conditions. .*Conditional"):
        Flow(conditional)
    with pytest.raises(ValueError, match="flow accepts conditions of shape None: expected vectors"):
        ConditionalFlow(plain, classes=3)
    with pytest.raises(ValueError, match=r"shape \(3,\): expected \(2,\), one number per class"):
        ConditionalFlow(conditional, classes=2)
    with pytest.raises(ValueError, match="classes is None and conditions is None: expected"):
        ConditionalFlow.for_vectors(3)
