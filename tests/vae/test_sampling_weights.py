"""Sampling weights: frequencies, what is written, and a model that draws by what it writes."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core.distribution import global_batch, make_strategy
from keras_gen.data.batches.weighted import weighted_stream
from keras_gen.data.source import WEIGHTED, Source, derive_seed
from keras_gen.messages import refusal
from keras_gen.vae.sampling_weights import SamplingWeights, distribute_fresh


def drawn_by_numpy(values, count, seed):
    ends = np.cumsum(np.asarray(values, "float64"))
    point = tf.random.stateless_uniform([count], seed, dtype="float64").numpy() * ends[-1]
    return np.searchsorted(ends, point, side="right")


def weights_of(values):
    weights = SamplingWeights(len(values))
    weights.assign(values)
    return weights


# Drawing ---------------------------------------------------------------------------------------


def test_weights_that_no_memory_holds_are_refused():
    with pytest.raises(ValueError, match=r"size is 1099511627776: expected .*67108864"):
        SamplingWeights(2**40)


@pytest.mark.parametrize("size", [1, 2, 1000, 200_000])
def test_draws_what_numpy_draws(size, rng):
    values = (rng.exponential(size=size) * (rng.uniform(size=size) < 0.5)).astype("float32")
    values[-1] = 1e-3
    drawn = weights_of(values).draw(5000, [3, 4])
    assert drawn.dtype == "int64" and drawn.shape == [5000, 2]
    np.testing.assert_array_equal(drawn[:, 0], drawn_by_numpy(values, 5000, [3, 4]))
    assert (values[drawn[:, 0].numpy()] > 0).all()


def test_on_the_border_of_two_examples_none_of_weight_0_is_drawn(monkeypatch):
    points = tf.constant([0, 0.5, np.nextafter(1, 0)], tf.float64)
    monkeypatch.setattr(tf.random, "stateless_uniform", lambda shape, seed, dtype: points)
    np.testing.assert_array_equal(weights_of([0, 1, 0, 1, 0]).draw(3, [0, 0])[:, 0], [1, 3, 3])


# Writing ---------------------------------------------------------------------------------------


def test_writes_some_and_keeps_the_others():
    weights = weights_of([1, 2, 3, 4, 5])
    tf.function(weights.write)(tf.constant([3, -1, 0, 3, -7]), tf.constant([7.0, 8, 9, 0, 8]))
    # Of the two for number 3, the last; none for those below 0.
    np.testing.assert_array_equal(weights.values, [9, 2, 3, 0, 5])


def test_a_draw_is_fresh_until_the_weights_change():
    weights = SamplingWeights(9)
    for change in (
        lambda: weights.write(tf.constant([1]), tf.constant([2.0])),
        lambda: weights.assign(np.ones(9)),
    ):
        drawn = weights.draw(4, [0, 0])
        np.testing.assert_array_equal(weights.fresh(drawn), drawn[:, 0])
        change()
        sentence = "sampled after {} updates of the sampling weights, but there have been {}"
        changes = weights.changes.numpy()
        with pytest.raises(ValueError, match=sentence.format(changes - 1, changes)):
            weights.fresh(drawn)
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            tf.function(weights.fresh)(drawn)
        assert refusal(caught.value.message).startswith("A batch was sampled")
    assert weights.changes.numpy() == 2


def test_a_batch_is_taken_without_its_draw_if_that_is_fresh():
    weights = SamplingWeights(9)
    x, labels, drawn = tf.ones([4, 2]), tf.range(4, dtype=tf.int64), weights.draw(4, [0, 0])
    taken = weights.without_draw((x, labels, drawn))
    assert len(taken) == 2
    np.testing.assert_array_equal(taken[0], x)
    np.testing.assert_array_equal(taken[1], labels)
    for other in (x, (x,), (x, labels), (x, labels, tf.ones([4]))):
        assert weights.without_draw(other) is other
    weights.assign(np.ones(9))
    with pytest.raises(ValueError, match="sampled after 0 updates of the sampling weights"):
        weights.without_draw((x, labels, drawn))


@pytest.mark.parametrize("value", [-0.5, np.nan, np.inf])
def test_bad_weights_are_refused(value):
    weights = SamplingWeights(3)
    sentence = (
        f"The sampling weight is {value:g} for example 2: expected a finite number of at least 0."
    )
    with pytest.raises(ValueError, match=sentence):
        weights.write(tf.constant([0, 2]), tf.constant([1, value]))
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.function(weights.write)(tf.constant([0, 2]), tf.constant([1, value]))
    assert refusal(caught.value.message) == sentence
    with pytest.raises(
        ValueError, match=r"with 1 equal to 0 and 1 negative or not finite: expected 3"
    ):
        weights.assign([0, 1, value])
    np.testing.assert_array_equal(weights.values, [1, 1, 1])
    assert weights.changes.numpy() == 0


def test_a_draw_from_zeros_is_refused():
    weights = SamplingWeights(2)
    weights.write(tf.constant([0, 1]), tf.zeros([2]))
    with pytest.raises(ValueError, match="The sum of the sampling weights is 0: expected a posit"):
        weights.draw(3, [0, 0])


def test_state_and_config():
    keras.config.set_dtype_policy("mixed_float16")
    weights = SamplingWeights(3, name="sampling")
    assert weights.trainable_variables == []
    assert [(v.name, v.dtype) for v in weights.variables] == [
        ("values", "float32"), ("changes", "int64"),
    ]  # fmt: skip
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(weights))
    assert (again.size, again.name) == (3, "sampling")


# Training --------------------------------------------------------------------------------------

SIZE, BATCH, STEPS = 40, 6, 24


def next_weights(x, old):
    """What the model makes of a batch: other weights for most of it, some of them 0."""
    return x % 7 / 4 + old / 2


class Feedback(keras.Model):
    """Draws by weights that it writes in every step, and notes every global batch."""

    def __init__(self):
        super().__init__()
        self.sampling = SamplingWeights(SIZE)
        state = dict(
            dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica"
        )
        self.step = self.add_weight(name="step", shape=(), **state)
        self.seen = self.add_weight(name="seen", shape=(STEPS, BATCH), **state)
        self.built = True

    def _maybe_symbolic_build(self, *args, **kwargs):
        pass

    def train_step(self, data):
        x, drawn = data
        index = self.sampling.fresh(drawn)
        old = tf.gather(self.sampling.values.value, index)
        self.sampling.write(index, next_weights(tf.cast(x, tf.float32), old))
        place = tf.reshape(self.step.value, [1, 1])
        batch = global_batch(x)[None]
        self.seen.assign(tf.tensor_scatter_nd_update(self.seen.value, place, batch))
        self.step.assign_add(1)
        return {"seen": tf.reduce_sum(tf.cast(x, tf.float32))}


def feedback(strategy=None, **kwargs):
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = Feedback()
        model.compile(optimizer=None, **kwargs)
    stream = weighted_stream(Source(np.arange(SIZE)), model.sampling, BATCH, seed=2)
    # The map is a user's, which TensorFlow would run ahead of time if it were let.
    return model, stream.map(lambda x, drawn: (x + 0, drawn))


def fit(model, stream):
    model.fit(stream, steps_per_epoch=STEPS // 3, epochs=3, verbose=0, shuffle=False)


def predicted():
    """The batches and the last weights by numpy, without tf.data."""
    weights, batches = np.ones(SIZE, "float32"), []
    key = derive_seed(2, WEIGHTED).astype("int64")
    for number in range(STEPS):
        seed = tf.random.experimental.stateless_fold_in(key, tf.constant(number, tf.int64))
        batch = drawn_by_numpy(weights, BATCH, seed)
        weights[batch] = next_weights(batch.astype("float32"), weights[batch])
        batches.append(batch)
    return np.array(batches), weights


def test_fit_draws_every_batch_from_the_weights_that_the_last_one_left():
    model, stream = feedback()
    fit(model, stream)
    batches, weights = predicted()
    np.testing.assert_array_equal(model.seen, batches)
    np.testing.assert_array_equal(model.sampling.values, weights)
    assert model.sampling.changes.numpy() == STEPS


@pytest.mark.thorough
def test_two_replicas_draw_what_one_device_draws():
    strategy = make_strategy("mirrored")
    model, stream = feedback(strategy)
    fit(model, distribute_fresh(stream, strategy))
    batches, weights = predicted()
    np.testing.assert_array_equal(model.seen, batches)
    for copy in strategy.experimental_local_results(model.sampling.values.value):
        np.testing.assert_array_equal(copy, weights)


@pytest.mark.thorough
@pytest.mark.parametrize("replicas", [1, 2])
def test_what_prefetches_is_refused(replicas):
    strategy = make_strategy("mirrored") if replicas == 2 else None
    model, stream = feedback(strategy)
    # On two replicas, `fit` distributes by itself.
    stream = stream.prefetch(4) if replicas == 1 else stream
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        fit(model, stream)
    assert "Pass distribute_fresh(stream, strategy)" in refusal(caught.value.message)


# Dealing out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", [tuple, dict])
def test_each_replica_gets_its_part(structure):
    strategy = make_strategy("mirrored")
    x = np.arange(24).reshape(12, 2)
    tensors = (x, x[:, 0]) if structure is tuple else {"x": x, "y": x[:, 0]}
    batches = tf.data.Dataset.from_tensor_slices(tensors).batch(4, drop_remainder=True)
    dealt = iter(distribute_fresh(batches, strategy))
    for number in range(3):
        parts = tf.nest.map_structure(strategy.experimental_local_results, next(dealt))
        parts = parts if structure is tuple else (parts["x"], parts["y"])
        for replica in range(2):
            rows = slice(4 * number + 2 * replica, 4 * number + 2 * replica + 2)
            np.testing.assert_array_equal(parts[0][replica], x[rows])
            np.testing.assert_array_equal(parts[1][replica], x[rows, 0])


def test_each_worker_gets_the_parts_of_its_replicas():
    class TwoWorkers:
        num_replicas_in_sync = 4

        def distribute_datasets_from_function(self, deal, options):
            return [deal(tf.distribute.InputContext(2, worker, 4)) for worker in range(2)]

    workers = distribute_fresh(tf.data.Dataset.range(16).batch(8, True), TwoWorkers())
    parts = [[part.tolist() for part in worker.as_numpy_iterator()] for worker in workers]
    assert parts == [[[0, 1], [2, 3], [8, 9], [10, 11]], [[4, 5], [6, 7], [12, 13], [14, 15]]]


@pytest.mark.parametrize("dataset", [
    tf.data.Dataset.range(6).batch(3, drop_remainder=True),
    tf.data.Dataset.range(6).batch(2),
])  # fmt: skip
def test_batches_that_cannot_be_divided_are_refused(dataset):
    with pytest.raises(
        ValueError, match="examples: expected one static size that is a multiple of 2, the number"
    ):
        distribute_fresh(dataset, make_strategy("mirrored"))
