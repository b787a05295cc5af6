"""The LSTM cell of PixelRNN, whose states are those of a whole row or diagonal of pixels."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers.causal.causal_layer import CausalLayer
from keras_gen.layers.causal.masked_convolution import causal_mask

GATES = 4  # output, forget, input, content


class PixelLSTM(CausalLayer):
    """Base of `RowLSTM` and `DiagonalLSTM`: the cell of eq. (3), and a scan over such cells.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, sec. 3.1.
    The gates `[..., 4 * units]` are laid out as `[gate, unit]`. What the input adds to the gates of
    all pixels (input-to-state) is computed at once and has mask B. What the states before add to
    them (state-to-state) needs no mask, as these are of earlier pixels.

    Initial kernels and biases are those of `keras.layers.LSTM`, as the paper does not state them:
    biases are zero, those of the forget gate one.

    Args:
        units: The paper's h: features of a pixel's state, at least `image_channels`.
        input_width: Odd width of the kernel over the input's row.
        state_width: Number of states before that a pixel's gates depend on.
        image_channels: Channels of the image, into whose groups the features are divided as in
            `MaskedConvolution`.
    """

    @checked_arguments
    def __init__(
        self, units: int, input_width: int, state_width: int, image_channels: int, **kwargs
    ):
        super().__init__(**kwargs)
        if not 0 < image_channels <= units:
            raise ValueError(
                f"{units} units for {image_channels} channels of the image: expected at least 1 "
                "unit for each of 1 or more channels."
            )
        self.units = units
        self.input_width = input_width
        self.state_width = state_width
        self.image_channels = image_channels

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
        """Returns what the input adds to all gates, `[batch, height, width, 4 * units]`."""
        kernel = self.kernel * keras.ops.cast(self.kernel_mask, self.compute_dtype)
        gates = keras.ops.conv(inputs, kernel[None], padding="same", data_format="channels_last")
        return gates + self.bias

    def scan(self, gates: tf.Tensor, before: int) -> tf.Tensor:
        """Returns the states h of one row after the other, `[rows, batch, places, units]`.

        Args:
            gates: What the input adds to them, `[rows, batch, places, 4 * units]`.
            before: How many of the `state_width` places of the row above that a state depends on
                lie before its own place.
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
        """Returns the kernel of the pixel and those to its left, the states' kernel, the bias."""
        kernel = self.kernel.value * tf.cast(self.kernel_mask, self.kernel.dtype)
        seen = kernel[: self.input_width // 2 + 1]
        weights = tf.reshape(seen, [-1, GATES * self.units]), self.recurrent_kernel, self.bias
        return tuple(tf.cast(weight, self.compute_dtype) for weight in weights)

    @override
    def get_config(self) -> dict:
        return super().get_config() | {
            "units": self.units,
            "image_channels": self.image_channels,
        }


def lstm_cell(gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns h and c of the gates `[..., 4 * units]` and the c before (eq. 3)."""
    o, f, i, g = tf.split(gates, GATES, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def state_to_state(h: tf.Tensor, kernel: tf.Tensor, before: int) -> tf.Tensor:
    """Returns what a row of states `[batch, places, units]` adds to the gates of the next row."""
    width = kernel.shape[0]
    padded = tf.pad(h, [[0, 0], [before, width - 1 - before], [0, 0]])
    return tf.nn.conv1d(padded, kernel, stride=1, padding="VALID")


def initial_bias(shape, dtype=None):
    """Ones for the forget gate, and zeros."""
    forget = np.repeat([0.0, 1.0, 0.0, 0.0], shape[0] // GATES)
    return tf.constant(forget, dtype)
