"""The gated activation unit: its formula, and groups that do not mix."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import GatedUnit


@pytest.mark.parametrize("shape", [(2, 6), (2, 5, 6), (2, 3, 4, 6)])
@pytest.mark.parametrize("groups", [1, 3])
def test_each_group_has_its_own_halves(shape, groups, rng):
    x = rng.normal(size=shape).astype("float32")
    expected = []
    for group in np.split(x, groups, axis=-1):
        a, b = np.split(group, 2, axis=-1)
        expected.append(np.tanh(a) / (1 + np.exp(-b)))
    y = GatedUnit(groups)(tf.constant(x))
    np.testing.assert_allclose(y, np.concatenate(expected, axis=-1), atol=1e-6)


def test_any_length_and_a_configuration():
    symbol = keras.Input((None, 8))
    layer = GatedUnit(2)
    assert layer(symbol).shape == (None, None, 4)
    assert GatedUnit.from_config(layer.get_config()).groups == 2


def test_bad_channels_and_groups_are_refused():
    with pytest.raises(ValueError, match="got 6 channels: expected a multiple of 4"):
        GatedUnit(2)(tf.zeros([1, 6]))
    with pytest.raises(ValueError, match="groups must be at least 1, found 0"):
        GatedUnit(0)
