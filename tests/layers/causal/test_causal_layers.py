"""Causal layers: what they see, and that one place at a time they compute what they do at once."""

import numpy as np
import pytest
import tensorflow as tf

from causality import dependence
from keras_gen.layers import (
    CausalAttention,
    CausalConvolution,
    CausalLSTM,
    DiagonalLSTM,
    LearnedPositions,
    MaskedConvolution,
    RowLSTM,
    Shift,
    VerticalConvolution,
)
from keras_gen.layers.causal.lstms import skew, unskew

IMAGE = (4, 5, 3)
SEQUENCE = (9, 3)
LAYERS = {
    "masked A": lambda: (MaskedConvolution(4, 3, "A", activation="tanh"), IMAGE),
    "masked B": lambda: (MaskedConvolution(4, (5, 3), "B"), IMAGE),
    "masked row": lambda: (MaskedConvolution(4, (1, 5), "A"), IMAGE),
    "masked pixel": lambda: (MaskedConvolution(4, 1, "B"), IMAGE),
    "vertical of values": lambda: (VerticalConvolution(4, 5, sees_itself=False), IMAGE),
    "vertical": lambda: (VerticalConvolution(4, 3, activation="tanh"), IMAGE),
    "row LSTM": lambda: (RowLSTM(4), IMAGE),
    "row LSTM of channels": lambda: (RowLSTM(7, 5, image_channels=3), IMAGE),
    "diagonal LSTM": lambda: (DiagonalLSTM(4), IMAGE),
    "diagonal LSTM backward": lambda: (DiagonalLSTM(5, backward=True, image_channels=3), IMAGE),
    "convolution": lambda: (CausalConvolution(4, 3, dilation=2, activation="tanh"), SEQUENCE),
    "convolution of values": lambda: (CausalConvolution(4, 2, sees_itself=False), SEQUENCE),
    "convolution of one tap": lambda: (CausalConvolution(4, 1, use_bias=False), SEQUENCE),
    "shift": lambda: (Shift(), SEQUENCE),
    "LSTM": lambda: (CausalLSTM(4), SEQUENCE),
    "attention": lambda: (CausalAttention(3), (9, 6)),
    "positions": lambda: (LearnedPositions(11), SEQUENCE),
}


def by_steps(layer, x):
    """The outputs step by step: from left to right, row by row."""
    rows = x if x.ndim == 4 else x[:, None]
    weights = layer.step_weights()
    cache = layer.empty_cache(weights, tf.shape(x)[0], rows.shape[2])
    outputs = []
    for row in range(rows.shape[1]):
        if layer.by_rows:
            y, cache = layer.step(weights, cache, rows[:, row], None)
            outputs.append(y)
            continue
        line = []
        for column in range(rows.shape[2]):
            y, cache = layer.step(weights, cache, rows[:, row, column], column)
            line.append(y)
        outputs.append(tf.stack(line, axis=1))
        if row + 1 < rows.shape[1]:
            cache = layer.next_row(weights, cache)
    return tf.reshape(tf.stack(outputs, axis=1), [*x.shape[:-1], -1])


@pytest.mark.thorough
@pytest.mark.parametrize("name", LAYERS)
def test_steps_give_what_the_layer_gives_at_once(name, rng):
    layer, shape = LAYERS[name]()
    x = rng.normal(size=(2, *shape)).astype("float32")
    layer.build(x.shape)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    expected = layer(x)
    np.testing.assert_allclose(by_steps(layer, tf.constant(x)), expected, atol=1e-4)


@pytest.mark.thorough
@pytest.mark.parametrize("name", LAYERS)
def test_layers_see_what_they_say(name, rng):
    """By gradient, at every pair of places; a layer of whole rows sees all columns of a row."""
    layer, shape = LAYERS[name]()
    found = dependence(layer, rng.normal(size=(1, *shape)).astype("float32"))
    places = len(shape) - 1
    found = found.any(axis=(places, -1))
    rows, columns = shape[:-1] if places == 2 else (1, shape[0])
    found = found.reshape(rows * columns, rows * columns)
    order = np.arange(rows * columns)
    row = order // columns
    if layer.by_rows:
        allowed = row[:, None] >= row + (not layer.sees_itself)
    else:
        allowed = order[:, None] >= order + (not layer.sees_itself)
    assert not (found & ~allowed).any()
    itself = found.diagonal().all()
    assert itself == layer.sees_itself


def test_a_step_leaves_its_cache_as_it_was(rng):
    layer, shape = LAYERS["masked B"]()
    x = rng.normal(size=(2, *shape)).astype("float32")
    layer(x)
    weights = layer.step_weights()
    cache = layer.empty_cache(weights, 2, 5)
    first, _ = layer.step(weights, cache, x[:, 0, 0], 0)
    layer.step(weights, cache, x[:, 1, 1], 0)
    again, _ = layer.step(weights, cache, x[:, 0, 0], 0)
    np.testing.assert_array_equal(first, again)


def test_attention_is_the_formula_of_each_head(rng):
    """In numpy, head by head and place by place, without a mask: later places are left out."""
    heads, d, times = 3, 2, 5
    layer = CausalAttention(heads)
    x = rng.normal(size=(2, times, heads * d)).astype("float32")
    layer.build(x.shape)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    together = x @ layer.kernel.numpy() + layer.bias.numpy()
    queries, keys, values = (
        part.reshape(2, times, heads, d) for part in np.split(together, 3, axis=-1)
    )
    expected = np.zeros([2, times, heads, d])
    for example, time, head in np.ndindex(2, times, heads):
        scores = keys[example, : time + 1, head] @ queries[example, time, head] / np.sqrt(d)
        weights = np.exp(scores) / np.exp(scores).sum()
        expected[example, time, head] = weights @ values[example, : time + 1, head]
    expected = expected.reshape(x.shape) @ layer.output_kernel.numpy() + layer.output_bias.numpy()
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


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
