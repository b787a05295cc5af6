"""An Adam that counts every weight's own updates."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import make_strategy, minimize
from keras_gen.gan import JoiningAdam

BETAS = [dict(beta_1=0.9, beta_2=0.999), dict(beta_1=0.0, beta_2=0.99)]


def weights():
    return [keras.Variable([1.0, -2.0], name="first"), keras.Variable([[3.0]], name="second")]


def gradients(rng, steps):
    return [
        [tf.constant(rng.normal(size=s), "float32") for s in ((2,), (1, 1))] for _ in range(steps)
    ]


def numpy(variables):
    return [np.array(v.value) for v in variables]


def late(optimizer, steps, alone):
    """The path of the second weight, which joins when the first was updated `alone` times."""
    first, second = weights()
    optimizer.build([first, second])
    path = [second.numpy()]
    for number, (a, b) in enumerate(steps):
        if number < alone:
            optimizer.apply([a], [first])
        else:
            optimizer.apply([a, b], [first, second])
            path.append(second.numpy())
    return np.ravel(path)


FURTHER = [
    *BETAS[1:], dict(amsgrad=True, beta_2=0.1), dict(weight_decay=0.1), dict(clipnorm=0.5),
    dict(use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3),
    dict(gradient_accumulation_steps=2), dict(loss_scale_factor=4.0),
]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [BETAS[0], *(pytest.param(each, marks=pytest.mark.thorough) for each in FURTHER)],
    ids=str,
)
def test_is_adam_where_every_weight_takes_part_in_every_step(rng, arguments):
    steps, results = gradients(rng, 7), []
    for kind in (JoiningAdam, keras.optimizers.Adam):
        variables, optimizer = weights(), kind(0.1, **arguments)
        optimizer.build(variables)
        for step in steps:
            optimizer.apply(step, variables)
        results.append(numpy(variables))
    np.testing.assert_equal(*results)
    assert (results[0][0] != [1, -2]).all()


@pytest.mark.thorough
@pytest.mark.parametrize("betas", BETAS, ids=str)
def test_a_weight_that_joins_moves_as_in_a_fresh_adam(rng, betas):
    steps = gradients(rng, 60)
    variable, fresh = keras.Variable([[3.0]]), keras.optimizers.Adam(0.1, **betas)
    path = [3.0]
    for _, gradient in steps[50:]:
        fresh.apply([gradient], [variable])
        path.append(float(variable.numpy().item()))
    np.testing.assert_allclose(late(JoiningAdam(0.1, **betas), steps, 50), path, atol=1e-6)
    # What it is there for.
    assert np.abs(late(keras.optimizers.Adam(0.1, **betas), steps, 50) - path).max() > 0.02


def test_counts_are_state_and_waiting_weights_are_left_alone(rng):
    first, second = weights()
    optimizer = JoiningAdam(0.1, weight_decay=0.1, use_ema=True)
    optimizer.build([first, second])
    for gradient, _ in gradients(rng, 3):
        optimizer.apply_gradients([(gradient, first)])
    np.testing.assert_array_equal(second, [[3]])
    np.testing.assert_array_equal(optimizer._model_variables_moving_average[1], [[3]])
    optimizer.apply([tf.ones([1, 1])], [second])
    optimizer.build([first, second])  # once more changes nothing
    assert [int(count) for count in optimizer.updates] == [3, 1]
    held = {id(v) for v in optimizer.variables}
    assert all(id(count) in held for count in optimizer.updates)


def test_the_step_of_a_growing_network_in_a_graph(rng):
    """`minimize` passes the gradients of the weights in use; Keras builds its own graph of them."""
    old, new = (keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]) for _ in range(2))
    optimizer = JoiningAdam(0.1)
    optimizer.build(old.trainable_variables + new.trainable_variables)
    x = tf.constant(rng.normal(size=[4, 2]), "float32")

    @tf.function
    def step(grown):
        networks = [old, new] if grown else [old]

        def loss():
            return tf.reduce_sum(tf.add_n([network(x) for network in networks]) ** 2, -1)

        return minimize(loss, optimizer, *networks)

    for grown in (False, False, True):
        step(grown)
    assert [int(count) for count in optimizer.updates] == [3, 3, 1, 1]


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
def test_under_a_loss_scale_a_skipped_step_is_not_counted(graph):
    first, second = weights()
    inner = JoiningAdam(0.1, epsilon=1e-12)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0)
    optimizer.build([first, second])

    def step(gradient):
        optimizer.apply([gradient], [second])

    step = tf.function(step) if graph else step
    step(tf.constant([[8.0]]))
    step(tf.constant([[float("inf")]]))
    assert [int(count) for count in inner.updates] == [0, 1]
    np.testing.assert_allclose(second, [[2.9]], rtol=1e-6)
    assert {id(v) for v in inner.updates} <= {id(v) for v in optimizer.variables}


def test_replicas_equal_one_device(rng):
    steps = gradients(rng, 3)
    expected, one = weights(), JoiningAdam(0.1)
    one.build(expected)
    strategy = make_strategy("mirrored")
    with strategy.scope():
        variables, two = weights(), JoiningAdam(0.1)
        two.build(variables)

    @tf.function
    def replicated(values, count):
        # Keras sums over replicas.
        strategy.run(lambda: two.apply([g / 2 for g in values], variables[:count]))

    for number, step in enumerate(steps):
        count = 1 if number < 2 else 2
        one.apply(step[:count], expected[:count])
        replicated(step[:count], count)
    for variable, value in zip(variables, expected, strict=True):
        for copy in strategy.experimental_local_results(variable.value):
            np.testing.assert_allclose(copy, value, rtol=1e-6)
    counts = [strategy.experimental_local_results(count.value) for count in two.updates]
    np.testing.assert_array_equal(counts, [[3, 3], [1, 1]])
