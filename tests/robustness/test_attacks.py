"""Attacks, on classifiers whose worst case is known, and a reference written by hand."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import schedules
from keras_gen.networks import conv_classifier
from keras_gen.robustness import BIM, FGSM, PGD, robust_accuracy
from keras_gen.robustness.attacks import unit
from keras_gen.workshop.baselines import thresholded
from shared import linear_classifier

SHAPE = (3, 2, 1)


def curved(seed=0):
    """A network whose loss is not linear."""
    keras.utils.set_random_seed(seed)
    hidden = keras.layers.Dense(5, activation="tanh")
    layers = [keras.Input(SHAPE), keras.layers.Flatten(), hidden, keras.layers.Dense(3)]
    return keras.Sequential(layers)


def examples(n=4, low=0.3, high=0.7):
    rng = np.random.default_rng(0)
    return rng.uniform(low, high, (n, *SHAPE)).astype("float32"), np.arange(n) % 2


STEPS = [attack(0.1, steps=n) for attack in (BIM, PGD) for n in (3, 10, 60)]


@pytest.mark.parametrize(
    "attack",
    [FGSM(0.1), BIM(0.1), *(pytest.param(each, marks=pytest.mark.thorough) for each in STEPS)],
)
def test_the_worst_case_of_a_linear_classifier_is_a_corner(attack):
    kernel = np.array([1.0, -2.0, 3.0, -0.5, 2.5, -1.0])
    x, labels = examples()
    found = attack(linear_classifier(SHAPE, kernel), x, labels)
    # Class 1 is made less likely by steps against w, class 0 by steps along it.
    sign = np.where(labels, -1.0, 1.0)[:, None] * np.sign(kernel)
    np.testing.assert_allclose(found - x, 0.1 * sign.reshape(x.shape), atol=1e-6)
    targeted = dataclasses.replace(attack, targeted=True)(
        linear_classifier(SHAPE, kernel), x, labels
    )
    np.testing.assert_allclose(targeted - x, -0.1 * sign.reshape(x.shape), atol=1e-6)


@pytest.mark.parametrize(
    "attack", [FGSM(0.2, "2"), BIM(0.2, "2"), PGD(0.2, "2", steps=80, relative_step=0.2)]
)
def test_the_worst_case_in_a_round_ball_is_along_the_weights(attack):
    kernel = np.array([1.0, -2.0, 3.0, -0.5, 2.5, -1.0])
    x, labels = examples()
    found = attack(linear_classifier(SHAPE, kernel), x, labels)
    sign = np.where(labels, -1.0, 1.0)[:, None]
    direction = sign * kernel / np.linalg.norm(kernel)
    np.testing.assert_allclose(found - x, 0.2 * direction.reshape(x.shape), atol=2e-3)


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_equals_steps_written_by_hand(norm):
    network = curved()
    x, labels = examples(low=0.0, high=1.0)
    epsilon, steps, length = 0.25, 4, 0.25 * 0.4
    attack = PGD(epsilon, norm, steps=steps, relative_step=0.4, random_start=False)
    first, second = (layer.get_weights() for layer in network.layers if layer.weights)
    values = x.reshape(4, 6).astype("float64")
    start = values.copy()
    for _ in range(steps):
        hidden = np.tanh(values @ first[0] + first[1])
        logits = hidden @ second[0] + second[1]
        probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        error = probabilities - np.eye(3)[labels]
        slope = ((error @ second[0].T) * (1 - hidden**2)) @ first[0].T
        if norm == "inf":
            values = values + length * np.sign(slope)
            values = start + np.clip(values - start, -epsilon, epsilon)
        else:
            values = values + length * slope / np.linalg.norm(slope, axis=1, keepdims=True)
            change = values - start
            norms = np.linalg.norm(change, axis=1, keepdims=True)
            values = start + change * np.minimum(1, epsilon / norms)
        values = np.clip(values, 0, 1)
    found = attack(network, x, labels)
    np.testing.assert_allclose(found.reshape(4, 6), values, atol=1e-5)


def test_a_network_that_changed_is_attacked_as_it_is():
    x, labels = examples()
    kernels = {"first": np.ones(6), "second": -np.ones(6)}
    networks = {name: linear_classifier(SHAPE, kernel) for name, kernel in kernels.items()}
    now = "first"

    def network(values, training=False):
        return networks[now](values)

    for now in kernels:
        found = FGSM(0.1)(network, x, labels, bounds=(0, 1))
        expected = FGSM(0.1)(networks[now], x, labels, bounds=(0, 1))
        np.testing.assert_array_equal(found, expected)


def test_random_starts_fill_the_ball_and_follow_the_seed():
    flat = tf.zeros([500, 4, 4, 1])
    for norm, size in (("inf", lambda c: np.abs(c).max((1, 2, 3))),
                       ("2", lambda c: np.sqrt((c**2).sum((1, 2, 3))))):  # fmt: skip
        attack = PGD(0.3, norm)
        drawn = attack.draw(flat, tf.constant([1, 2], tf.int64), 0.3).numpy()
        sizes = size(drawn)
        assert sizes.max() <= 0.3 + 1e-6 and sizes.min() > 0.1
        # Uniform in a ball of 16 dimensions: the median radius is 0.3 / 2^(1/16).
        assert np.median(sizes) == pytest.approx(0.3 * 0.5 ** (1 / 16), rel=0.02)
        assert abs(drawn.mean()) < 0.01
    x, labels = examples()
    attack, network = PGD(0.2, steps=1, relative_step=1.0), curved()
    one, same, other = (attack(network, x, labels, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_uint8_other_bounds_and_networks_with_several_outputs():
    classifier = conv_classifier(channels=1, outputs=2, widths=(2,))
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), "uint8")
    found = FGSM(20.0)(classifier, images, np.array([0, 1, 0]), bounds=(0.0, 255.0))
    assert 0 <= found.min() and found.max() <= 255
    change = np.abs(found - images)
    assert change.max() == pytest.approx(20.0, abs=1e-3) and change.mean() > 10


def test_the_worst_of_several_attacks_counts_for_each_example():
    network = linear_classifier(SHAPE, [1.0, 0, 0, 0, 0, 0])
    x = np.zeros((4, *SHAPE), "float32")
    x[:, 0, 0, 0] = [0.05, 0.15, 0.35, 0.6]
    found = robust_accuracy(
        network, x, np.ones(4, int), {"far": FGSM(0.2), "round": BIM(0.4, "2"), "near": FGSM(0.1)}
    )
    # At the logit 0 the first class is named.
    assert found == {"clean": 1.0, "near": 0.75, "far": 0.5, "round": 0.25, "worst": 0.25}


def test_a_threshold_stops_attacks_that_do_not_know_it():
    network = linear_classifier(SHAPE, [3.0, -3.0, 0, 0, 0, 0])
    x = np.zeros((1, *SHAPE), "float32")
    x[0, 0, :, 0] = 0.8, 0.4
    labels = np.ones(1, int)
    defended = thresholded(network)
    assert float(defended(x)[0, 1]) == 3.0
    adaptive = FGSM(0.35)(defended, x, labels)
    np.testing.assert_allclose(adaptive[0, 0, :, 0], [0.45, 0.75], atol=1e-6)
    assert robust_accuracy(defended, x, labels, {"fgsm": FGSM(0.35)})["worst"] == 0.0
    assert robust_accuracy(defended, x, labels, {"fgsm": FGSM(0.05)})["worst"] == 1.0


def test_a_network_that_is_sure_of_itself_is_attacked_as_any():
    """Where the gradient of the cross-entropy is 0 in float32, as of logits times a thousand."""
    kernel = np.array([1.0, -2.0, 3.0, -0.5, 2.5, -1.0])
    x, labels = examples(12)
    network = linear_classifier(SHAPE, 1000 * kernel)
    labels = network(x).numpy().argmax(axis=1)
    found = FGSM(0.1)(network, x, labels)
    sign = np.where(labels, -1.0, 1.0)[:, None] * np.sign(kernel)
    np.testing.assert_allclose(found - x, 0.1 * sign.reshape(x.shape), atol=1e-6)


def test_a_change_of_less_than_half_a_level_is_mentioned():
    network = linear_classifier(SHAPE, np.ones(6) / 255)
    x, labels = examples()
    with pytest.warns(
        UserWarning, match="epsilon is 0.1, less than half a level for inputs from 0"
    ):
        FGSM(0.1)(network, 255 * x, labels, bounds=(0.0, 255.0))


def test_an_attack_that_moves_nothing_says_so():
    network = linear_classifier(SHAPE, np.zeros(6))
    x, labels = examples()
    with pytest.warns(UserWarning, match="FGSM changed no example: the loss has no gradient"):
        np.testing.assert_array_equal(FGSM(0.1)(network, x, labels), x)


def test_labels_in_a_column_are_labels():
    x, labels = examples(12)
    network = linear_classifier(SHAPE, [3.0, -3.0, 0, 0, 0, 0])
    labels = network(x).numpy().argmax(axis=1)
    assert len(set(labels)) == 2
    one, column = (
        robust_accuracy(network, x, y, {"a": FGSM(0.1)}) for y in (labels, labels[:, None])
    )
    assert one == column and one["clean"] == 1.0
    for bad in (np.eye(2)[labels], labels + 0.5):
        with pytest.raises(ValueError, match="expected classes as integers"):
            robust_accuracy(network, x, bad, {"a": FGSM(0.1)})
    with pytest.raises(ValueError, match="There are 12 images and 11 labels"):
        FGSM(0.1)(network, x, labels[1:])


def test_a_network_of_another_range_is_recognized_by_its_accuracy():
    """Of floats in [0, 1], and of uint8, which become the bounds: the network takes 0 to 255."""
    x, _ = examples(40, 0.0, 1.0)
    head = keras.layers.Dense(2)
    layers = [keras.Input(SHAPE), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), head]
    network = keras.Sequential(layers)
    kernel = np.array([3.0, -3.0, 1.0, -1.0, 0.5, -0.4])
    # Of numbers near 0 it always names class 0.
    head.set_weights([np.stack([np.zeros(6), kernel], 1), np.array([0.05, 0.0])])
    labels = (x.reshape(40, 6) @ kernel > 0).astype(int)
    levels = np.round(255 * x).astype("uint8")
    way_out = r"to 1, .* but [01]\.\d+ with inputs from 0 to 255: pass bounds=\(0\.0, 255"
    for images in (x, levels):
        with pytest.raises(ValueError, match=way_out):
            robust_accuracy(network, images, labels, {"a": FGSM(0.1)})
        with pytest.raises(ValueError, match=way_out):
            FGSM(0.1)(network, images, labels)
    # Given bounds are taken: trained by FGSM, a network may name more in another range.
    assert robust_accuracy(network, x, labels, {}, bounds=(0.0, 1.0))["clean"] < 0.7
    own = (network(levels.astype("float32")).numpy().argmax(axis=1) == labels).mean()
    found = robust_accuracy(network, levels, labels, {"a": FGSM(50.0)}, bounds=(0, 255))
    assert found["clean"] == pytest.approx(own) and found["worst"] < own


def test_no_accuracy_without_an_attack():
    x, labels = examples()
    network = curved()
    with pytest.raises(ValueError, match="The attack 'pgd' is targeted"):
        robust_accuracy(network, x, labels, {"pgd": PGD(0.1, targeted=True)})
    for none in (x[:0], x[:0].astype("uint8")):
        with pytest.raises(ValueError, match=r"shape \(0, .* expected at least one example"):
            FGSM(0.1)(network, none, labels[:0])
    with pytest.raises(ValueError, match="logits contain NaN"):
        robust_accuracy(lambda v, training: np.nan * network(v), x, labels, {})


def test_lengths_of_small_gradients():
    values = tf.constant([[[3e-30, 4e-30]], [[0.0, 0.0]]])
    np.testing.assert_allclose(unit(values), [[[0.6, 0.8]], [[0, 0]]], rtol=1e-6)


def test_what_cannot_be_attacked():
    x, labels = examples()
    network = curved()
    few = PGD(0.1, steps=10, relative_step=1 / 30)
    with pytest.warns(
        UserWarning, match=r"^PGD takes 10 steps of 0\.0333333 .* cover only 0\.33 of the"
    ):
        few(network, x, labels)
    with pytest.raises(ValueError, match=r"epsilon is 8, but the inputs range from 0 to 1"):
        FGSM(8.0)(network, x, labels)
    with pytest.raises(ValueError, match=r"labels range from 0 to 3: expected classes from 0 to 2"):
        FGSM(0.1)(network, x, np.array([0, 1, 2, 3]))
    with pytest.raises(ValueError, match=r"images range from .* Pass the network's input range"):
        FGSM(0.1)(network, 2 * x, labels)
    one = keras.Sequential([network, keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"shape \[n, 1\]: expected .* at least two"):
        FGSM(0.1)(one, x, labels)
    sure = keras.Sequential([network, keras.layers.Softmax()])
    with pytest.raises(ValueError, match="outputs are probabilities"):
        FGSM(0.1)(sure, x, labels)
    with pytest.raises(ValueError, match="no gradient with respect to the input"):
        FGSM(0.1)(lambda v, training: network(tf.cast(tf.cast(v, "int32"), "float32")), x, labels)
    assert schedules.final(PGD(schedules.Linear(0.0, 0.2, steps=5)).epsilon) == 0.2
