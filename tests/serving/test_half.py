"""Exports whose weights are stored in half the space."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.serving.export import export, load, load_weights
from keras_gen.serving.exported import read_metadata


class Lines:
    """Lines through numbers, and a network that no signature reads."""

    def __init__(self):
        layers = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
        self.network = keras.Sequential([*layers, keras.layers.Dense(2)])
        self.networks = {"lines": self.network, "critic": keras.Sequential([keras.Input((3,))])}
        self.networks["critic"].add(keras.layers.Dense(50))

    def map(self, x):
        return tf.cast(self.network(x, training=False), tf.float32)

    def signatures(self):
        return {"map": (self.map, [tf.TensorSpec([None, 3], tf.float32, "x")])}


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_they_are_those_of_the_model_rounded(tmp_path, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    model = Lines()
    keras.config.set_dtype_policy(before)
    random = np.random.default_rng(0)
    x = random.normal(size=[50, 3]).astype("float32")
    weights = [1 + random.random(w.shape).astype("float32") for w in model.network.get_weights()]
    model.network.set_weights(weights)
    path = export(model, tmp_path, "a", half=True)
    found = load(path)("map", x=x)["output"]
    for rounded, smallest, largest in ((True, 0, 1e-4), (False, 1e-3, 0.1)):
        twin = Lines()
        kept = [w.astype("float16") if rounded else w for w in weights]
        twin.network.set_weights(kept)
        assert smallest <= np.abs(found - twin.map(x)).max() < largest
    for expected, left in zip(weights, model.network.get_weights(), strict=True):
        np.testing.assert_array_equal(left, expected)

    stored = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    dtypes = stored.get_variable_to_dtype_map().items()
    kept = [dtype for key, dtype in dtypes if key.startswith("kept/")]
    assert kept == [tf.float16] * len(weights)
    whole = read_metadata(export(model, tmp_path, "b"))["networks"]
    assert read_metadata(path)["networks"] == whole == {"lines": {"parameters": 42}}


@pytest.mark.parametrize("half", [False, True])
def test_a_model_takes_the_weights_of_its_export(tmp_path, half):
    model, other = Lines(), Lines()
    path = export(model, tmp_path, "a", half=half)
    critic = other.networks["critic"].get_weights()
    load_weights(other, path.parent)
    for one, two in zip(model.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=5e-4 if half else 0)
    np.testing.assert_array_equal(other.networks["critic"].get_weights()[0], critic[0])
    other.networks["lines"] = other.network = keras.Sequential([keras.Input((3,))])
    other.network.add(keras.layers.Dense(2))
    with pytest.raises(ValueError, match=r"contains 8 weights, .* the 2 weights of this Lines"):
        load_weights(other, path)
