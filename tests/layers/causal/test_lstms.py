"""Row LSTM and Diagonal LSTM against their equation in numpy, and the skewing of images."""

import numpy as np
import pytest
import tensorflow as tf

from causality import dependence
from keras_gen.layers import DiagonalLSTM, RowLSTM
from keras_gen.layers.causal.diagonal_lstm import skew, unskew

HEIGHT, WIDTH, CHANNELS, UNITS = 3, 4, 2, 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell(gates, c):
    """Eq. (3) of one pixel."""
    o, f, i, g = gates.reshape(4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def random_layer(layer, rng):
    """The layer with random weights; the image's channels are one."""
    layer.build((None, HEIGHT, WIDTH, CHANNELS))
    for weight in layer.weights:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    return layer


def states(layer, x, gates_before, c_before):
    """h of all pixels, one after the other; the functions look at the states so far."""
    h, c = {}, {}
    for i in range(HEIGHT):
        columns = range(WIDTH)
        for j in reversed(columns) if getattr(layer, "backward", False) else columns:
            gates = layer.bias.numpy() + gates_before(h, i, j)
            kernel = layer.kernel.numpy()
            for tap in range(len(kernel) // 2 + 1):  # mask B
                column = j + tap - len(kernel) // 2
                if column >= 0:
                    gates = gates + x[i, column] @ kernel[tap]
            h[i, j], c[i, j] = cell(gates, c.get(c_before(i, j), np.zeros(UNITS)))
    return np.array([[h[i, j] for j in range(WIDTH)] for i in range(HEIGHT)])


def test_row_lstm_is_equation_3(rng):
    layer = random_layer(RowLSTM(UNITS, 3), rng)
    x = rng.normal(size=(HEIGHT, WIDTH, CHANNELS))
    kernel = layer.recurrent_kernel.numpy()

    def from_above(h, i, j):
        taps = [h.get((i - 1, j + tap - 1), np.zeros(UNITS)) @ kernel[tap] for tap in range(3)]
        return sum(taps)

    expected = states(layer, x, from_above, lambda i, j: (i - 1, j))
    found = layer(tf.constant(x[None], tf.float32))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("backward", [False, True])
def test_diagonal_lstm_is_equation_3(backward, rng):
    layer = random_layer(DiagonalLSTM(UNITS, backward), rng)
    x = rng.normal(size=(HEIGHT, WIDTH, CHANNELS))
    above, beside = layer.recurrent_kernel.numpy()
    side = 1 if backward else -1

    def from_two(h, i, j):
        nothing = np.zeros(UNITS)
        return h.get((i - 1, j), nothing) @ above + h.get((i, j + side), nothing) @ beside

    expected = states(layer, x, from_two, lambda i, j: (i, j + side))
    if backward:
        expected = np.concatenate([np.zeros_like(expected[:1]), expected[:-1]])
    found = layer(tf.constant(x[None], tf.float32))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.thorough
def test_both_diagonals_have_no_blind_spot(rng):
    """By gradient, the sum sees a pixel's own input and all before; a Row LSTM does not."""
    layers = [random_layer(DiagonalLSTM(UNITS, backward), rng) for backward in (False, True)]
    x = rng.normal(size=(1, HEIGHT, WIDTH, CHANNELS)).astype("float32")
    count = HEIGHT * WIDTH
    found = dependence(lambda x: layers[0](x) + layers[1](x), x).any(axis=(2, 5))
    np.testing.assert_array_equal(found.reshape(count, count), np.tri(count, dtype=bool))

    found = dependence(random_layer(RowLSTM(UNITS, 3), rng), x).any(axis=(2, 5))
    for i, j, row, column in np.ndindex(found.shape):
        up = i - row
        own_row = up == 0 and j - 1 <= column <= j  # mask B
        triangle = up > 0 and j - up - 1 <= column <= j + up
        assert found[i, j, row, column] == (own_row or triangle)


def test_skewing_moves_each_row_and_back(rng):
    x = rng.normal(size=(2, HEIGHT, WIDTH, CHANNELS)).astype("float32")
    expected = np.zeros((2, HEIGHT, WIDTH + HEIGHT - 1, CHANNELS), "float32")
    for row in range(HEIGHT):
        expected[:, row, row : row + WIDTH] = x[:, row]
    skewed = skew(tf.constant(x))
    np.testing.assert_array_equal(skewed, expected)
    np.testing.assert_array_equal(unskew(skewed, WIDTH), x)


def test_forget_gates_are_open_at_first():
    layer = RowLSTM(3)
    layer.build((None, 4, 4, 2))
    np.testing.assert_array_equal(layer.bias, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: RowLSTM(4, 2), "kernel_size is 2: expected an odd width"),
        (lambda: DiagonalLSTM(2, image_channels=3), "2 units for 3 channels of the image"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
