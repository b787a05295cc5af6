"""Checks of networks: what they end in."""

import keras
import pytest
from keras import layers, ops

from keras_gen.core import require_logits
from keras_gen.losses import Bernoulli, Normal
from keras_gen.networks import mlp_decoder
from keras_gen.vae import VAE

INPUTS = (4,)
SQUASHED = [
    ("sigmoid", lambda x: layers.Dense(4, activation="sigmoid")(x)),
    ("softmax", lambda x: layers.Dense(4, activation="softmax")(x)),
    ("hard_sigmoid", lambda x: layers.Activation("hard_sigmoid")(x)),
    ("softmax", lambda x: layers.Softmax()(x)),
    ("sigmoid", lambda x: ops.sigmoid(x)),
    ("softmax", lambda x: ops.softmax(x)),
    ("sigmoid", lambda x: layers.Reshape((2, 2))(layers.Activation("sigmoid")(x))),
    ("sigmoid", lambda x: layers.Flatten()(layers.Reshape((2, 2))(ops.sigmoid(x)))),
    ("sigmoid", lambda x: keras.Sequential([layers.Dense(2, activation="sigmoid")])(x)),
    ("sigmoid", lambda x: keras.Sequential([keras.Input(INPUTS), layers.Activation("sigmoid")])(x)),
]
LOGITS = [
    lambda x: layers.Dense(4)(x),
    lambda x: layers.Dense(4, activation="tanh")(x),
    lambda x: layers.Dense(4)(ops.sigmoid(x)),
    lambda x: x * ops.sigmoid(x),
    lambda x: layers.Reshape((2, 2))(layers.ReLU()(x)),
]


def network(function, name="last"):
    inputs = keras.Input(INPUTS)
    return keras.Model(inputs, function(inputs), name=name)


@pytest.mark.parametrize("activation,function", SQUASHED)
def test_what_a_loss_would_apply_again(activation, function):
    with pytest.raises(ValueError) as caught:
        require_logits(network(layers.Dense(1).__call__), network(function))
    text = str(caught.value)
    assert text.startswith(
        f"The network 'last' ends in a {activation}, which the loss applies too: let it end in "
        "logits, "
    )
    assert text.endswith(
        (
            "by `logits = keras.Model(model.inputs, model.layers[-2].output)`.",
            "logits.layers[-1].activation = keras.activations.linear`.",
            "without an activation.",
        )
    )


@pytest.mark.parametrize("function", LOGITS)
def test_logits(function):
    require_logits(network(function))


def test_every_output_counts():
    inputs = keras.Input(INPUTS)
    outputs = [layers.Dense(1)(inputs), layers.Dense(3, activation="softmax")(inputs)]
    with pytest.raises(ValueError, match="ends in a softmax"):
        require_logits(keras.Model(inputs, outputs))


def test_a_likelihood_says_whether_it_takes_logits():
    encoder = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten()])
    heads = [layers.Dense(3)(encoder.outputs[0]) for _ in range(2)]
    encoder = keras.Model(encoder.inputs, heads)
    decoder = mlp_decoder((2, 2, 1), latent_dim=3)
    squashed = keras.Sequential([decoder, layers.Activation("sigmoid")])
    VAE(encoder, squashed, likelihood=Normal())
    with pytest.raises(ValueError, match="ends in a sigmoid"):
        VAE(encoder, squashed, likelihood=Bernoulli())
