"""Layers that compare the examples in a batch with each other."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.distribution import replica_count
from keras_gen.declared import Count, DeclaredLayer, NonNegative
from keras_gen.layers.layer_arguments import require_input
from keras_gen.tensor_checks import require


@keras.saving.register_keras_serializable("keras_gen")
class MinibatchStddev(DeclaredLayer):
    """Adds a channel that measures how much the examples in a batch differ from each other.

    Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality, Stability, and
    Variation", ICLR 2018, sec. 3. The new channel contains a single value, the standard deviation
    over the examples, averaged over all features and positions. A discriminator can thus recognize
    generated images that are too similar. Groups of consecutive examples are compared, whereas the
    authors' code uses evenly spaced examples; in a shuffled batch, both are equivalent. Each
    replica must contain whole groups; the results then equal the results on one device. For floats
    `[batch, ..., channels]`, the output has one more channel.

    Args:
        group_size: Number of examples that are compared with each other; 4 in the authors' code. On
            one device, a smaller batch is a single group, and the size of a larger batch must be a
            multiple of the group size. If None, the whole batch is one group, as in the paper; this
            requires a single device.
        epsilon: Number added to each variance, so that the square root is differentiable even if
            all examples are equal.

    Example:
        >>> y = MinibatchStddev(group_size=4)(tf.random.normal([8, 4, 4, 16]))  # [8, 4, 4, 17]
    """

    group_size: Count | None = 4
    epsilon: NonNegative = 1e-8

    @override
    def call(self, inputs):
        values = tf.cast(inputs, tf.float32)
        shape = tf.shape(values)
        batch = shape[0]
        if replica_count() > 1:
            size = self._size_on_replicas()
        else:
            size = batch if self.group_size is None else tf.minimum(self.group_size, batch)
        groups = batch // tf.maximum(size, 1)
        sentence = (
            "A batch of {} examples cannot be divided into groups of {}: expected a multiple of "
            "the group size."
        )
        with tf.control_dependencies([require(groups * size == batch, sentence, batch, size)]):
            grouped = tf.reshape(values, tf.concat([[groups, size], shape[1:]], axis=0))
        variance = tf.math.reduce_variance(grouped, axis=1, keepdims=True)
        deviation = tf.sqrt(variance + self.epsilon)
        mean = tf.reduce_mean(deviation, axis=list(range(2, grouped.shape.rank)), keepdims=True)
        everywhere = mean + tf.zeros_like(grouped[..., :1])
        channel = tf.reshape(everywhere, tf.concat([shape[:-1], [1]], axis=0))
        return tf.concat([inputs, tf.cast(channel, inputs.dtype)], axis=-1)

    def _size_on_replicas(self) -> tf.Tensor:
        """Returns the size of a group. Replicas must not share a group."""
        if self.group_size is None:
            raise ValueError(
                "group_size is None, which compares the whole batch, but each replica has "
                "only part of the batch: pass a group_size to MinibatchStddev."
            )
        return tf.constant(self.group_size)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)


@keras.saving.register_keras_serializable("keras_gen")
class MinibatchDiscrimination(DeclaredLayer):
    """Adds features that measure how close an example is to the other examples in its batch.

    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: "Improved Techniques for Training GANs",
    NeurIPS 2016, sec. 3.2. A tensor T maps each example's features to a matrix M_i. Corresponding
    rows are compared with c_b(x_i, x_j) = exp(-|M_ib - M_jb|_1), and the new feature o(x_i)_b is
    the sum of c_b over all x_j. A discriminator can thus recognize generated examples that are too
    similar. All pairs of a replica's examples are compared, so time and memory grow with the square
    of the batch size. Floats `[batch, A]` become `[batch, A + features]`, with new features between
    1 and the number of examples. Deviations: T is initialized with columns of length 1, as in the
    authors' code. The authors' code also normalizes T to this length during training, and scales
    and shifts the result based on the statistics of a first batch.

    Args:
        features: Number of rows of M_i, and thus of new features; B in the paper.
        row: Number of values in a row; C in the paper.

    Example:
        >>> y = MinibatchDiscrimination(features=16)(tf.random.normal([8, 32]))  # [8, 48]
    """

    features: Count = 100
    row: Count = 5

    @override
    def build(self, input_shape):
        right = len(input_shape) == 2 and input_shape[1] is not None
        expected = "[batch, features] of known width (flatten feature maps first)"
        require_input(self, input_shape, right, expected)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[1], self.features, self.row),
            initializer=keras.initializers.RandomNormal(stddev=input_shape[1] ** -0.5),
        )

    @override
    def call(self, inputs):
        kernel = tf.convert_to_tensor(self.kernel)
        rows = tf.cast(tf.einsum("na,abc->cnb", inputs, kernel), tf.float32)
        # Add the terms one by one, because a sum over a short last axis takes twice as long.
        distances = tf.add_n([tf.abs(row[:, None] - row) for row in tf.unstack(rows)])
        nearness = tf.reduce_sum(tf.exp(-distances), axis=0)
        return tf.concat([inputs, tf.cast(nearness, inputs.dtype)], axis=-1)
