"""LSTMs over sequences and over images."""

import abc

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import Count, argument
from keras_gen.layers.causal.causal_layer import CausalLayer, empty_row, finished_row
from keras_gen.layers.causal.convolutions import causal_mask
from keras_gen.layers.layer_arguments import OddSide


@keras.saving.register_keras_serializable("keras_gen")
class CausalLSTM(CausalLayer):
    """An LSTM over a sequence, which can also be computed one time step at a time.

    Hochreiter, Schmidhuber: "Long Short-Term Memory", Neural Computation 1997, with the forget gate
    of Gers, Schmidhuber, Cummins (2000). Floats `[batch, time, channels]` become `[batch, time,
    units]`. The layer is equivalent to `keras.layers.LSTM` without dropout, including the initial
    weights, but also supports single steps. The order of its gates is the same as in `RowLSTM`.

    Args:
        units: Number of dimensions in the state.

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
        added = keras.ops.matmul(x, self.kernel) + self.bias  # at all time steps at once
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

    # One time step at a time ------------------------------------------------------------------

    @override
    def step_weights(self):
        weights = self.kernel, self.recurrent_kernel, self.bias
        return tuple(tf.cast(weight, self.compute_dtype) for weight in weights)

    @override
    def empty_cache(self, weights, batch, width):
        """Returns zeros for the hidden state and the cell state, each `[batch, units]`."""
        zeros = tf.zeros([batch, self.units], self.compute_dtype)
        return zeros, zeros

    @override
    def step(self, weights, cache, x, column):
        kernel, recurrent, bias = weights
        hidden, cell = cache
        gates = tf.cast(x, kernel.dtype) @ kernel + hidden @ recurrent + bias
        hidden, cell = lstm_cell(gates, cell)
        return hidden, (hidden, cell)


GATES = 4  # output, forget, input, content


class PixelLSTM(CausalLayer):
    """Base class for `RowLSTM` and `DiagonalLSTM`, with the cell of eq. (3) and its scan over rows.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.1.
    The gates `[..., 4 * units]` are in the order `[gate, unit]`. The input's contribution to the
    gates (input-to-state) is computed for all pixels at once, with mask B. The contribution of
    previous states (state-to-state) needs no mask, because these states belong to earlier pixels.

    Kernels and biases are initialized as in `keras.layers.LSTM`, because the paper does not specify
    them: the biases of the forget gate start at one, and all other biases start at zero.

    Args:
        units: Number of features in a pixel's state (h in the paper), at least `image_channels`.
        image_channels: Number of image channels. The features are divided into one group per
            channel, as in `MaskedConvolution`.
    """

    units: Count
    image_channels: Count = 1

    @override
    def set_up(self):
        if self.image_channels > self.units:
            raise ValueError(
                f"units is {self.units} for {self.image_channels} image channels: expected at "
                "least one unit per channel."
            )

    @property
    @abc.abstractmethod
    def input_width(self) -> int:
        """Odd width of the kernel that is applied to the input's row."""

    @property
    @abc.abstractmethod
    def state_width(self) -> int:
        """Number of previous states on which a pixel's gates depend."""

    @override
    def build(self, input_shape):
        channels = input_shape[-1]
        gates = GATES * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.input_width, channels, gates),
            initializer="glorot_uniform",
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.state_width, self.units, gates),
            initializer="orthogonal",
        )
        self.bias = self.add_weight(name="bias", shape=(gates,), initializer=initial_bias)
        shape = (1, self.input_width, channels, self.units)
        mask = causal_mask(*shape, mask="B", image_channels=self.image_channels)
        self.kernel_mask = np.tile(mask[0], GATES)

    def input_to_state(self, inputs):
        """Returns the input's contribution to all gates, `[batch, height, width, 4 * units]`."""
        kernel = self.kernel * keras.ops.cast(self.kernel_mask, self.compute_dtype)
        gates = keras.ops.conv(inputs, kernel[None], padding="same", data_format="channels_last")
        return gates + self.bias

    def scan(self, gates: tf.Tensor, before: int) -> tf.Tensor:
        """Returns the states h, row by row, `[rows, batch, places, units]`.

        Args:
            gates: Contribution of the input to the gates, `[rows, batch, places, 4 * units]`.
            before: Number of positions to the left of a state's own position, counted among the
                `state_width` positions in the row above that determine the state.
        """
        kernel = tf.convert_to_tensor(self.recurrent_kernel)
        nothing = tf.zeros_like(gates[0, ..., : self.units])

        def row(state, added):
            h, c = state
            return lstm_cell(added + state_to_state(h, kernel, before), c)

        h, _ = tf.scan(row, gates, (nothing, nothing))
        return h

    # One pixel at a time ---------------------------------------------------------------------

    @override
    def step_weights(self):
        """Returns the kernels (for the pixel, pixels to its left, and states) and the bias."""
        kernel = self.kernel.value * tf.cast(self.kernel_mask, self.kernel.dtype)
        seen = kernel[: self.input_width // 2 + 1]
        weights = tf.reshape(seen, [-1, GATES * self.units]), self.recurrent_kernel, self.bias
        return tuple(tf.cast(weight, self.compute_dtype) for weight in weights)


def lstm_cell(gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns h and c for the gates `[..., 4 * units]` and the previous c (eq. (3))."""
    o, f, i, g = tf.split(gates, GATES, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def state_to_state(h: tf.Tensor, kernel: tf.Tensor, before: int) -> tf.Tensor:
    """Returns the contribution of states `[batch, places, units]` to the gates of the next row."""
    width = kernel.shape[0]
    padded = tf.pad(h, [[0, 0], [before, width - 1 - before], [0, 0]])
    return tf.nn.conv1d(padded, kernel, stride=1, padding="VALID")


def initial_bias(shape, dtype=None):
    """Returns ones for the forget gate and zeros for the other gates."""
    forget = np.repeat([0.0, 1.0, 0.0, 0.0], shape[0] // GATES)
    return tf.constant(forget, dtype)


@keras.saving.register_keras_serializable("keras_gen")
class RowLSTM(PixelLSTM):
    """An LSTM that runs from the first row of an image to the last, with one step per row.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.1,
    eq. (3) and fig. 4 (left). The gates of a pixel depend on the input of its row up to the pixel
    itself (mask B) and on the states of the `kernel_size` nearest pixels in the row above. The
    pixel's cell state c depends on the cell state of the pixel above. The layer therefore sees only
    a triangle above the pixel. Floats `[batch, height, width, channels]` become `[batch, height,
    width, units]`.

    Args:
        units: Number of features in a pixel's state (h in the paper), at least `image_channels`.
        kernel_size: Odd width of both kernels.
        image_channels: Number of channels in the image, 1 or 3.

    Example:
        >>> y = RowLSTM(16)(tf.random.normal([2, 28, 28, 32]))
    """

    kernel_size: OddSide = 3
    image_channels: Count = argument(default=1, later=True)

    @property
    @override
    def input_width(self):
        return self.kernel_size

    @property
    @override
    def state_width(self):
        return self.kernel_size

    @override
    def call(self, inputs):
        gates = tf.transpose(self.input_to_state(inputs), [1, 0, 2, 3])
        states = self.scan(gates, before=self.kernel_size // 2)
        return tf.transpose(states, [1, 0, 2, 3])

    # One pixel at a time ---------------------------------------------------------------------

    @override
    def empty_cache(self, weights, batch, width):
        """Returns zeros, like the padding in `call`.

        The cache at a pixel contains the inputs to the left of the pixel, the contribution of the
        states above to the gates of each pixel in the row, the c above, and the states h and c of
        the row so far.
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


@keras.saving.register_keras_serializable("keras_gen")
class DiagonalLSTM(PixelLSTM):
    """An LSTM that runs along the diagonals of an image, starting at one of the upper corners.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.2,
    eq. (3), fig. 3, and fig. 4 (right). The gates of a pixel depend on its input (1x1, mask B) and
    on the states h of the pixels above and to the left. The pixel's c depends on the c of the pixel
    to the left. The layer therefore sees all pixels above and to the left, without a blind spot. If
    `backward`, the LSTM starts at the upper right corner, and the pixel to the right replaces the
    pixel to the left. Because the pixel to the right comes later, the output is shifted down by one
    row, below a row of zeros. The sum of both directions is the Diagonal BiLSTM, which sees all
    previous pixels.

    The pixels of a diagonal do not depend on each other. Skewing the image turns the diagonals into
    columns. All pixels in a column are computed at once, so an image takes `width + height - 1`
    steps. Floats `[batch, height, width, channels]` become `[batch, height, width, units]`.

    Args:
        units: Number of features in a pixel's state (h in the paper), at least `image_channels`.
        backward: Whether the LSTM starts at the upper right corner.
        image_channels: Number of channels in the image, 1 or 3.

    Example:
        >>> x = tf.random.normal([2, 28, 28, 32])
        >>> y = DiagonalLSTM(16)(x) + DiagonalLSTM(16, backward=True)(x)
    """

    backward: bool = False
    image_channels: Count = argument(default=1, later=True)
    input_width = 1
    state_width = 2

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
        # Outside the image, the gates are zero, and so is the resulting state.
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
        """Returns zeros, like the padding in `call`.

        The cache at a pixel contains the states h and c of the pixel to the left, the contribution
        of the states above to the gates of each pixel in the row, and the states h of the row so
        far. If `backward`, the cache contains the states h of the row above, which are the outputs,
        and the inputs of the row so far.
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


def skew(x: tf.Tensor) -> tf.Tensor:
    """Shifts each row to the right by one position more than the row above (fig. 3).

    Floats `[batch, height, width, channels]` become `[batch, height, width + height - 1,
    channels]`, padded with zeros. The diagonals that rise to the right become columns.

    Example:
        >>> skew(tf.ones([1, 2, 2, 1]))[0, ..., 0].numpy()
        array([[1., 1., 0.],
               [0., 1., 1.]], dtype=float32)
    """
    height, width, channels = x.shape[1:]
    # Reading rows that are one position shorter than the written rows shifts each row by one
    # position.
    padded = tf.pad(x, [[0, 0], [0, 0], [0, height], [0, 0]])
    line = tf.reshape(padded, [-1, height * (width + height), channels])
    return tf.reshape(line[:, :-height], [-1, height, width + height - 1, channels])


def unskew(x: tf.Tensor, width: int) -> tf.Tensor:
    """Returns the image `[batch, height, width, channels]` that was passed to `skew`."""
    height, skewed, channels = x.shape[1:]
    line = tf.reshape(x, [-1, height * skewed, channels])
    line = tf.pad(line, [[0, 0], [0, height], [0, 0]])
    return tf.reshape(line, [-1, height, skewed + 1, channels])[:, :, :width]
