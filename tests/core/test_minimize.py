"""The one way in which weights are updated."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import apply_gradients, gradients, make_strategy, minimize, stateless
from shared import one_dense


def line(value=2.0):
    """y = w x + b with w = `value` and b = 0."""
    network = one_dense([[value]], [0.0])
    network.name = "line"
    return network


def built(optimizer, *networks):
    optimizer.build([v for network in networks for v in network.trainable_variables])
    return optimizer


def sgd(*networks, rate=0.1, **kwargs):
    return built(keras.optimizers.SGD(rate, **kwargs), *networks)


def values(network):
    return [float(np.squeeze(w)) for w in network.get_weights()]


X = tf.constant([[1.0], [3.0]])
way = pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])


def test_a_step_by_hand():
    network = line()

    def loss():
        return tf.reduce_sum(network(X) ** 2, -1)

    result = minimize(loss, sgd(network), network)
    np.testing.assert_allclose(result, [4.0, 36.0])
    # d/dw of the mean of (w x + b)^2 = mean of 2 w x^2 = 2 * 2 * (1 + 9) / 2 = 20; d/db = 8.
    np.testing.assert_allclose(values(network), [2 - 0.1 * 20, -0.1 * 8], rtol=1e-6)


def test_what_the_next_loss_can_use_is_handed_on():
    network = line()

    def loss():
        y = network(X)
        return tf.reduce_sum(y**2, -1), y

    value, y = minimize(loss, sgd(network), network)
    np.testing.assert_allclose(value, [4, 36])
    np.testing.assert_allclose(y, 2 * X)


def test_under_xla_the_checks_stay():
    """XLA itself leaves checks out."""
    results = []
    for xla in (False, True):
        network = line()
        optimizer = sgd(network)

        def loss(x, network=network):
            y = network(x)
            return tf.reduce_sum(y**2, -1), y

        @tf.function(input_signature=[tf.TensorSpec([None, 1])], autograph=False)
        def step(x, xla=xla, network=network, optimizer=optimizer, loss=loss):
            def squares():
                return loss(x)

            return minimize(squares, optimizer, network, xla=xla)

        results.append([*step(X), *network.get_weights()])
        before = values(network)
        with pytest.raises(tf.errors.InvalidArgumentError, match="not finite: squares"):
            step(X * np.nan)
        assert values(network) == before
    for plain, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-5)


def test_a_weight_without_gradient_is_named():
    network, idle = line(), line()
    idle.name = "idle"

    def critic_loss():
        return tf.reduce_sum(network(X), -1)

    with pytest.raises(ValueError, match=r"critic_loss does not depend on .*kernel: .* Freeze"):
        minimize(critic_loss, sgd(network, idle), network, idle)
    assert values(network) == [2, 0]


def test_a_frozen_network_is_refused():
    network = line()
    optimizer = sgd(network)
    network.trainable = False
    with pytest.raises(ValueError, match="nothing to update: expected trainable weights in line"):
        minimize(lambda: tf.reduce_sum(network(X), -1), optimizer, network)


@pytest.mark.thorough
@way
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_changes_nothing(graph, bad):
    network = line()
    optimizer = built(keras.optimizers.Adam(0.1, use_ema=True), network)
    factor = tf.Variable(bad)

    def generator_loss():
        return tf.reduce_sum(network(X), -1) * factor

    def step():
        return minimize(generator_loss, optimizer, network)

    step = tf.function(step) if graph else step
    before = [np.array(v) for v in optimizer.variables]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite: generator_loss "):
        step()
    assert values(network) == [2, 0]
    for old, new in zip(before, optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, new)
    factor.assign(1.0)  # and it can go on
    step()
    assert values(network) != [2, 0]


def test_loss_scaling_changes_no_step():
    plain, scaled = line(), line()
    minimize(lambda: tf.reduce_sum(plain(X) ** 2, -1), sgd(plain), plain)
    optimizer = built(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)), scaled)
    minimize(lambda: tf.reduce_sum(scaled(X) ** 2, -1), optimizer, scaled)
    np.testing.assert_allclose(values(plain), values(scaled), rtol=1e-6)


def test_a_weight_that_two_networks_share_takes_one_step():
    shared = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    a, b = (keras.Sequential([keras.Input((1,)), shared]) for _ in range(2))
    # The loss is the weight itself, so its gradient is 1.
    minimize(lambda: tf.reduce_sum(a(tf.ones([2, 1])), -1), sgd(a), a, b)
    assert values(shared) == [pytest.approx(0.9)]


class TestGradientsThatAreNotFinite:
    """The loss is finite: the root of 0 has an infinite slope, here times 0."""

    def minimizing(self, network, optimizer, graph):
        steep = tf.Variable(0.0)

        def critic_loss():
            y = tf.reduce_sum(network(X), -1)
            return y + steep * tf.sqrt(tf.abs(y - tf.stop_gradient(y)))

        def step():
            return minimize(critic_loss, optimizer, network)

        return (tf.function(step) if graph else step), steep

    @way
    def test_are_refused_and_change_nothing(self, graph):
        network = line()
        optimizer = built(keras.optimizers.Adam(0.1, use_ema=True), network)
        step, steep = self.minimizing(network, optimizer, graph)
        steep.assign(1.0)
        before = [np.array(v) for v in optimizer.variables]
        with pytest.raises(tf.errors.InvalidArgumentError, match="not finite: critic_loss's_grad"):
            step()
        assert values(network) == [2, 0]
        np.testing.assert_equal([np.array(v) for v in optimizer.variables], before)

    @way
    def test_skip_the_step_under_loss_scaling(self, graph):
        network = line()
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=4.0)
        step, steep = self.minimizing(network, built(scaled, network), graph)
        steep.assign(1.0)
        np.testing.assert_allclose(step(), [2, 6])
        assert values(network) == [2, 0] and float(scaled.dynamic_scale) == 2.0


def test_what_is_handed_on_waits_for_the_check():
    """State of the model is set from it, such as a codebook."""
    network, state = line(), tf.Variable(0.0)
    slow = tf.random.normal([400, 400])

    def loss():
        y = tf.reduce_sum(network(X), -1)
        wait = slow
        for _ in range(30):
            wait = tf.linalg.matmul(wait, slow) / 400
        return y + tf.reduce_sum(wait) * float("nan"), y

    @tf.function
    def step():
        _, y = minimize(loss, optimizer, network)
        state.assign(tf.reduce_sum(y))

    optimizer = sgd(network)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite: loss "):
        step()
    assert float(state) == 0


class TestHalves:
    def test_they_make_the_whole(self):
        whole, halves = line(), line()
        losses = [lambda n=network: tf.reduce_sum(n(X) ** 2, -1) for network in (whole, halves)]
        adams = [built(keras.optimizers.Adam(0.1), network) for network in (whole, halves)]
        for _ in range(3):
            minimize(losses[0], adams[0], whole)
            apply_gradients(adams[1], gradients(losses[1], adams[1], halves))
        assert values(whole) == values(halves) != [2, 0]
        for x, y in zip(adams[0].variables, adams[1].variables, strict=True):
            np.testing.assert_array_equal(x, y)

    @way
    def test_the_second_refuses_what_became_of_the_gradients_in_between(self, graph):
        network = line()
        optimizer = sgd(network)

        def step():
            found = gradients(lambda: tf.reduce_sum(network(X), -1), optimizer, network)
            nan = [g * float("nan") for g in found.values]
            apply_gradients(optimizer, dataclasses.replace(found, values=nan), name="field")

        with pytest.raises(tf.errors.InvalidArgumentError, match="not finite: field's_gradient"):
            (tf.function(step) if graph else step)()
        assert values(network) == [2, 0]


class TestStateless:
    WEIGHTS = [tf.constant([[3.0]]), tf.constant([1.0])]

    def normalizing(self):
        return keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization(momentum=0.5)])

    def test_other_weights_give_other_outputs_also_inside_another_block(self):
        network = line()
        with stateless(network, self.WEIGHTS):
            np.testing.assert_allclose(network(X), 3 * X + 1)
            with stateless():
                np.testing.assert_allclose(network(X), 3 * X + 1)
        with stateless():
            np.testing.assert_allclose(network(X), 2 * X)
        np.testing.assert_allclose(network(X), 2 * X)

    @pytest.mark.parametrize("own", [False, True])
    def test_gradients_flow_to_the_weights(self, own):
        network = line()
        with tf.GradientTape() as tape:
            tape.watch(self.WEIGHTS)
            with stateless() if own else stateless(network, self.WEIGHTS):
                y = tf.reduce_sum(network(X))
        given = [v.value for v in network.trainable_variables] if own else self.WEIGHTS
        assert [float(np.squeeze(g)) for g in tape.gradient(y, given)] == [4, 2]

    def test_moving_statistics_are_read_and_stay(self):
        network = self.normalizing()
        before = network.get_weights()
        network(X, training=True)
        moved = network.get_weights()
        assert not np.array_equal(before[2], moved[2])
        expected = network(X)
        # In training by the batch's own statistics, else by those that moved.
        with stateless():
            np.testing.assert_allclose(network(X), expected, rtol=1e-6)
            np.testing.assert_allclose(network(X, training=True), [[-1], [1]], atol=1e-3)
        np.testing.assert_equal(network.get_weights(), moved)

    def test_works_where_a_call_cannot_on_two_replicas(self):
        strategy = make_strategy("mirrored")
        with strategy.scope():
            network = self.normalizing()
        before = network.get_weights()

        def term():
            with stateless():
                return tf.reduce_sum(network(X, training=True) ** 2)

        @tf.function
        def step(due):
            parts = strategy.run(lambda: tf.cond(due, term, lambda: 0.0))
            return strategy.reduce("SUM", parts, axis=None)

        assert float(step(tf.constant(True))) == pytest.approx(4, rel=1e-2)
        assert float(step(tf.constant(False))) == 0
        np.testing.assert_equal(network.get_weights(), before)
