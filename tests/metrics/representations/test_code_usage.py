"""Bits of codes, and how many are in use."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import VectorQuantizer
from keras_gen.metrics import code_bits, code_uses, perplexity


def test_bits():
    assert code_bits((8, 8), 512) == 576  # 9 each
    assert code_bits((8, 8, 10), 512) == 5760
    assert code_bits((), 2) == 1
    # All that the codes can say has as many bits.
    assert 2 ** code_bits((2, 3), 5) == pytest.approx(5**6)


def test_uses(rng):
    codes = rng.integers(0, 6, (5, 4, 3))
    uses = code_uses(codes, 8)
    assert uses.tolist() == [(codes == code).sum() for code in range(8)]
    assert uses.dtype == np.int64 and uses[6:].tolist() == [0, 0]


def test_perplexity(rng):
    assert perplexity(np.full(7, 3)) == pytest.approx(7)
    assert perplexity([0, 9, 0]) == 1
    assert perplexity([2, 1, 1, 0]) == pytest.approx(2**1.5)  # entropy of 1.5 bits
    codes = rng.integers(0, 5, (4, 9)) ** 2 % 7
    layer = VectorQuantizer(7, 2).perplexity(tf.constant(codes, tf.int32))
    assert perplexity(code_uses(codes, 7)) == pytest.approx(float(layer), rel=1e-5)
