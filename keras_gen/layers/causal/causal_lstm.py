"""The LSTM of sequences."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.layers.causal.base import CausalLayer


@keras.saving.register_keras_serializable("keras_gen")
class CausalLSTM(CausalLayer):
    """`keras.layers.LSTM` over a sequence, and one step of it.

    Hochreiter, Schmidhuber: "Long Short-Term Memory", Neural Computation 1997, with the forget gate
    of Gers, Schmidhuber, Cummins (2000). Floats `[batch, time, channels]` become `[batch, time,
    units]`.

    Args:
        units: Dimensions of the state.

    Example:
        >>> y = CausalLSTM(64)(tf.random.normal([2, 100, 8]))
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.lstm = keras.layers.LSTM(units, return_sequences=True, dtype=self.dtype_policy)

    @override
    def build(self, input_shape):
        self.lstm.build(input_shape)

    @override
    def call(self, x):
        return self.lstm(x)

    # One time after the other ----------------------------------------------------------------

    @override
    def step_weights(self):
        cell = self.lstm.cell
        weights = (cell.kernel, cell.recurrent_kernel, cell.bias)
        return tuple(tf.cast(weight, self.compute_dtype) for weight in weights)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns the hidden state and the cell's state, `[batch, units]` each: zeros."""
        zeros = tf.zeros([batch, self.units], self.compute_dtype)
        return zeros, zeros

    @override
    def step(self, weights, cache, x, column):
        kernel, recurrent, bias = weights
        hidden, state = cache
        gates = tf.cast(x, kernel.dtype) @ kernel + hidden @ recurrent + bias
        inputs, forget, new, outputs = tf.split(gates, 4, axis=-1)
        state = tf.sigmoid(forget) * state + tf.sigmoid(inputs) * tf.tanh(new)
        hidden = tf.sigmoid(outputs) * tf.tanh(state)
        return hidden, (hidden, state)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"units": self.units}
