"""The one way in which weights are updated."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.training import batch_mean, global_mean, make_strategy, minimize


def line(value=2.0):
    """y = w x + b with w = `value` and b = 0."""
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)], name="line")
    network.layers[0].set_weights([np.array([[value]]), np.array([0.0])])
    return network


def sgd(network, rate=0.1):
    optimizer = keras.optimizers.SGD(rate)
    optimizer.build(network.trainable_variables)
    return optimizer


def values(network):
    return [float(np.squeeze(w)) for w in network.get_weights()]


X = tf.constant([[1.0], [3.0]])


def test_a_step_by_hand():
    network = line()

    def loss():
        return tf.reduce_sum(network(X) ** 2, -1)

    result = minimize(loss, sgd(network), network)
    np.testing.assert_allclose(result, [4.0, 36.0])
    # d/dw of the mean of (w x + b)^2 = mean of 2 w x^2 = 2 * 2 * (1 + 9) / 2 = 20; d/db = 8.
    np.testing.assert_allclose(values(network), [2 - 0.1 * 20, -0.1 * 8], rtol=1e-6)


def test_what_the_next_player_can_use_is_handed_on():
    network = line()

    def loss():
        y = network(X)
        return tf.reduce_sum(y**2, -1), y

    value, y = minimize(loss, sgd(network), network)
    np.testing.assert_allclose(value, [4, 36])
    np.testing.assert_allclose(y, 2 * X)


def test_other_networks_are_left_alone():
    network, other = line(), line(5.0)
    minimize(lambda: tf.reduce_sum(network(X) * other(X), -1), sgd(network), network)
    assert values(other) == [5, 0] and values(network) != [2, 0]


def test_several_networks_take_one_step_together():
    a, b = line(), line(3.0)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(a.trainable_variables + b.trainable_variables)
    minimize(lambda: tf.reduce_sum(a(X) + 2 * b(X), -1), optimizer, a, b)
    np.testing.assert_allclose(values(a) + values(b), [1.8, -0.1, 2.6, -0.2], rtol=1e-6)


def test_a_weight_without_gradient_is_named():
    network, idle = line(), line()
    idle.name = "idle"
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(network.trainable_variables + idle.trainable_variables)

    def critic_loss():
        return tf.reduce_sum(network(X), -1)

    with pytest.raises(ValueError, match=r"critic_loss does not depend on .*kernel.*bias.* freeze"):
        minimize(critic_loss, optimizer, network, idle)
    assert values(network) == [2, 0]


def test_a_frozen_network_is_refused():
    network = line()
    optimizer = sgd(network)
    network.trainable = False
    with pytest.raises(ValueError, match="nothing to update: line has no trainable weights"):
        minimize(lambda: tf.reduce_sum(network(X), -1), optimizer, network)


def test_a_frozen_layer_stays():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), keras.layers.Dense(1)])
    network.layers[0].trainable = False
    before = [w.copy() for w in network.get_weights()]
    minimize(lambda: tf.reduce_sum(network(X), -1), sgd(network), network)
    after = network.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[2] != after[2]).all()


@pytest.mark.parametrize("shape", [(2, 1), (2, 3, 3)])
def test_a_loss_of_wrong_rank_is_refused(shape):
    network = line()
    with pytest.raises(ValueError, match=r"one number per example, shape \[batch\], but has shape"):
        minimize(lambda: tf.reduce_sum(network(X)) * tf.ones(shape), sgd(network), network)


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_changes_nothing(graph, bad):
    network = line()
    optimizer = keras.optimizers.Adam(0.1, use_ema=True)
    optimizer.build(network.trainable_variables)
    factor = tf.Variable(bad)

    def generator_loss():
        return tf.reduce_sum(network(X), -1) * factor

    def step():
        return minimize(generator_loss, optimizer, network)

    step = tf.function(step) if graph else step
    before = [np.array(v) for v in optimizer.variables]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite: generator_loss"):
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
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    optimizer.build(scaled.trainable_variables)
    minimize(lambda: tf.reduce_sum(scaled(X) ** 2, -1), optimizer, scaled)
    np.testing.assert_allclose(values(plain), values(scaled), rtol=1e-6)


def test_an_overflow_under_loss_scaling_skips_the_step_and_halves_the_scale():
    network = line()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1e38)
    optimizer.build(network.trainable_variables)
    minimize(lambda: tf.reduce_sum(network(X) ** 2, -1), optimizer, network)
    assert values(network) == [2, 0]
    np.testing.assert_allclose(optimizer.dynamic_scale, 5e37, rtol=1e-6)


class TestGlobalMean:
    def test_one_replica(self):
        assert float(global_mean(tf.constant([1.0, 2.0, 6.0]))) == 3
        assert float(global_mean(tf.constant(7.0))) == 7

    def test_is_float32(self):
        assert global_mean(tf.ones([3], tf.bfloat16)).dtype == tf.float32
        assert global_mean(tf.ones([3], tf.float16)).dtype == tf.float32

    def test_shares_of_unequal_replicas_add_up_to_the_mean_over_all(self):
        strategy = make_strategy("mirrored")
        parts = [np.array([1.0, 2.0, 6.0], "float32"), np.array([11.0], "float32")]
        values = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

        @tf.function(input_signature=None, reduce_retracing=True)
        def step(x):
            return global_mean(tf.boolean_mask(x, x > 0))  # of unknown size

        shares = strategy.run(step, [values])
        assert float(strategy.reduce("SUM", shares, axis=None)) == 5
        scalars = strategy.run(tf.function(lambda: global_mean(tf.constant(3.0))))
        assert float(strategy.reduce("SUM", scalars, axis=None)) == 3

    def test_equal_replicas_need_no_communication(self):
        strategy = make_strategy("mirrored")
        step = tf.function(lambda: global_mean(tf.constant([1.0, 3.0])))
        assert float(strategy.reduce("SUM", strategy.run(step), axis=None)) == 2
        with tf.Graph().as_default() as graph, strategy.scope():
            strategy.run(lambda: global_mean(tf.constant([1.0, 3.0])))
            assert not [op for op in graph.get_operations() if "Collective" in op.type]


class TestBatchMean:
    def test_its_gradient_reaches_the_examples_of_all_replicas(self):
        strategy = make_strategy("mirrored")
        values = tf.constant([[1.0], [2.0], [3.0], [6.0]])

        @tf.function
        def step():
            def one(part):
                with tf.GradientTape() as tape:
                    tape.watch(part)
                    # A loss that all examples share, of which each replica minimises its share.
                    loss = tf.fill([tf.shape(part)[0]], tf.reduce_sum(batch_mean(part) ** 2))
                    share = global_mean(loss)
                return share, tape.gradient(share, part)

            parts = strategy.experimental_distribute_values_from_function(
                lambda context: values[:2] if context.replica_id_in_sync_group == 0 else values[2:]
            )
            shares, gradients = strategy.run(one, (parts,))
            gathered = strategy.experimental_local_results(gradients)
            return strategy.reduce("SUM", shares, axis=None), tf.concat(gathered, axis=0)

        loss, gradients = step()
        assert float(loss) == pytest.approx(9.0)
        # d/dx_i of mean^2 = 2 mean / 4.
        np.testing.assert_allclose(gradients, np.full([4, 1], 1.5), rtol=1e-6)
