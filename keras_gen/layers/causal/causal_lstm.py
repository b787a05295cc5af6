"""The LSTM of sequences."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.causal.pixel_lstms import GATES, initial_bias, lstm_cell


@keras.saving.register_keras_serializable("keras_gen")
class CausalLSTM(CausalLayer):
    """An LSTM over a sequence, which is also computed one time after the other.

    Hochreiter, Schmidhuber: "Long Short-Term Memory", Neural Computation 1997, with the forget gate
    of Gers, Schmidhuber, Cummins (2000). Floats `[batch, time, channels]` become `[batch, time,
    units]`. It is `keras.layers.LSTM` without dropout, whose cell does not let a step be taken, and
    starts from the same weights; its gates are laid out as those of `RowLSTM`.

    Args:
        units: Dimensions of the state.

    Example:
        >>> y = CausalLSTM(64)(tf.random.normal([2, 100, 8]))
    """

    units: Count

    @override
    def build(self, input_shape):
        gates = GATES * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], gates), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, gates), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(gates,), initializer=initial_bias)

    @override
    def call(self, x):
        added = keras.ops.matmul(x, self.kernel) + self.bias  # of all times at once
        gates = tf.transpose(added, [1, 0, 2])
        recurrent = tf.convert_to_tensor(self.recurrent_kernel)
        nothing = tf.zeros_like(gates[0, :, : self.units])

        def next_state(state, gates_of_input):
            hidden, cell = state
            return lstm_cell(gates_of_input + hidden @ recurrent, cell)

        hidden, _ = tf.scan(next_state, gates, (nothing, nothing))
        return tf.transpose(hidden, [1, 0, 2])

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    # One time after the other ----------------------------------------------------------------

    @override
    def step_weights(self):
        weights = self.kernel, self.recurrent_kernel, self.bias
        return tuple(tf.cast(weight, self.compute_dtype) for weight in weights)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns the hidden state and the cell's state, `[batch, units]` each: zeros."""
        zeros = tf.zeros([batch, self.units], self.compute_dtype)
        return zeros, zeros

    @override
    def step(self, weights, cache, x, column):
        kernel, recurrent, bias = weights
        hidden, cell = cache
        gates = tf.cast(x, kernel.dtype) @ kernel + hidden @ recurrent + bias
        hidden, cell = lstm_cell(gates, cell)
        return hidden, (hidden, cell)
