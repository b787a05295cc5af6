"""What replicas share: their part of the global batch, sums and means over all of them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import (
    batch_mean,
    global_batch,
    global_mean,
    global_sum,
    make_strategy,
    parts,
    replica_part,
)
from keras_gen.core.distribution import replica_count, replica_slice

EQUAL = [[1.0], [2.0]], [[3.0], [6.0]]
UNEQUAL = [[1.0], [2.0], [6.0]], [[11.0]]
UNEVEN = [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0]]


def on_replicas(function, parts, known=False):
    """The results of `function` on two replicas, each with its own part of a batch.

    Args:
        function: Of a replica's part.
        parts: Two arrays.
        known: Whether the number of examples is known when the graph is made.
    """
    strategy = make_strategy("mirrored")
    arrays = [np.asarray(part, "float32") for part in parts]
    shape = [len(arrays[0]) if known else None, *arrays[0].shape[1:]]

    def replica(part):
        return function(tf.ensure_shape(part, shape))

    @tf.function(input_signature=[tf.TensorSpec([None, *shape[1:]])] * 2)
    def step(*values):
        given = strategy.experimental_distribute_values_from_function(
            lambda context: values[context.replica_id_in_sync_group]
        )
        results = strategy.run(replica, [given])
        return tf.nest.map_structure(strategy.experimental_local_results, results)

    return step(*map(tf.constant, arrays))


class TestGlobalBatch:
    @pytest.mark.thorough
    @pytest.mark.parametrize("parts,known", [(EQUAL, False), (EQUAL, True), (UNEQUAL, False)])
    def test_all_have_all_and_each_its_part(self, parts, known):
        def both(part):
            whole = global_batch(part)
            local = part.shape[0] if known else tf.shape(part)[0]
            start, total = replica_slice(local)
            assert not known or tf.get_static_value(total) == 4
            return whole, replica_part(whole, local), tf.stack([start, total])

        wholes, own, places = on_replicas(both, parts, known)
        for whole, mine, part in zip(wholes, own, parts, strict=True):
            np.testing.assert_array_equal(whole, np.concatenate(parts))
            np.testing.assert_array_equal(mine, part)
        np.testing.assert_array_equal(places, [[0, 4], [len(parts[0]), 4]])


class TestGlobalSum:
    def test_its_gradient_reaches_all_replicas(self):
        def weighted_sum(part):
            factor = tf.reduce_max(part)  # 2 and 6
            with tf.GradientTape() as tape:
                tape.watch(part)
                total = global_sum(part)
                loss = tf.stop_gradient(factor) * tf.reduce_sum(total)
            return total, tape.gradient(loss, part)

        totals, slopes = on_replicas(weighted_sum, EQUAL, known=True)
        # The losses of both depend on every example.
        for total, slope in zip(totals, slopes, strict=True):
            np.testing.assert_array_equal(total, [[4], [8]])
            np.testing.assert_array_equal(slope, [[8], [8]])


def test_one_replica_is_the_identity():
    values = tf.constant([[1.0], [5.0]])
    assert replica_count() == 1
    assert global_batch(values) is values and global_sum(values) is values
    assert replica_slice(2) == (0, 2)
    np.testing.assert_array_equal(replica_part(values, 2), values)
    np.testing.assert_array_equal(batch_mean(values), [3])


def test_replicas_are_counted_inside_of_a_step_only():
    with make_strategy("mirrored").scope():
        assert replica_count() == 1
    counts = on_replicas(lambda part: tf.constant(replica_count()), EQUAL)
    assert [int(count) for count in counts] == [2, 2]


class TestGlobalMean:
    def test_one_replica(self):
        assert float(global_mean(tf.constant([1.0, 2.0, 6.0]))) == 3
        assert float(global_mean(tf.constant(7.0))) == 7

    def test_is_float32(self):
        assert global_mean(tf.ones([3], tf.bfloat16)).dtype == tf.float32
        assert global_mean(tf.ones([3], tf.float16)).dtype == tf.float32

    @pytest.mark.parametrize("shape", [(2, 1), (2, 3, 3)])
    def test_refuses_more_axes(self, shape):
        with pytest.raises(ValueError, match=r"A loss has shape .*\[batch\]. Reduce the other"):
            global_mean(tf.ones(shape))

    def test_parts_of_unequal_replicas_add_up_to_the_mean_over_all(self):
        parts = on_replicas(lambda part: global_mean(part[:, 0]), UNEQUAL)
        np.testing.assert_allclose(parts, [9 / 4, 11 / 4])
        parts = on_replicas(lambda part: global_mean(tf.constant(3.0)), UNEQUAL)
        np.testing.assert_allclose(parts, [1.5, 1.5])

    def test_equal_replicas_need_no_communication(self):
        parts = on_replicas(lambda part: global_mean(part[:, 0]), EQUAL, known=True)
        np.testing.assert_allclose(parts, [3 / 4, 9 / 4])
        with tf.Graph().as_default() as graph, make_strategy("mirrored").scope():
            make_strategy("mirrored").run(lambda: global_mean(tf.constant([1.0, 3.0])))
            assert not [op for op in graph.get_operations() if "Collective" in op.type]


class TestBatchMean:
    @pytest.mark.parametrize("parts", [EQUAL, UNEQUAL])
    def test_its_gradient_reaches_the_examples_of_all_replicas(self, parts):
        def squared_mean(part):
            with tf.GradientTape() as tape:
                tape.watch(part)
                # A loss that all examples share, of which each replica minimizes its part.
                loss = tf.fill([tf.shape(part)[0]], tf.reduce_sum(batch_mean(part) ** 2))
                mine = global_mean(loss)
            return mine, tape.gradient(mine, part)

        losses, slopes = on_replicas(squared_mean, parts)
        mean = np.concatenate(parts).mean()
        np.testing.assert_allclose(np.sum(losses), mean**2)
        # d/dx_i of mean^2 = 2 mean / 4.
        np.testing.assert_allclose(np.concatenate(slopes), np.full([4, 1], mean / 2), rtol=1e-6)

    def test_keeps_the_other_axes_and_is_float32(self):
        means = on_replicas(lambda part: batch_mean(tf.cast(part, "float16")), UNEQUAL)
        for mean in means:
            assert mean.dtype == tf.float32
            np.testing.assert_array_equal(mean, [5])


class TestParts:
    def test_parts_are_every_so_many_th_example(self):
        first, second = parts(tf.range(6), 2)
        assert first.numpy().tolist() == [0, 2, 4] and second.numpy().tolist() == [1, 3, 5]

    def test_of_an_odd_batch_some_examples_are_in_two(self):
        found = [part.numpy().tolist() for part in parts(tf.range(7), 3)]
        assert found == [[0, 3, 6], [1, 4, 0], [2, 5, 1]]

    def test_those_of_replicas_are_those_of_one_device(self):
        batches = [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]
        found = [np.concatenate(part) for part in on_replicas(lambda x: parts(x, 2), batches)]
        np.testing.assert_array_equal(found, [[0, 2, 4, 6], [1, 3, 5, 7]])
        uneven = [np.concatenate(part) for part in on_replicas(lambda x: parts(x, 2), UNEVEN)]
        np.testing.assert_array_equal(uneven, [[0, 2, 4], [1, 3, 5]])

    @pytest.mark.parametrize("known", [False, True])
    def test_what_replicas_cannot_divide_as_one_device_is_refused(self, known):
        """Of 3 and 3 examples the first half would be 0, 2, 3, 5, and on one device 0, 2, 4."""
        halves = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
        kind = ValueError if known else tf.errors.InvalidArgumentError
        with pytest.raises(kind, match="a multiple of 4, and drop a smaller last batch"):
            on_replicas(lambda x: parts(x, 2), halves, known)
