"""Adversarial training and VAT, by their formulas."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from keras_gen.core.schedules import Linear
from keras_gen.layers import Dropout
from keras_gen.networks import mlp_encoder
from keras_gen.robustness import FGSM, PGD, VAT, AdversarialTraining

SHAPE = (4, 4, 1)


def networks():
    return mlp_encoder(SHAPE, 5, (6,)), mlp_encoder((5,), 3, (), name="classifier")


def examples(n=6):
    rng = np.random.default_rng(0)
    return rng.uniform(0.3, 0.7, (n, *SHAPE)).astype("float32"), rng.integers(0, 3, n)


def cross_entropy(logits, labels):
    return -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]


def test_it_learns_from_the_examples_of_the_attack():
    x, labels = examples()
    model = AdversarialTraining(*networks(), FGSM(0.1), clean_fraction=0.25)
    model.compile(keras.optimizers.SGD(0.0))
    attacked = FGSM(0.1)(model, x, labels)
    clean = cross_entropy(model.classify(x), labels).mean()
    worse = cross_entropy(model.classify(attacked), labels).mean()
    logs = model.train_step((x, labels))
    assert worse > clean + 0.01
    assert float(logs["loss"]) == pytest.approx(0.75 * worse + 0.25 * clean, rel=1e-5)
    found = model.evaluate(x, labels, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(clean, rel=1e-5)


def test_vectors_are_not_clipped():
    """Of a linear model, the worst change lowers each margin by epsilon times the 1-norm."""
    encoder, classifier = mlp_encoder((4,), 3, ()), mlp_encoder((3,), 2, (), name="classifier")
    model = AdversarialTraining(encoder, classifier, FGSM(0.5))
    model.compile(keras.optimizers.SGD(0.0))
    rng = np.random.default_rng(0)
    x, labels = 3 * rng.normal(size=(8, 4)).astype("float32"), rng.integers(0, 2, 8)
    weights = encoder.get_weights()[0] @ classifier.get_weights()[0]
    norm = np.abs(weights[:, 1] - weights[:, 0]).sum()
    logits = model.classify(x)
    margins = (2 * labels - 1) * (logits[:, 1] - logits[:, 0])
    logs = model.train_step((x, labels))
    expected = np.logaddexp(0, 0.5 * norm - margins).mean()
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-5)


def test_epsilon_grows_with_the_steps():
    x, labels = examples()
    attack = PGD(Linear(0.0, 0.2, steps=4), steps=3, relative_step=0.5, random_start=False)
    model = AdversarialTraining(*networks(), attack)
    model.compile(keras.optimizers.SGD(0.0))
    losses = [float(model.train_step((x, labels))["loss"])]
    for _ in range(5):
        model.reset_metrics()
        losses.append(float(model.train_step((x, labels))["loss"]))
    clean = cross_entropy(model.classify(x), labels).mean()
    assert losses[0] == pytest.approx(clean, rel=1e-5)
    assert losses[:5] == sorted(set(losses[:5]))
    assert losses[4] == pytest.approx(losses[5], rel=1e-5)


def test_vat_changes_the_answer_most_in_its_direction():
    x, _ = examples()
    model = VAT(*networks(), epsilon=0.05, iterations=40)
    logits = model.classify(x)
    change = model.worst_change(tf.constant(x), tf.constant(logits)).numpy()
    flat = change.reshape(len(x), -1)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 0.05, rtol=1e-5)

    def divergence(change):
        other = model.classify(np.clip(x + change, 0, 1))
        p = softmax(logits, axis=1)
        return (p * (log_softmax(logits, axis=1) - log_softmax(other, axis=1))).sum(1)

    # The largest eigenvector of J^T F J, where J is the Jacobian and F Fisher's information.
    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        outputs = model(inputs)
    jacobian = tape.batch_jacobian(outputs, inputs).numpy().reshape(len(x), 3, -1)
    for row, p, found in zip(jacobian, softmax(logits, axis=1), flat, strict=True):
        fisher = np.diag(p) - np.outer(p, p)
        _, vectors = np.linalg.eigh(row.T @ fisher @ row)
        assert abs(vectors[:, -1] @ found) / 0.05 == pytest.approx(1, abs=0.02)
    random = np.random.default_rng(1).normal(size=x.shape)
    random *= 0.05 / np.sqrt((random**2).sum((1, 2, 3), keepdims=True))
    assert (divergence(change) > divergence(random)).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_does_not_round_the_direction_away(policy):
    def networks():
        return mlp_encoder((28, 28, 1), 5, (6,)), mlp_encoder((5,), 3, (), name="classifier")

    keras.utils.set_random_seed(2)
    x = np.random.default_rng(2).uniform(0, 1, (50, 28, 28, 1)).astype("float32")
    weights = [2 * values for values in VAT(*networks()).get_weights()]
    found = []
    for name in ("float32", policy):
        keras.config.set_dtype_policy(name)
        try:
            model = VAT(*networks())
        finally:
            keras.config.set_dtype_policy("float32")
        model.set_weights(weights)
        change = model.worst_change(tf.constant(x), model.logits(x)).numpy().reshape(50, -1)
        found.append(change / model.epsilon)
    # At the length that float32 takes the median is 0 in bfloat16.
    assert np.median(np.sum(found[0] * found[1], axis=1)) > 0.99


@pytest.mark.parametrize("layer", [Dropout(0.5, seed=1), keras.layers.Dropout(0.5, seed=1)])
def test_both_answers_of_vat_drop_the_same_out(layer):
    """Else the masks' difference, and not the change of x, would be what is made smooth."""
    x, labels = examples()
    encoder, classifier = networks()
    dropping = keras.Model(encoder.inputs, layer(encoder.outputs[0]))
    model = VAT(dropping, classifier, epsilon=1e-6)
    model.compile(keras.optimizers.SGD(0.0))
    for _ in range(2):
        assert float(model.train_step((x, labels))["smoothness_loss"]) < 1e-6


