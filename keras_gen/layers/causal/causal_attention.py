"""Attention to previous inputs, and learned positions."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.layer_arguments import require_input


@keras.saving.register_keras_serializable("keras_gen")
class CausalAttention(CausalLayer):
    """Causal self-attention: each position attends to itself and to previous positions.

    Vaswani et al.: "Attention Is All You Need", NeurIPS 2017, sec. 3.2. Queries, keys, and values
    are linear functions of the inputs, `[time, d]` per head, and the outputs of the heads,

        softmax(Q K^T / sqrt(d) + M) V,   M = 0 up to the position itself, minus infinity after it,

    are concatenated and passed through another linear function. Input and output are floats
    `[batch, time, channels]`. Because the cache contains the keys and values of previous positions,
    each step computes the keys and values of only one position. The cost of a step is linear in the
    sequence length.

    Args:
        heads: Number of heads. Must divide the number of channels.

    Example:
        >>> y = CausalAttention(heads=4)(tf.random.normal([2, 64, 32]))
    """

    heads: Count

    @override
    def build(self, input_shape):
        channels = input_shape[-1]
        expected = (
            "[batch, time, channels], with a number of channels that is divisible by "
            f"heads={self.heads}"
        )
        right = len(input_shape) == 3 and channels % self.heads == 0
        require_input(self, input_shape, right, expected)
        self.channels = channels
        # One kernel computes the queries, keys, and values, in this order.
        self.kernel = self.add_weight(
            name="kernel", shape=(channels, 3 * channels), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(3 * channels,), initializer="zeros")
        self.output_kernel = self.add_weight(
            name="output_kernel", shape=(channels, channels), initializer="glorot_uniform"
        )
        self.output_bias = self.add_weight(
            name="output_bias", shape=(channels,), initializer="zeros"
        )

    @override
    def call(self, x):
        together = keras.ops.matmul(x, self.kernel) + self.bias
        queries, keys, values = (self._by_head(part) for part in tf.split(together, 3, axis=-1))
        times = tf.range(tf.shape(x)[1])
        visible = times[:, None] >= times[None, :]
        y = attention(queries, keys, values, visible)
        y = tf.reshape(tf.transpose(y, [0, 2, 1, 3]), tf.shape(x))
        return keras.ops.matmul(y, self.output_kernel) + self.output_bias

    def _by_head(self, x):
        """Returns floats `[batch, heads, time, channels / heads]`."""
        batch, time, _ = tf.unstack(tf.shape(x))
        x = tf.reshape(x, [batch, time, self.heads, self.channels // self.heads])
        return tf.transpose(x, [0, 2, 1, 3])

    @override
    def compute_output_shape(self, input_shape):
        return input_shape

    # One time step after another -------------------------------------------------------------

    @override
    def step_weights(self):
        weights = self.kernel, self.bias, self.output_kernel, self.output_bias
        return tuple(tf.cast(weight, self.compute_dtype) for weight in weights)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns zeros for the keys and values, each `[batch, heads, width, channels / heads]`."""
        shape = [batch, self.heads, width, self.channels // self.heads]
        zeros = tf.zeros(shape, self.compute_dtype)
        return zeros, zeros

    @override
    def step(self, weights, cache, x, column):
        kernel, bias, output_kernel, output_bias = weights
        together = tf.cast(x, kernel.dtype) @ kernel + bias
        query, key, value = (
            self._by_head(part[:, None]) for part in tf.split(together, 3, axis=-1)
        )
        keys, values = cache
        places = tf.range(tf.shape(keys)[2])
        here = (places == column)[:, None]
        keys = tf.ensure_shape(tf.where(here, key, keys), keys.shape)
        values = tf.ensure_shape(tf.where(here, value, values), values.shape)
        y = attention(query, keys, values, visible=(places <= column)[None])
        y = tf.reshape(y, [-1, self.channels])
        return y @ output_kernel + output_bias, (keys, values)

    @override
    def next_row(self, weights, cache):
        raise ValueError(
            f"{self.name} got more than one row: expected a sequence, which has a single row."
        )


def attention(queries, keys, values, visible) -> tf.Tensor:
    """Returns softmax(Q K^T / sqrt(d)) V over the visible positions, eq. (1) of the paper.

    Args:
        queries: Queries, floats `[batch, heads, places, d]`.
        keys: Keys of the attended positions, `[batch, heads, others, d]`.
        values: Values of the attended positions, in the format of `keys`.
        visible: Mask of the positions that each position sees, bool `[places, others]`. Each
            position must see at least one position.
    """
    scores = tf.matmul(queries, keys, transpose_b=True)
    scores = tf.cast(scores, tf.float32) / math.sqrt(queries.shape[-1])
    weights = tf.nn.softmax(tf.where(visible, scores, -math.inf))
    return tf.matmul(tf.cast(weights, values.dtype), values)


@keras.saving.register_keras_serializable("keras_gen")
class LearnedPositions(CausalLayer):
    """Adds to each element of a sequence a learned vector that identifies its position.

    Gehring et al.: "Convolutional Sequence to Sequence Learning", ICML 2017, sec. 3.1. Attention
    requires such vectors, because it ignores order. Input and output are floats `[batch, time,
    channels]`. The vectors are initialized from a normal distribution with standard deviation 0.02.

    Args:
        length: Number of positions, which is the maximum length of a sequence.

    Example:
        >>> y = LearnedPositions(64)(tf.random.normal([2, 64, 32]))
    """

    length: Count

    @override
    def build(self, input_shape):
        right = len(input_shape) == 3 and 1 <= (input_shape[1] or 0) <= self.length
        times = f"a known number of time steps, at most {self.length}"
        require_input(self, input_shape, right, f"[batch, time, channels] with {times}")
        self.vectors = self.add_weight(
            name="vectors",
            shape=(self.length, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    @override
    def call(self, x):
        return x + self.vectors[: x.shape[1]]

    @override
    def compute_output_shape(self, input_shape):
        return input_shape

    @override
    def step_weights(self):
        return tf.cast(self.vectors, self.compute_dtype)

    @override
    def step(self, weights, cache, x, column):
        return tf.cast(x, weights.dtype) + weights[column], cache

    @override
    def next_row(self, weights, cache):
        raise ValueError(
            f"{self.name} got more than one row: expected a sequence, which has a single row."
        )
