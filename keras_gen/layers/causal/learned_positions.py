"""Learned vectors of the places of a sequence."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.causal.causal_layer import CausalLayer


@keras.saving.register_keras_serializable("keras_gen")
class LearnedPositions(CausalLayer):
    """Adds to each place of a sequence a learned vector, which says where it stands.

    Gehring et al.: "Convolutional Sequence to Sequence Learning", ICML 2017, sec. 3.1; attention
    needs it, as it does not see the order of what it looks at. Floats `[batch, time, channels]`, as
    the output; the vectors are drawn from a normal distribution of standard deviation 0.02.

    Args:
        length: Number of places, the most of a sequence.

    Example:
        >>> y = LearnedPositions(64)(tf.random.normal([2, 64, 32]))
    """

    @checked_arguments
    def __init__(self, length: int, **kwargs):
        super().__init__(**kwargs)
        self.length = checked_size("length", length)

    @override
    def build(self, input_shape):
        if len(input_shape) != 3 or not 1 <= (input_shape[1] or 0) <= self.length:
            raise ValueError(
                f"LearnedPositions got the shape {tuple(input_shape)}: expected [batch, time, "
                f"channels] of a known number of times, at most {self.length}."
            )
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
        raise ValueError(f"{self.name} is for sequences, which have one row.")

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"length": self.length}