def test_the_direction_of_vat_is_held():
    """Its own slope by the weights is not part of that of eq. (7)."""
    x, labels = examples()
    x, model = tf.constant(x), VAT(*networks(), epsilon=0.5)
    answer = model.logits(x)
    change = model.worst_change(x, answer)
    kernel = model.encoder.trainable_variables[0].value
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(kernel)
        found = model.terms(dict(x=x, labels=tf.constant(labels, tf.int32)))["smoothness"]
        expected = model.divergence(x + change, answer)
    slope = tape.gradient(expected, kernel)
    np.testing.assert_allclose(tape.gradient(found, kernel), slope, atol=1e-6)
    assert np.abs(slope).max() > 1e-3


def test_losses_of_vat():
    x, labels = examples()
    some = np.where(np.arange(6) < 3, labels, -1)
    model = VAT(*networks(), epsilon=0.5, weight=2.0, entropy_weight=0.5)
    model.compile(keras.optimizers.SGD(0.0))
    logs = {name: float(value) for name, value in model.train_step((x, some)).items()}
    logits = model.classify(x)
    entropy = -(softmax(logits, axis=1) * log_softmax(logits, axis=1)).sum(1).mean()
    classification = cross_entropy(logits[:3], labels[:3]).sum() / 6
    assert logs["entropy_loss"] == pytest.approx(entropy, rel=1e-5)
    assert logs["classification_loss"] == pytest.approx(classification, rel=1e-5)
    total = classification + 2 * logs["smoothness_loss"] + 0.5 * entropy
    assert logs["loss"] == pytest.approx(total, rel=1e-5) and logs["smoothness_loss"] > 0


def test_what_is_out_of_range():
    with pytest.raises(ValueError, match="Unknown attack 'cw': pass one of the names apgd, bim"):
        AdversarialTraining(*networks(), "cw")
    with pytest.raises(ValueError, match="epsilon is 2, but the inputs range from 0 to 1"):
        AdversarialTraining(*networks(), FGSM(Linear(0.0, 2.0, steps=3)))
    with pytest.raises(ValueError, match="The attack is targeted"):
        AdversarialTraining(*networks(), FGSM(0.1, targeted=True))
