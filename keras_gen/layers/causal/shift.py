"""The shift that lets a sequence be predicted from what came before."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.layers.causal.causal_layer import CausalLayer


@keras.saving.register_keras_serializable("keras_gen")
class Shift(CausalLayer):
    """Moves a sequence one place into the future: zeros come first, and the last place is lost.

    After it, layers that see the present, such as an LSTM, see the past alone. Floats `[batch,
    time, channels]`, as the output.

    Example:
        >>> Shift()(tf.constant([[[1.0], [2.0], [3.0]]]))[0, :, 0].numpy()
        array([0., 1., 2.], dtype=float32)
    """

    sees_itself = False

    @override
    def build(self, input_shape):
        self.channels = input_shape[-1]

    @override
    def call(self, x):
        return keras.ops.pad(x, [[0, 0], [1, 0], [0, 0]])[:, :-1]

    @override
    def empty_cache(self, weights, batch, width):
        """Returns the place before the first, `[batch, channels]`: zeros."""
        return tf.zeros([batch, self.channels], self.compute_dtype)

    @override
    def step(self, weights, cache, x, column):
        return cache, tf.cast(x, cache.dtype)
