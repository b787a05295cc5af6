"""Checks of networks: what they end in, and how many classes they know."""

import re

import keras
import pytest
from keras import layers, ops

from keras_gen.core import require_classes, require_logits, require_range
from keras_gen.losses import Bernoulli, UnboundedNormal
from keras_gen.networks import gated_pixel_cnn, mlp_decoder, mlp_encoder, with_labels
from keras_gen.vae import VAE, ConditionalVAE

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
    lambda x: layers.Dense(4)(ops.sigmoid(x)),
    lambda x: x * ops.sigmoid(x),
    lambda x: layers.ReLU(negative_slope=0.2)(x),
    lambda x: layers.LeakyReLU()(x),
    lambda x: layers.Activation("linear")(x),
    lambda x: ops.log_softmax(x),
]
# The activation, and whether it can give all images in [-1, 1].
BOUNDED = [
    ("tanh", True, lambda x: layers.Dense(4, activation="tanh")(x)),
    ("tanh", True, lambda x: layers.Activation("linear", dtype="float32")(ops.tanh(x))),
    ("softsign", True, lambda x: ops.cast(ops.softsign(x), "float64")),
    ("elu", True, lambda x: layers.ELU()(x)),
    ("relu", False, lambda x: layers.Reshape((2, 2))(layers.ReLU()(x))),
    ("relu6", False, lambda x: layers.RepeatVector(2)(layers.Dense(4, activation="relu6")(x))),
    ("softplus", False, lambda x: layers.TimeDistributed(layers.Dense(2, activation="softplus"))(
        layers.Reshape((2, 2))(x))),
    ("exponential", False, lambda x: keras.Sequential([layers.Dense(2, "exponential")])(x)),
    ("exp", False, lambda x: ops.expand_dims(ops.exp(x), 1)),
]  # fmt: skip


def network(function, name="last"):
    inputs = keras.Input(INPUTS)
    return keras.Model(inputs, function(inputs), name=name)


@pytest.mark.parametrize("activation,function", SQUASHED)
def test_what_a_loss_would_apply_again(activation, function):
    with pytest.raises(ValueError) as caught:
        require_logits(network(layers.Dense(1).__call__), network(function))
    text = str(caught.value)
    assert text.startswith(
        f"The network 'last' ends in a {activation}, but the loss applies this function itself: "
        "make the network return logits, "
    )
    assert text.endswith(
        (
            "with `logits = keras.Model(model.inputs, model.layers[-2].output)`.",
            "logits.layers[-1].activation = keras.activations.linear`.",
            "without an activation.",
        )
    )


@pytest.mark.parametrize("function", LOGITS)
def test_logits(function):
    require_logits(network(function))
    require_range((-1.0, 1.0), "images", network(function))


@pytest.mark.parametrize("activation,images,function", BOUNDED)
def test_activations_that_leave_out_values(activation, images, function):
    values = (
        rf"^The network 'last' ends in the activation {activation}, whose values range from \S+"
    )
    sentence = rf"{values}.*: expected logits, which are unbounded. Make the network return .*\.$"
    with pytest.raises(ValueError, match=sentence):
        require_logits(network(function))
    require_range(None, "images", network(function))
    if images:
        require_range((-1.0, 1.0), "images", network(function))
    else:
        sentence = (
            rf"{values}.*: expected images from -1 to 1. Make the network end in a tanh, or rescale"
        )
        with pytest.raises(ValueError, match=sentence):
            require_range((-1.0, 1.0), "images", network(function))


def test_an_encoder_of_three_outputs_is_cut():
    x = keras.Input((2, 2, 1))
    flat = layers.Flatten()(x)
    mean, log_variance = layers.Dense(3)(flat), layers.Dense(3)(flat)
    encoder = keras.Model(x, [mean, log_variance, mean + log_variance], name="encoder")
    with pytest.raises(ValueError, match=r"'encoder' has 3 outputs: .* Pass (.*)\.$") as caught:
        VAE(encoder, mlp_decoder((2, 2, 1), latent_dim=3))
    cut = eval(re.search(r"Pass (.*)\.$", str(caught.value))[1], dict(keras=keras, encoder=encoder))
    assert VAE(cut, mlp_decoder((2, 2, 1), latent_dim=3)).latent_dim == 3


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
    VAE(encoder, squashed, likelihood=UnboundedNormal(scale=1.0))
    with pytest.raises(ValueError, match="ends in a sigmoid"):
        VAE(encoder, squashed, likelihood=Bernoulli())


def labeled(layer):
    """A network of numbers and labels, of which the layer makes vectors."""
    values, labels = keras.Input((2,)), keras.Input((), dtype="int32")
    return keras.Model([values, labels], layers.Concatenate()([values, layer(labels)]))


def nested(network):
    """A network that gives its inputs to another."""
    inputs = [keras.Input(each.shape[1:], dtype=each.dtype) for each in network.inputs]
    return keras.Model(inputs, network(inputs))


NETWORKS_OF_5_CLASSES = [
    lambda: labeled(layers.Embedding(5, 3)),
    lambda: labeled(lambda labels: ops.one_hot(labels, 5)),
    lambda: nested(labeled(layers.Embedding(5, 3))),
    lambda: with_labels(mlp_decoder((4,), 2 + 5, (3,)), 5),
    lambda: gated_pixel_cnn((4, 4, 1), 1, filters=4, blocks=1, levels=2, classes=5),
]


@pytest.mark.parametrize("build", NETWORKS_OF_5_CLASSES)
def test_networks_of_other_classes_are_refused(build):
    network = build()
    require_classes(5, network)
    with pytest.raises(ValueError, match="accepts labels from 0 to 4: expected labels from 0 to 9"):
        require_classes(10, network)


def test_what_is_not_seen_of_labels_is_left_alone():
    require_classes(10, labeled(lambda labels: ops.cast(ops.reshape(labels, (-1, 1)), "float32")))
    # An embedding of another input is none of the labels.
    codes, labels = keras.Input((1,), dtype="int32"), keras.Input((), dtype="int32")
    both = ops.concatenate(
        [layers.Flatten()(layers.Embedding(7, 2)(codes)), layers.Embedding(10, 2)(labels)], axis=-1
    )
    require_classes(10, keras.Model([codes, labels], both))


def test_a_conditional_vae_knows_the_classes_of_its_networks():
    encoder = mlp_encoder((2 + 5,), 2, (3,), heads=("mean", "log_variance"))
    networks = with_labels(encoder, 5), with_labels(mlp_decoder((4,), 2 + 5, (3,)), 5)
    with pytest.raises(
        ValueError, match="'encoder' accepts labels from 0 to 4: expected labels from 0 to 9"
    ):
        ConditionalVAE(*networks, classes=10, likelihood="unbounded_normal")
