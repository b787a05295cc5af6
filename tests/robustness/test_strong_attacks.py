"""APGD and SquareAttack: known worst cases, their algorithms by hand, gradients that mislead."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.robustness import APGD, PGD, SquareAttack, robust_accuracy
from keras_gen.robustness.adversarial_training import attack_of
from keras_gen.robustness.apgd import LOSSES, _checkpoints, _rival_difference, _rivals
from shared import linear_classifier

SHAPE = (3, 2, 1)
KERNEL = np.array([1.0, -2.0, 3.0, -0.5, 2.5, -1.0])
STRONG = [APGD(0.1, steps=20), APGD(0.1, steps=20, loss="margin"), SquareAttack(0.1, queries=200)]


def examples(n=4, low=0.3, high=0.7):
    rng = np.random.default_rng(0)
    return rng.uniform(low, high, (n, *SHAPE)).astype("float32"), np.arange(n) % 2


def network_of(hidden, last):
    """A network of these weights, of tanh and without biases."""
    first, second = (keras.layers.Dense(w.shape[1], use_bias=False) for w in (hidden, last))
    layers = [keras.Input(SHAPE), keras.layers.Flatten(), first, keras.layers.Activation("tanh")]
    network = keras.Sequential([*layers, second])
    network.set_weights([hidden, last])
    return network


@pytest.mark.thorough
@pytest.mark.parametrize("attack", STRONG)
def test_the_worst_case_of_a_linear_classifier_is_a_corner(attack):
    x, labels = examples()
    network = linear_classifier(SHAPE, KERNEL)
    found = attack(network, x, labels)
    # Class 1 is made less likely by steps against w, class 0 by steps along it.
    sign = np.where(labels, -1.0, 1.0)[:, None] * np.sign(KERNEL)
    np.testing.assert_allclose(found - x, 0.1 * sign.reshape(x.shape), atol=1e-6)
    # In the corners of the range where the ball reaches out of it.
    white = attack(network, np.ones_like(x), labels)
    np.testing.assert_allclose(white, 1 + 0.1 * np.minimum(sign, 0).reshape(x.shape), atol=1e-6)


def test_in_a_round_ball_it_is_along_the_weights():
    x, labels = examples()
    found = APGD(0.2, "2", steps=40)(linear_classifier(SHAPE, KERNEL), x, labels)
    sign = np.where(labels, -1.0, 1.0)[:, None]
    direction = sign * KERNEL / np.linalg.norm(KERNEL)
    np.testing.assert_allclose(found - x, 0.2 * direction.reshape(x.shape), atol=1e-4)


def test_targets_are_reached():
    x, _ = examples()
    network = linear_classifier(SHAPE, KERNEL)
    for attack in (APGD(0.5, loss="margin", targeted=True, steps=20),
                   SquareAttack(0.5, targeted=True, queries=50)):  # fmt: skip
        for label in (0, 1):
            found = attack(network, x, np.full(4, label))
            assert (network(found).numpy().argmax(axis=1) == label).all()


def test_apgd_equals_algorithm_1_written_by_hand():
    rng = np.random.default_rng(0)
    hidden, last = rng.normal(size=(6, 5)), rng.normal(size=(5, 4))
    x, labels = examples(low=0.0, high=1.0)
    epsilon, steps = 0.3, 15
    attack = APGD(epsilon, steps=steps, loss="margin")
    seed = tf.constant([3, 4], tf.int64)
    start = np.clip(x + attack.draw(tf.constant(x), seed, epsilon).numpy(), 0, 1)
    found = attack.on(network_of(hidden, last), (0.0, 1.0), tf.constant(x), labels, seed)

    def f(v, label):
        logits = np.tanh(v @ hidden) @ last
        other = np.where(np.arange(4) == label, -np.inf, logits).argmax()
        slope = (last[:, other] - last[:, label]) * (1 - np.tanh(v @ hidden) ** 2)
        return logits[other] - logits[label], hidden @ slope

    halvings = 0
    for index in range(4):
        center, label = x[index].ravel().astype("float64"), labels[index]

        def projected(v, center=center):
            return np.clip(np.clip(v, center - epsilon, center + epsilon), 0, 1)

        at = start[index].ravel().astype("float64")
        eta, last_at, best, best_loss = 2 * epsilon, at, at, f(at, label)[0]
        rises, checkpoint, then, changed = 0, 0, best_loss, False
        for k in range(steps):
            z = projected(at + eta * np.sign(f(at, label)[1]))
            new = z if k == 0 else projected(at + 0.75 * (z - at) + 0.25 * (at - last_at))
            rises += f(new, label)[0] > f(at, label)[0]
            if f(new, label)[0] > best_loss:
                best, best_loss = new, f(new, label)[0]
            last_at, at = at, new
            if k + 1 in (4, 7, 9, 10, 11, 12, 13, 14):  # of 15 steps
                few = rises < 0.75 * (k + 1 - checkpoint)
                stuck = not changed and then == best_loss
                changed = few or stuck
                if changed:
                    eta, at, halvings = eta / 2, best, halvings + 1
                rises, checkpoint, then = 0, k + 1, best_loss
        np.testing.assert_allclose(found[index].numpy().ravel(), best, atol=1e-5)
    assert halvings > 8


def test_checkpoints_are_those_of_the_paper():
    # p: .22, .41, .57, .70, .80, .87, .93, .99
    assert _checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_losses_by_their_formulas():
    logits = tf.constant([[3.0, 1.0, 0.5, -1.0], [2.0, 4.0, -2.0, 1.0]])
    labels = tf.constant([0, 0])
    np.testing.assert_allclose(LOSSES["margin"](logits, labels), [-2.0, 2.0])
    dlr = LOSSES["dlr"]
    np.testing.assert_allclose(dlr(logits, labels), [-2.0 / 2.5, 2.0 / 3.0])
    np.testing.assert_allclose(dlr(1000 * logits, labels), dlr(logits, labels))


def test_a_rival_is_the_class_that_is_to_win():
    logits = tf.constant([[3.0, 1.0, 0.5, -1.0], [2.0, 4.0, -2.0, 1.0]])
    labels = tf.constant([0, 0])
    np.testing.assert_array_equal(_rivals(logits, labels, 1), [1, 1])
    np.testing.assert_array_equal(_rivals(logits, labels, 3), [3, 2])
    ratio = _rival_difference(tf.constant([3, 2]))(logits, labels)
    np.testing.assert_allclose(ratio, [-4.0 / (3 - (0.5 - 1) / 2), -4.0 / (4 - (1 - 2) / 2)])

    network = network_of(np.eye(6), np.eye(6)[:, :4])
    x = np.array([[0.6, 0.5, 0.45, 0.4, 0, 0]], "float32").reshape(1, *SHAPE)
    found = APGD(0.2, steps=20, loss="dlr", rival=3)(network, x, np.array([0]))
    assert found[0, 0, 0, 0] == pytest.approx(0.4) and found[0, 1, 1, 0] > 0.5
    with pytest.raises(ValueError, match="rival is 4, but there are 4 classes: expected at most 3"):
        APGD(0.2, loss="dlr", rival=4)(network, x, np.array([0]))


def test_squares_change_a_network_whose_gradient_misleads():
    linear = linear_classifier(SHAPE, KERNEL)

    def masked(v, training=False):
        # Its value is that of the classifier, and its gradient points the other way.
        return linear(2 * tf.stop_gradient(v)) - linear(v)

    x, _ = examples(20)
    labels = linear(x).numpy().argmax(axis=1)
    attacks = {
        "pgd": PGD(0.3),
        "apgd": APGD(0.3, steps=20),
        "square": SquareAttack(0.3, queries=99),
    }
    found = robust_accuracy(masked, x, labels, attacks)
    margins = np.abs(x.reshape(20, 6) @ KERNEL)
    assert found["square"] == found["worst"] == (margins > 0.3 * np.abs(KERNEL).sum()).mean()
    assert found["pgd"] > found["square"] + 0.3 and found["apgd"] > found["square"] + 0.3


@pytest.mark.thorough
@pytest.mark.parametrize("attack", STRONG)
def test_changes_stay_in_the_ball_and_the_range_and_follow_the_seed(attack):
    rng = np.random.default_rng(1)
    network = network_of(3 * rng.normal(size=(6, 5)), rng.normal(size=(5, 4)))
    images = rng.integers(0, 256, (8, *SHAPE), "uint8")
    labels = network(images / 255).numpy().argmax(axis=1)
    one, same, other = (attack(network, images, labels, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.min() >= 0 and one.max() <= 1
    assert np.abs(one - images / 255).max() <= 0.1 + 1e-6
    # No example is less lost than it was.
    for found in (one, other):
        before, after = (LOSSES["margin"](network(v), labels) for v in (images / 255, found))
        assert (after > before).numpy().all()


@pytest.mark.thorough
def test_two_replicas_draw_the_squares_of_one_device():
    """Also of batches of unequal sizes: sums over replicas have no place inside a loop."""
    x, _ = examples(5)
    weights = tf.constant(KERNEL, tf.float32)[:, None]
    attack, seed = SquareAttack(0.2, queries=3), tf.constant([3, 4], tf.int64)

    def found(x):
        def loss_fn(values):
            return tf.reduce_sum(tf.reshape(values, [-1, 6]) @ weights, axis=1)

        return attack.changed(loss_fn, x, seed)

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    split = (x[:3], x[3:])

    @tf.function(autograph=False)
    def both():
        def of_replica(i):
            own = tf.cond(i == 0, lambda: split[0], lambda: split[1])
            return found(tf.ensure_shape(own, [None, *SHAPE]))

        places = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(context.replica_id_in_sync_group)
        )
        return strategy.run(of_replica, (places,))

    parts = strategy.experimental_local_results(both())
    np.testing.assert_allclose(np.concatenate(parts), found(tf.constant(x)), atol=1e-6)


def test_squares_shrink_by_the_papers_schedule():
    attack = SquareAttack(0.3, queries=10_000, fraction=0.8)
    at = (0, 10, 11, 50, 51, 200, 201, 1001, 2001, 4001, 6001, 8001)
    parts = (0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125)
    for query, part in zip(at, parts, strict=True):
        assert attack._side(query, 100, 80) == round(np.sqrt(part * 8000))
    assert attack._side(0, 100, 5) == 5 and attack._side(9999, 3, 3) == 1


def test_names_and_what_cannot_be():
    assert attack_of("apgd") == APGD() and attack_of("square") == SquareAttack()
    for attack in (APGD(0.2, loss="dlr", rival=2), SquareAttack(0.2, queries=5)):
        assert attack_of(keras.saving.serialize_keras_object(attack)) == attack
    with pytest.raises(ValueError, match="rival is 1, loss is 'margin'"):
        APGD(loss="margin", rival=1)
    with pytest.raises(ValueError, match="norm is '2': expected 'inf'"):
        SquareAttack(norm="2")
    x, labels = examples()
    network = linear_classifier(SHAPE, KERNEL)
    with pytest.raises(ValueError, match="There are 2 classes: expected at least 3 for this loss"):
        APGD(loss="dlr")(network, x, labels)
    flat = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="because the attack perturbs square regions"):
        SquareAttack()(flat, x.reshape(4, 6), labels)
