"""PixelRNN's networks: what they see, their sizes, their blocks."""

import numpy as np
import pytest
import tensorflow as tf

from causality import dependence
from keras_gen.networks.autoregressive.pixel_rnn_networks import pixel_rnn

SHAPE = (4, 7, 1)


def seen(rng, **arguments):
    """Which pixels the output at each pixel depends on, bool `[pixels, pixels]`."""
    network = pixel_rnn(SHAPE, 1, units=4, blocks=1, first_kernel=3, **arguments)
    x = rng.integers(0, 256, (4, *SHAPE)).astype("float32")
    count = np.prod(SHAPE)
    return dependence(network, x).reshape(count, count)


@pytest.mark.thorough
def test_the_diagonal_bilstm_sees_the_whole_context_but_ends_of_rows(rng):
    """All pixels before, except the end of the row just above where the first kernel ends earlier.

    The maps of the last pixel do not hold its own value (mask A); those that do lie in the next
    row, of which the direction from the right sees nothing.
    """
    height, width, _ = SHAPE
    expected = np.tri(height * width, k=-1, dtype=bool).reshape(*SHAPE[:2], *SHAPE[:2])
    for row in range(1, height):
        expected[row, : width - 2, row - 1, width - 1] = False
    found = seen(rng, kind="diagonal").reshape(expected.shape)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.thorough
def test_the_row_lstm_sees_a_triangle_above(rng):
    """One pixel more on both sides for each row farther up, and the row to the left."""
    found = seen(rng, kind="row").reshape(*SHAPE[:2], *SHAPE[:2])
    for i, j, row, column in np.ndindex(found.shape):
        # Two pixels to the left in its own row: mask B over mask A. The first convolution is one
        # row higher at the most, and one pixel farther to the right there.
        up = i - row
        left, right = j - 2 - up, j + up
        expected = left <= column <= right if up > 0 else up == 0 and left <= column < j
        assert found[i, j, row, column] == expected, (i, j, row, column)


@pytest.mark.thorough
@pytest.mark.parametrize("kind, lstms", [("row", 1), ("diagonal", 2)])
def test_size_of_the_papers_blocks(kind, lstms):
    """Fig. 5 (right): 2h -> h by the LSTM, h -> 2h by 1x1; before them 7x7 to 2h."""
    h, blocks, head = 8, 3, 12
    network = pixel_rnn((28, 28, 1), 256, h, blocks, kind, head_filters=head)
    taps, states = (3, 3) if kind == "row" else (1, 2)
    lstm = 4 * h * (taps * 2 * h + states * h + 1)
    block = lstms * lstm + (2 * h * h + 2 * h)
    top = (2 * h * head + head) + (head * head + head) + (head * 256 + 256)
    assert network.count_params() == 49 * 2 * h + 2 * h + blocks * block + top


@pytest.mark.thorough
def test_a_block_adds_to_what_it_is_given(rng):
    """Blocks that end in zeros change nothing."""
    deep, flat = (pixel_rnn((4, 4, 1), 5, 2, blocks, "row") for blocks in (2, 0))
    weights = deep.get_weights()
    for last in (5, 10):
        weights[last] *= 0
    deep.set_weights(weights)
    flat.set_weights(weights[:2] + weights[12:])
    x = rng.integers(0, 256, (2, 4, 4, 1)).astype("float32")
    np.testing.assert_array_equal(deep(x), flat(x))


@pytest.mark.thorough
def test_levels_are_scaled_inside(rng):
    network = pixel_rnn((4, 4, 3), 5, 3, blocks=1, levels=5)
    plain = pixel_rnn((4, 4, 3), 5, 3, blocks=1, levels=None)
    plain.set_weights(network.get_weights())
    x = rng.integers(0, 5, (2, 4, 4, 3))
    logits = network(x)
    assert logits.shape == (2, 4, 4, 15) and logits.dtype == tf.float32
    np.testing.assert_allclose(logits, plain(x / 2 - 1), atol=1e-5)


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="kind is 'column': expected 'row' or 'diagonal'"):
        pixel_rnn(kind="column")
