"""Plain values of a model and its optimizers, by name."""

import keras
import numpy as np

from all_tiny import TINY
from keras_gen.core.configuration import _of_value, plain_configuration
from keras_gen.core.schedules import Linear


def test_of_a_model():
    found = plain_configuration(TINY["InstanceNoiseGAN"].compiled())
    wanted = {
        "model": "InstanceNoiseGAN",
        "model.std": "Linear",
        "model.std.end": 0.1,
        "model.penalty": "DRAGAN",
        "model.discriminator_steps": 2,
        "model.seed": 3,
        "model.augmentation": [],  # of its base, and not given
    }
    assert wanted.items() <= found.items()
    assert not [name for name in found if name.endswith(("name", "generator", "discriminator"))]


def test_names_do_not_count():
    one, other = (
        _of_value("optimizer", keras.optimizers.Adam(Linear(1e-3, 0.0, steps=5), name=name))
        for name in ("adam", "adam_1")
    )
    assert one == other and one["optimizer.learning_rate.steps"] == 5


def test_floats_are_those_of_float32():
    found = _of_value("optimizer", keras.optimizers.Adam(1e-3))
    assert found["optimizer"] == "Adam" and found["optimizer.learning_rate"] == 0.001


def test_lists_functions_and_what_has_no_plain_value():
    layer, network = keras.layers.Dense(2, name="a"), TINY["VAE"].build(1).encoder
    assert _of_value("x", (1, [2.0, "a"])) == {"x": [1, [2.0, "a"]]}
    assert _of_value("x", keras.ops.tanh) == {"x": "tanh"}
    assert _of_value("x", [network, layer])["x.1.units"] == 2
    for value in (network, [network], np.ones(3), lambda x: x, object(), np.tanh):
        assert _of_value("x", value) == {}
