"""The two directions of PixelRNN's Diagonal BiLSTM."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.causal.causal_layer import empty_row, finished_row
from keras_gen.layers.causal.pixel_lstm import GATES, PixelLSTM, lstm_cell


@keras.saving.register_keras_serializable("keras_gen")
class DiagonalLSTM(PixelLSTM):
    """An LSTM along the diagonals of an image, from one of its upper corners.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.2,
    eq. (3), fig. 3 and fig. 4 (right). The gates of a pixel depend on its input (1x1, mask B) and
    on the states of two pixels: the one above and the one to the left, whose c counts too. So it
    sees all pixels above and to the left, with no blind spot. `backward` begins at the upper right
    corner instead, with the pixel to the right in place of the one to the left. A pixel to the
    right comes later; therefore its output is shifted down by one row, below a row of zeros. The
    sum of both directions is the Diagonal BiLSTM, which sees all pixels before.

    Pixels of a diagonal do not depend on each other. Skewing the image makes columns of the
    diagonals, which are computed at once: `width + height - 1` steps. Floats `[batch, height,
    width, channels]` become `[batch, height, width, units]`.

    Args:
        units: The paper's h, at least `image_channels`.
        backward: Whether it begins at the upper right corner.
        image_channels: Channels of the image: 1 or 3.

    Example:
        >>> x = tf.random.normal([2, 28, 28, 32])
        >>> y = DiagonalLSTM(16)(x) + DiagonalLSTM(16, backward=True)(x)
    """

    @checked_arguments
    def __init__(self, units: int, backward: bool = False, image_channels: int = 1, **kwargs):
        super().__init__(units, 1, 2, image_channels, **kwargs)
        self.backward = backward

    @property
    @override
    def sees_itself(self) -> bool:  # type: ignore[override]
        return not self.backward

    @override
    def call(self, inputs):
        gates = self.input_to_state(inputs)
        width = gates.shape[2]
        if self.backward:
            gates = tf.reverse(gates, axis=[2])
        # Outside the image the gates are zero, and so is the state that they give.
        diagonals = tf.transpose(skew(gates), [2, 0, 1, 3])
        states = self.scan(diagonals, before=1)
        states = unskew(tf.transpose(states, [1, 2, 0, 3]), width)
        if not self.backward:
            return states
        states = tf.reverse(states, axis=[2])
        return tf.pad(states, [[0, 0], [1, 0], [0, 0], [0, 0]])[:, :-1]

    # One pixel at a time ---------------------------------------------------------------------

    @override
    def empty_cache(self, weights, batch, width):
        """Returns zeros, as `call` pads with.

        The cache of a pixel has the states h and c to its left; what the states above add to the
        gates of each pixel of the row; and the states h of its row so far. Backward, the cache has
        the states h of the row above, which are the outputs, and the inputs of its row so far.
        """
        kernel, _, bias = weights
        if self.backward:
            above = tf.zeros([width, batch, self.units], bias.dtype)
            return above, empty_row(bias.dtype, width, kernel.shape[0])
        nothing = tf.zeros([batch, self.units], bias.dtype)
        added = tf.zeros([width, batch, GATES * self.units], bias.dtype) + bias
        return nothing, nothing, added, empty_row(bias.dtype, width, self.units)

    @override
    def step(self, weights, cache, x, column):
        kernel, (_, beside), bias = weights[0], tf.unstack(weights[1]), weights[2]
        x = tf.cast(x, bias.dtype)
        if self.backward:
            above, inputs = cache
            return above[column], (above, inputs.write(column, x))
        h, c, added, row = cache
        h, c = lstm_cell(added[column] + x @ kernel + h @ beside, c)
        return h, (h, c, added, row.write(column, h))

    @override
    def next_row(self, weights, cache):
        kernel, (above_kernel, beside), bias = weights[0], tf.unstack(weights[1]), weights[2]
        if not self.backward:
            h, c, added, row = cache
            added = finished_row(row, added) @ above_kernel + bias
            row = empty_row(bias.dtype, tf.shape(added)[0], self.units)
            return tf.zeros_like(h), tf.zeros_like(c), added, row
        above, row = cache
        inputs = finished_row(row, above)
        added = inputs @ kernel + above @ above_kernel + bias
        nothing = tf.zeros_like(above[0])

        def pixel(state, added):
            h, c = state
            return lstm_cell(added + h @ beside, c)

        h, _ = tf.scan(pixel, added, (nothing, nothing), reverse=True)
        return h, empty_row(bias.dtype, tf.shape(inputs)[0], inputs.shape[-1])

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"backward": self.backward}


def skew(x: tf.Tensor) -> tf.Tensor:
    """Moves each row one place farther to the right than the row above (fig. 3).

    Floats `[batch, height, width, channels]` become `[batch, height, width + height - 1,
    channels]`, with zeros around. The diagonals that rise to the right become columns.

    Example:
        >>> skew(tf.ones([1, 2, 2, 1]))[0, ..., 0].numpy()
        array([[1., 1., 0.],
               [0., 1., 1.]], dtype=float32)
    """
    height, width, channels = x.shape[1:]
    # Rows that are shorter by one place than they were written begin one place later each.
    padded = tf.pad(x, [[0, 0], [0, 0], [0, height], [0, 0]])
    line = tf.reshape(padded, [-1, height * (width + height), channels])
    return tf.reshape(line[:, :-height], [-1, height, width + height - 1, channels])


def unskew(x: tf.Tensor, width: int) -> tf.Tensor:
    """Returns the image `[batch, height, width, channels]` that `skew` was given."""
    height, skewed, channels = x.shape[1:]
    line = tf.reshape(x, [-1, height * skewed, channels])
    line = tf.pad(line, [[0, 0], [0, height], [0, 0]])
    return tf.reshape(line, [-1, height, skewed + 1, channels])[:, :, :width]
