"""Checks of networks: how many inputs they take, and what their outputs can be."""

import itertools
import math

import keras
import tensorflow as tf

from keras_gen import declared
from keras_gen.keras_internals import calls, origin


def require_built(*networks: keras.Model) -> None:
    """Raises a TypeError for what is no network, and a ValueError if one is not built yet."""
    for network in networks:
        declared.built("A network", network)


def require_inputs(count: int, owner: type, *networks) -> None:
    """Raises a ValueError if a functional model takes another number of inputs than `count`."""
    for network in networks:
        if len(network.inputs) != count:
            raise ValueError(
                f"The network '{network.name}' has {len(network.inputs)} inputs: "
                f"{owner.__name__} gives it {count}."
            )


def require_classes(classes: int, *networks, place: int = 1) -> None:
    """Raises a ValueError if networks are seen to know another number of classes.

    A one-hot vector would hold nothing but zeros for a class too many, and an embedding has none.

    Args:
        classes: The number of classes.
        *networks: Functional models.
        place: Of the labels among their inputs.
    """
    for network in networks:
        for known in _classes_of(network, network.inputs[place]):
            if known != classes:
                raise ValueError(
                    f"The network '{network.name}' takes labels 0 to {known - 1}: expected 0 to "
                    f"{classes - 1}, for as many classes as the model has."
                )


def _classes_of(network, labels) -> list[int]:
    """For how many classes a functional model embeds its input of labels, or makes it one-hot."""
    found = []
    for call in calls(network):
        if not any(each is labels for each in call.input_tensors):
            continue
        operation = call.operation
        if isinstance(operation, keras.Model):
            for inner, each in zip(operation.inputs, call.input_tensors, strict=True):
                found += _classes_of(operation, inner) if each is labels else []
        elif isinstance(operation, keras.layers.Embedding):
            found.append(operation.input_dim)
        elif hasattr(operation, "num_classes"):  # `keras.ops.one_hot`
            found.append(operation.num_classes)
    return found


def require_takes(network: keras.Model, shape: tuple[int, ...]) -> None:
    """Raises a ValueError if the first input of a functional model takes other examples."""
    taken = tuple(network.inputs[0].shape[1:])
    if not tf.TensorShape(taken).is_compatible_with(shape):
        raise ValueError(
            f"The network '{network.name}' takes values of shape {taken}: expected {tuple(shape)}."
        )


def require_chain(*networks) -> None:
    """Raises a ValueError unless each functional model takes what the one before it gives."""
    for before, network in itertools.pairwise(networks):
        require_takes(network, before.outputs[-1].shape[1:])


Range = tuple[float, float]
UNBOUNDED = (-math.inf, math.inf)
_FROM_0 = (0.0, math.inf)
# The range of each activation that leaves out numbers, by its name without underscores.
RANGES = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": _FROM_0,
    "relu6": (0.0, 6.0),
    "softplus": _FROM_0,
    "exponential": _FROM_0,
    "exp": _FROM_0,
    "elu": (-1.0, math.inf),
    "selu": (-1.7581, math.inf),
    "gelu": (-0.17, math.inf),
    "silu": (-0.2785, math.inf),
}
# Layers and operations that only lay out the values that they are given.
_LAYOUT = tuple(
    getattr(keras.layers, name)
    for name in (
        "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Identity", "Permute", "RepeatVector",
        "Reshape", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    )
)  # fmt: skip
_LAYOUT_OPERATIONS = ("Cast", "ExpandDims", "Reshape", "Squeeze", "Transpose")


def require_logits(*networks) -> None:
    """Raises a ValueError if a functional model's last activation leaves out logits.

    Losses apply the sigmoid or softmax; applied twice they leave gray images and discriminators
    that learn nothing.
    """
    for network in networks:
        for output in network.outputs:
            operation = _last_operation(output)
            activation = _activation(operation)
            if _range(operation) == (0.0, 1.0):
                raise ValueError(
                    f"The network '{network.name}' ends in a {activation}, which the loss applies "
                    f"too: let it end in logits, {_without_activation(network, operation)}."
                )
    require_range(UNBOUNDED, "logits", *networks)


def require_range(wanted: Range | None, what: str, *networks) -> None:
    """Raises a ValueError if a functional model's last activation leaves out values of a range.

    Args:
        wanted: Smallest and largest value that the outputs must be able to have; None: any.
        what: Plural name of the outputs, in the message.
        *networks: Functional models.
    """
    if wanted is None:
        return
    low, high = wanted
    for network in networks:
        for output in network.outputs:
            operation = _last_operation(output)
            least, most = _range(operation)
            if least <= low and high <= most:
                continue
            if wanted == UNBOUNDED:
                expected = f"{what}, which are any numbers"
                way_out = f"end {_without_activation(network, operation)}"
            else:
                expected = f"{what} {_from_to(low, high)}"
                way_out = "end in a tanh, or rescale what it gives"
            raise ValueError(
                f"The network '{network.name}' ends in the activation {_activation(operation)}, "
                f"whose values are {_from_to(least, most)}: expected {expected}; let it {way_out}."
            )


def _from_to(low: float, high: float) -> str:
    return f"from {low:g}" + (f" to {high:g}" if high < math.inf else "")


def require_probabilities(network: keras.Model) -> None:
    """Raises a ValueError if a functional model is seen to end in numbers out of 0 to 1.

    That is in another activation than a sigmoid or a softmax, or in none.
    """
    for output in network.outputs:
        operation = _last_operation(output)
        if hasattr(operation, "activation") and _range(operation) != (0.0, 1.0):
            raise ValueError(
                f"The network '{network.name}' ends in a layer of activation "
                f"{_activation(operation)}: expected numbers between 0 and 1, as of "
                "output_activation='sigmoid'."
            )


def _last_operation(tensor):
    """The operation of a functional model that gives its output values and not only a layout."""
    operation, inputs, place = origin(tensor)
    if isinstance(operation, keras.layers.Wrapper):
        operation = operation.layer
    if isinstance(operation, keras.Model):
        return _last_operation(operation.outputs[place])
    linear = type(operation) is keras.layers.Activation and _activation(operation) == "linear"
    name = type(operation).__name__
    if linear or isinstance(operation, _LAYOUT) or name in _LAYOUT_OPERATIONS:
        return _last_operation(inputs[0])
    return operation


def _activation(operation) -> str:
    """The name of the activation that an operation ends in."""
    activation = getattr(operation, "activation", None)
    # The class of an operation such as `keras.ops.sigmoid`, or of a Softmax layer, is named so.
    return getattr(activation, "__name__", type(operation).__name__.lower())


def _range(operation) -> Range:
    """The smallest and the largest value of the activation that an operation ends in."""
    if getattr(operation, "negative_slope", 0):  # of a ReLU layer
        return UNBOUNDED
    return RANGES.get(_activation(operation).replace("_", ""), UNBOUNDED)


def _without_activation(network, operation) -> str:
    """How a user gets the same trained network without its last activation."""
    last = network.layers[-1]
    if operation is not last:
        return "without an activation"
    if isinstance(operation, keras.layers.Dense | keras.layers.Conv2D):
        return (
            "by `logits = keras.models.clone_model(model); "
            "logits.set_weights(model.get_weights()); "
            "logits.layers[-1].activation = keras.activations.linear`"
        )
    return "by `logits = keras.Model(model.inputs, model.layers[-2].output)`"
