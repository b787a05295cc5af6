"""Minibatch discrimination."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments


@keras.saving.register_keras_serializable("keras_gen")
class MinibatchDiscrimination(keras.layers.Layer):
    """Adds features that measure how near the other examples of a batch are to an example.

    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: "Improved Techniques for Training GANs",
    NeurIPS 2016, sec. 3.2. A tensor T maps each example's features to a matrix M_i. Rows are
    compared by c_b(x_i, x_j) = exp(-|M_ib - M_jb|_1), and o(x_i)_b is the sum over all x_j. So a
    discriminator can recognize generated examples that are too similar. All pairs of a replica's
    examples are compared: time and memory grow with the square of the batch. Floats `[batch, A]`
    become `[batch, A + features]`, the new ones from 1 to the number of examples. Deviations: the
    initial T has columns of length 1, as in the authors' code; theirs also is normalized to that
    length in training, and scaled and shifted by statistics of a first batch.

    Args:
        features: Rows of M_i, and so new features: B.
        row: Numbers in a row: C.

    Example:
        >>> y = MinibatchDiscrimination(features=16)(tf.random.normal([8, 32]))  # [8, 48]
    """

    @checked_arguments
    def __init__(self, features: int = 100, row: int = 5, **kwargs):
        super().__init__(**kwargs)
        self.features = features
        self.row = row

    @override
    def build(self, input_shape):
        if len(input_shape) != 2 or input_shape[1] is None:
            raise ValueError(
                f"MinibatchDiscrimination got the shape {tuple(input_shape)}: expected "
                "[batch, features] of known width; flatten maps first."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[1], self.features, self.row),
            initializer=keras.initializers.RandomNormal(stddev=input_shape[1] ** -0.5),
        )

    @override
    def call(self, inputs):
        kernel = tf.convert_to_tensor(self.kernel)
        rows = tf.cast(tf.einsum("na,abc->cnb", inputs, kernel), tf.float32)
        # One after the other: a sum over a short last axis takes twice the time.
        distances = tf.add_n([tf.abs(row[:, None] - row) for row in tf.unstack(rows)])
        nearness = tf.reduce_sum(tf.exp(-distances), axis=0)
        return tf.concat([inputs, tf.cast(nearness, inputs.dtype)], axis=-1)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"features": self.features, "row": self.row}
