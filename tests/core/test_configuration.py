"""Plain values of a model and its optimizers, by name."""

import keras
import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.core.configuration import _of_value, plain_configuration
from keras_gen.core.schedules import Linear
from keras_gen.vae import ConditionalVAE


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


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("class_names", 5, "class_names is 5: expected a list"),
        ("class_names", "ab", "class_names is 'ab': expected a list"),
        ("class_names", ["a", "a"], "class_names contains 'a' twice: expected distinct names"),
        ("class_names", ["a"], "got 1 names, a: expected 2, one per class"),
        ("column_names", 5, "column_names is 5: expected a dict"),
        ("column_names", {"y": ["a"]}, "a key of column_names is 'y': expected 'x'"),
        ("column_names", {"x": "ab"}, "column_names is 'ab': expected a list"),
        ("column_names", {"x": ["a", "a"]}, "column_names contains 'a' twice"),
        ("column_names", {"x": ["a"]}, "got 1 column names, a: expected 2, one per column"),
        ("started_from", 5, "started_from is 5: expected a string"),
    ],
)
def test_wrong_names_in_a_configuration_are_refused(key, value, sentence):
    model = ConditionalVAE.for_vectors((1, 2), classes=2, latent_dim=1, hidden=(2,))
    with pytest.raises((TypeError, ValueError), match=sentence):
        ConditionalVAE.from_config({**model.get_config(), key: value})


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
