"""The Row LSTM of PixelRNN."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.causal.causal_layer import empty_row, finished_row
from keras_gen.layers.causal.pixel_lstm import GATES, PixelLSTM, lstm_cell, state_to_state


@keras.saving.register_keras_serializable("keras_gen")
class RowLSTM(PixelLSTM):
    """An LSTM from the first row to the last, whose states are those of a whole row.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.1,
    eq. (3) and fig. 4 (left). The gates of a pixel depend on the input of its row up to the pixel
    itself (mask B) and on the states of `kernel_size` pixels around it in the row above; its c
    depends on the c of the pixel above. So it sees a triangle above the pixel, and misses what lies
    outside of it. Floats `[batch, height, width, channels]` become `[batch, height, width, units]`.

    Args:
        units: The paper's h, at least `image_channels`.
        kernel_size: Odd width of both kernels.
        image_channels: Channels of the image: 1 or 3.

    Example:
        >>> y = RowLSTM(16)(tf.random.normal([2, 28, 28, 32]))
    """

    @checked_arguments
    def __init__(self, units: int, kernel_size: int = 3, image_channels: int = 1, **kwargs):
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size is {kernel_size}: expected an odd width, such as 3 or 5."
            )
        super().__init__(units, kernel_size, kernel_size, image_channels, **kwargs)
        self.kernel_size = kernel_size

    @override
    def call(self, inputs):
        gates = tf.transpose(self.input_to_state(inputs), [1, 0, 2, 3])
        states = self.scan(gates, before=self.kernel_size // 2)
        return tf.transpose(states, [1, 0, 2, 3])

    # One pixel at a time ---------------------------------------------------------------------

    @override
    def empty_cache(self, weights, batch, width):
        """Returns zeros, as `call` pads with.

        The cache of a pixel has the inputs to its left; what the states above add to the gates of
        each pixel of the row; the c above; and the states of its row so far, h and c.
        """
        kernel, _, bias = weights
        margin = self.kernel_size // 2
        channels = kernel.shape[0] // (margin + 1)
        left = tf.zeros([batch, margin * channels], bias.dtype)
        added = tf.zeros([width, batch, GATES * self.units], bias.dtype) + bias
        c_above = tf.zeros([width, batch, self.units], bias.dtype)
        h_row = empty_row(bias.dtype, width, self.units)
        c_row = empty_row(bias.dtype, width, self.units)
        return left, added, c_above, h_row, c_row

    @override
    def step(self, weights, cache, x, column):
        kernel, _, _ = weights
        left, added, c_above, h_row, c_row = cache
        seen = tf.concat([left, tf.cast(x, left.dtype)], axis=-1)
        h, c = lstm_cell(added[column] + seen @ kernel, c_above[column])
        left = seen[:, x.shape[-1] :]
        return h, (left, added, c_above, h_row.write(column, h), c_row.write(column, c))

    @override
    def next_row(self, weights, cache):
        _, recurrent_kernel, bias = weights
        left, added, _, h_row, c_row = cache
        h = tf.transpose(finished_row(h_row, added), [1, 0, 2])
        c_above = finished_row(c_row, added)
        added = state_to_state(h, recurrent_kernel, before=self.kernel_size // 2) + bias
        width = tf.shape(c_above)[0]
        h_row = empty_row(bias.dtype, width, self.units)
        c_row = empty_row(bias.dtype, width, self.units)
        return tf.zeros_like(left), tf.transpose(added, [1, 0, 2]), c_above, h_row, c_row

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"kernel_size": self.kernel_size}
