"""Mixed precision: all stays finite, and float16 finds its loss scale, on two replicas too."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import make_strategy, minimize
from tiny import core, difference, first_batch, players, state

LossScaleOptimizer = keras.optimizers.LossScaleOptimizer


def assert_trained(model, before, logs, scaled):
    assert all(np.isfinite(value) for value in logs.values())
    assert all(np.isfinite(value).all() for value in state(model))
    changed = difference(model, before, state(model))
    for name, networks in players(model).items():
        optimizer = getattr(model, name)
        assert isinstance(optimizer, LossScaleOptimizer) == scaled
        assert optimizer.iterations.numpy() >= 1
        for network in networks:
            assert any(w.path in changed for w in network.trainable_variables), network.name


def test_bfloat16_trains(tiny):
    trains(tiny, "mixed_bfloat16")


@core
def test_float16_trains(tiny):
    trains(tiny, "mixed_float16")


def trains(tiny, policy):
    keras.config.set_dtype_policy(policy)
    model = tiny.compiled()
    before, data = state(model), first_batch(model)
    for _ in range(12):  # The first steps of float16 only find a loss scale.
        logs = model.train_step(data)
        if all(getattr(model, name).iterations.numpy() for name in players(model)):
            break
    assert_trained(model, before, logs, scaled=policy == "mixed_float16")
    for network in model.networks.values():
        inner = {layer.compute_dtype for layer in network._flatten_layers() if layer.weights}
        assert policy.removeprefix("mixed_") in inner
        # Losses are computed in float32 of what leaves the networks in float32.
        assert all(output.dtype == "float32" for output in getattr(network, "outputs", ()))
        assert all(w.dtype == "float32" for w in network.trainable_variables)
    made = tiny.generate(model)
    assert made.dtype.kind == "U" or np.isfinite(made).all()


@pytest.mark.parametrize("overflowing", [0, 1])
def test_an_overflow_on_one_replica_skips_the_step_on_all(overflowing):
    strategy = make_strategy("mirrored")
    with strategy.scope():
        network = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
        optimizer = LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=4.0)
        optimizer.build(network.trainable_variables)
    before = [w.numpy() for w in network.trainable_variables]

    @tf.function
    def run(steep):
        def replica():
            index = tf.distribute.get_replica_context().replica_id_in_sync_group

            def loss():
                output = network(tf.ones([1, 1]))[:, 0]
                # 0, with a gradient that is not finite.
                root = tf.sqrt(tf.abs(output - tf.stop_gradient(output)))
                return output + tf.where(tf.equal(index, steep), root, 0.0)

            return minimize(loss, optimizer, network)

        return strategy.run(replica)

    run(tf.constant(overflowing))
    for old, weight in zip(before, network.trainable_variables, strict=True):
        for copy in weight.value.values:
            np.testing.assert_array_equal(copy.numpy(), old)
    assert optimizer.iterations.numpy() == 0 and optimizer.dynamic_scale.numpy() == 2.0
    run(tf.constant(-1))
    assert optimizer.iterations.numpy() == 1 and optimizer.dynamic_scale.numpy() == 2.0
    # The gradient of the mean of the outputs is 1 for kernel and bias.
    for old, weight in zip(before, network.trainable_variables, strict=True):
        for copy in weight.value.values:
            np.testing.assert_allclose(copy.numpy(), old - 0.5, rtol=1e-6)
