"""Sampling weights of training examples, updated by the model that trains on these examples."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_array
from keras_gen.core.distribution import global_batch
from keras_gen.declared import DeclaredLayer, Examples
from keras_gen.tensor_checks import require

_STALE = (
    "A batch was sampled after {} updates of the sampling weights, but there have been {} "
    "updates. "
    "Pass distribute_fresh(stream, strategy) to fit, with steps_per_execution=1 and no prefetch."
)


@keras.saving.register_keras_serializable("keras_gen")
class SamplingWeights(DeclaredLayer):
    """One sampling weight per training example, as used by `keras_gen.data.weighted_stream`.

    A model that resamples its training set, such as `DBVAE`, has this layer as an attribute and
    updates it. The sampling weights are saved with the model, so a resumed run samples the same
    examples. Every draw records how often the weights had been changed. Batches that were sampled
    before the last change are rejected, so prefetching is detected.

    Args:
        size: Number of training examples.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Attributes:
        values: Nonnegative weights, float32 `[size]`, with an arbitrary sum; initially all 1.
        changes: Number of times that the weights have been changed, int64.

    Raises:
        ValueError: If the size is outside the range 1 to 67,108,864.

    Example:
    ```python
    weights = SamplingWeights(1000)
    index = weights.fresh(weights.draw(8, seed=[0, 1]))
    weights.write(index, tf.fill([8], 0.5))
    ```
    """

    # Batches are sampled with the updated weights, so a step must end before the next batch is
    # sampled.
    draws_batches = True

    options: ClassVar = {"trainable": False, "dtype": "float32", "autocast": False}

    size: Examples

    @override
    def set_up(self):
        state = dict(trainable=False, aggregation="only_first_replica")
        shape = (self.size,)
        self.values = self.add_weight(name="values", shape=shape, initializer="ones", **state)
        self.changes = self.add_weight(
            name="changes", shape=(), dtype="int64", initializer="zeros", **state
        )
        self.built = True

    def draw(self, count: int, seed) -> tf.Tensor:
        """Samples examples with replacement in proportion to their weights.

        Args:
            count: Number of samples.
            seed: Stateless seed, integers `[2]`. The result depends only on the weights and the
                seed.

        Returns:
            int64 `[count, 2]`: the index of each sampled example, and the number of times that the
            weights had been changed before the draw.

        Raises:
            ValueError: If the sum of the weights is not positive and finite.
        """
        # The counter is read before the values, so that a draw never counts a change whose values
        # it did not use.
        changes = tf.identity(self.changes.value)
        with tf.control_dependencies([changes]):
            values = tf.identity(self.values.value)
        # The sums are computed on the host, in order, so that they are equal on all machines and
        # never decrease.
        with tf.device("CPU:0"):
            ends = tf.cumsum(tf.cast(values, tf.float64))
            total = ends[-1]
            sentence = (
                "The sum of the sampling weights is {}: expected a positive finite number."
            )
            possible = require((total > 0) & tf.math.is_finite(total), sentence, total)
            with tf.control_dependencies([possible]):
                point = total * tf.random.stateless_uniform([count], seed, dtype=tf.float64)
            # Find the first interval whose end is beyond the point. An example with weight 0 has an
            # empty interval.
            index = tf.searchsorted(ends, point, side="right", out_type=tf.int64)
            return tf.stack([index, tf.fill([count], changes)], axis=1)

    def fresh(self, drawn: tf.Tensor) -> tf.Tensor:
        """Returns indices `[batch]` from a draw; raises an error if weights have changed since."""
        changes = tf.identity(self.changes.value)
        known = drawn[:, 1]
        same = require(tf.reduce_all(known == changes), _STALE, tf.reduce_min(known), changes)
        with tf.control_dependencies([same]):
            return tf.identity(drawn[:, 0])

    def without_draw(self, batch):
        """Checks a weighted stream's draw with `fresh`; returns the batch without the draw.

        Batches without a draw are returned unchanged, so that a model can also be trained on
        examples that are sampled uniformly.
        """
        drawn = batch[-1] if isinstance(batch, tuple) else None
        if getattr(drawn, "dtype", None) != tf.int64 or drawn.shape.rank != 2:
            return batch
        with tf.control_dependencies([self.fresh(drawn)]):
            return tf.nest.map_structure(tf.identity, batch[:-1])

    def write(self, index: tf.Tensor, values: tf.Tensor) -> None:
        """Sets the weights of some examples within a training step; each replica sets its own.

        Args:
            index: Indices of this replica's examples, integers `[batch]`. Negative indices are
                skipped; for a repeated index, the last value is used.
            values: New weights `[batch]`, finite and nonnegative.

        Raises:
            ValueError: If a shape, an index, or a value is invalid.
        """
        index = tf.cast(index, tf.int64)
        values = tf.cast(values, tf.float32)
        if index.shape.rank != 1 or not index.shape.is_compatible_with(values.shape):
            raise ValueError(
                f"Sampling weights have shape {values.shape} and indices have shape "
                f"{index.shape}: expected [batch] for both."
            )
        index = global_batch(index)
        values = global_batch(values)
        sentence = "A weight was written for example {}, but there are only {} examples."
        known = require(
            tf.reduce_all(index < self.size), sentence, tf.reduce_max(index), self.size
        )
        bad = ~(tf.math.is_finite(values) & (values >= 0))
        first = tf.argmax(tf.cast(bad, tf.int32))
        sentence = (
            "The sampling weight is {} for example {}: expected a finite number of at least 0."
        )
        good = require(~tf.reduce_any(bad), sentence, values[first], index[first])
        with tf.control_dependencies([known, good]):
            # The last value for each index is selected here, because a scatter operation would
            # apply repeated indices in an undefined order.
            last = tf.math.unsorted_segment_max(tf.range(tf.size(index)), index, self.size)
        written = tf.gather(values, tf.maximum(last, 0))
        self._change(tf.where(last < 0, self.values.value, written))

    def assign(self, values) -> None:
        """Sets all weights, between steps, to finite nonnegative numbers, not all of them 0."""
        values = checked_array("values", values, np.float32)
        good = np.isfinite(values) & (values >= 0)
        if values.shape != (self.size,) or not good.all() or not values.any():
            raise ValueError(
                f"Sampling weights have shape {list(values.shape)}, with {(values == 0).sum()} "
                f"equal to 0 and {(~good).sum()} negative or not finite: expected {self.size} "
                "finite numbers of at least 0, not all 0."
            )
        self._change(values)

    def _change(self, values) -> None:
        self.values.assign(values)
        # The change is counted after the values are stored; see `draw`.
        with tf.control_dependencies([tf.identity(self.values.value)]):
            self.changes.assign_add(1)

    @override
    def get_config(self) -> dict:
        return {"name": self.name, "size": self.size}


def distribute_fresh(dataset: tf.data.Dataset, strategy: tf.distribute.Strategy):
    """Distributes global batches to replicas without prefetching.

    `Strategy.experimental_distribute_dataset`, as used by `fit`, always prefetches, so batches of a
    weighted stream would be sampled with outdated weights.

    Args:
        dataset: Dataset without prefetching, such as `keras_gen.data.weighted_stream`, which may be
            zipped or mapped (without `num_parallel_calls`). The size of its batches must be static
            and divisible by the number of replicas.
        strategy: Strategy of the model.

    Returns:
        A `tf.distribute.DistributedDataset` for `fit`, which passes the i-th part of every batch to
        replica i. If there is only one replica, `dataset` itself is returned.

    Raises:
        ValueError: If the batches cannot be divided.

    Example:
    ```python
    stream = weighted_stream(source, model.sampling, 64)
    model.fit(distribute_fresh(stream, model.distribute_strategy), steps_per_epoch=100)
    ```
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return dataset
    sizes = {spec.shape[0] for spec in tf.nest.flatten(dataset.element_spec)}
    if len(sizes) > 1 or None in sizes or max(sizes) % replicas:
        raise ValueError(
            f"Batches have {' or '.join(map(str, sizes))} examples: expected one static size "
            f"that is a multiple of {replicas}, the number of replicas."
        )

    def deal(context):
        own = replicas // context.num_input_pipelines  # number of replicas of this worker
        first = context.input_pipeline_id * own

        def stack_parts(tensor):
            return tf.stack(tf.split(tensor, replicas)[first : first + own])

        def parts(*batch):
            split = tf.nest.map_structure(stack_parts, batch)
            return split if isinstance(dataset.element_spec, tuple) else split[0]

        return dataset.map(tf.autograph.experimental.do_not_convert(parts)).unbatch()

    options = tf.distribute.InputOptions(experimental_per_replica_buffer_size=0)
    return strategy.distribute_datasets_from_function(deal, options)
