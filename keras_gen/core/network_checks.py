"""Checks for networks: shapes, finite weights, and the range of outputs."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_gen import declared
from keras_gen.arguments import shown
from keras_gen.core.minimize import NonFiniteLossError
from keras_gen.declared import fields_of
from keras_gen.keras_internals import calls, origin


def require_built(*networks: keras.Model) -> None:
    """Raises a TypeError if a value is not a network, or a ValueError if a network is not built."""
    for network in networks:
        declared.built("A network", network)


def require_latents(latent_dim: int | None, network) -> int:
    """Returns a decoder's latent dimension, which must equal `latent_dim` if that is not None."""
    taken = tuple(network.inputs[0].shape[1:])
    if latent_dim not in (None, taken[-1]):
        raise ValueError(
            f"latent_dim is {latent_dim}, but the network '{network.name}' accepts latents of "
            f"shape {taken}: expected a last axis of size {latent_dim}. Leave out latent_dim, "
            "because the networks determine it."
        )
    return taken[-1]


def require_classes(classes: int, *networks, place: int = 1) -> None:
    """Raises a ValueError if networks are known to use a different number of classes.

    For a class beyond this number, the one-hot code would be zero, or there would be no embedding.

    Args:
        classes: Number of classes.
        *networks: Functional models.
        place: Position of the labels among the networks' inputs.
    """
    for network in networks:
        for known in _classes_of(network, network.inputs[place]):
            if known != classes:
                raise ValueError(
                    f"The network '{network.name}' accepts labels from 0 to {known - 1}: "
                    f"expected labels from 0 to {classes - 1}, matching the number of classes of "
                    "the model."
                )


def _classes_of(network, labels) -> list[int]:
    """Returns the numbers of classes for which a model embeds or one-hot encodes its labels."""
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
    """Raises a ValueError if the first input of a functional model has a different shape."""
    taken = tuple(network.inputs[0].shape[1:])
    if not tf.TensorShape(taken).is_compatible_with(shape):
        raise ValueError(
            f"The network '{network.name}' accepts values of shape {taken}: expected "
            f"{tuple(shape)}."
        )


Range = tuple[float, float]
UNBOUNDED = (-math.inf, math.inf)
_FROM_0 = (0.0, math.inf)
# The range of each bounded activation, by its name without underscores.
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
# Layers and operations that only rearrange their input values.
_LAYOUT = tuple(
    getattr(keras.layers, name)
    for name in (
        "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Identity", "Permute", "RepeatVector",
        "Reshape", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    )
)  # fmt: skip
_LAYOUT_OPERATIONS = (
    "Cast",
    "ExpandDims",
    "NearestEnlargement",
    "Reshape",
    "Squeeze",
    "Transpose",
)


def require_logits(*networks) -> None:
    """Raises a ValueError if a functional model's last activation excludes some logits.

    The losses apply the sigmoid or softmax. If an activation were applied in the network as well,
    images would be gray, and discriminators would learn nothing.
    """
    for network in networks:
        for output in network.outputs:
            operation = _last_operation(output)
            activation = _activation(operation)
            if _range(operation) == (0.0, 1.0):
                raise ValueError(
                    f"The network '{network.name}' ends in a {activation}, but the loss applies "
                    "this function itself: make the network return logits, "
                    f"{_without_activation(network, operation)}."
                )
    require_range(UNBOUNDED, "logits", *networks)


def require_range(wanted: Range | None, what: str, *networks) -> None:
    """Raises a ValueError if a functional model's last activation excludes values of a range.

    Args:
        wanted: Minimum and maximum value that the outputs must be able to reach; None for any
            value.
        what: Name of the outputs in the plural, used in the error message.
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
                expected = f"{what}, which are unbounded"
                way_out = f"return unbounded values, {_without_activation(network, operation)}"
            else:
                expected = f"{what} {_from_to(low, high)}"
                way_out = "end in a tanh, or rescale its output"
            raise ValueError(
                f"The network '{network.name}' ends in the activation {_activation(operation)}, "
                f"whose values range {_from_to(least, most)}: expected {expected}. Make the "
                f"network {way_out}."
            )


def _from_to(low: float, high: float) -> str:
    return f"from {low:g}" + (f" to {high:g}" if high < math.inf else "")


def require_probabilities(network: keras.Model) -> None:
    """Raises a ValueError if a functional model is known to output numbers outside [0, 1].

    The range is known to be larger if the last activation is neither a sigmoid nor a softmax, or if
    there is no activation.
    """
    for output in network.outputs:
        operation = _last_operation(output)
        if hasattr(operation, "activation") and _range(operation) != (0.0, 1.0):
            raise ValueError(
                f"The network '{network.name}' ends in a layer with the activation "
                f"{_activation(operation)}: expected outputs between 0 and 1. For example, use "
                "output_activation='sigmoid'."
            )


def _last_operation(tensor):
    """Returns the last operation that computes a tensor's values, not only their layout."""
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
    """Returns the name of an operation's final activation."""
    activation = getattr(operation, "activation", None)
    # The class name is the activation's name for Softmax layers and for operations such as
    # `keras.ops.sigmoid`.
    return getattr(activation, "__name__", type(operation).__name__.lower())


def _range(operation) -> Range:
    """Returns the minimum and maximum of an operation's final activation."""
    if getattr(operation, "negative_slope", 0):  # true for leaky ReLU layers
        return UNBOUNDED
    return RANGES.get(_activation(operation).replace("_", ""), UNBOUNDED)


def _without_activation(network, operation) -> str:
    """Returns advice on how to remove the last activation of a trained network."""
    last = network.layers[-1]
    if operation is not last:
        return "without an activation"
    if isinstance(operation, keras.layers.Dense | keras.layers.Conv2D):
        return (
            "for example with `logits = keras.models.clone_model(model); "
            "logits.set_weights(model.get_weights()); logits.layers[-1].activation = "
            "keras.activations.linear`"
        )
    return "for example with `logits = keras.Model(model.inputs, model.layers[-2].output)`"


# Names of the model's own weights, outside its networks, that are counts or standard deviations.
_AMOUNTS = ("deviation", "examples", "class_counts", "changes", "filled", "step")


def check_weights(model) -> None:
    """Raises an error if a weight of a network or of the model itself is not finite.

    On a CPU, ReLU silently turns NaN into 0. The model's own weights are the units of its data and
    its stored state, such as the buffer of `keras_gen.EBM`.

    Raises:
        NonFiniteLossError: If a weight is not finite.
        ValueError: If one of the model's own counts or standard deviations is negative.
    """
    for weight in own_amounts(model):
        refuse_negative(f"The weight {weight.path} of {model.name}", weight.numpy())
    for weight in model.weights:
        if not keras.backend.is_float_dtype(weight.dtype):
            continue
        if not keras.ops.all(keras.ops.isfinite(weight)):
            parts = [part for part in model.layers if isinstance(part, keras.Model)]
            owners = [part for part in parts if any(each is weight for each in part.weights)]
            raise NonFiniteLossError(
                f"The weight {weight.path} of {(owners or [model])[-1].name} is not finite: load a "
                "good checkpoint, or rebuild the model."
            )


def own_amounts(model) -> list[keras.Variable]:
    """Returns the model's own counts and standard deviations, which cannot be negative."""
    networks = [part for part in model.layers if isinstance(part, keras.Model)]
    theirs = {id(weight) for network in networks for weight in network.weights}
    return [each for each in model.weights if each.name in _AMOUNTS and id(each) not in theirs]


def refuse_negative(name: str, values: np.ndarray) -> None:
    """Raises a ValueError if values are negative."""
    if (values < 0).any():
        raise ValueError(
            f"{name} has the minimum {values.min():g}: expected at least 0. Load a good "
            "checkpoint, or rebuild the model."
        )


LOGITS = "logits"
ANY = "..."  # any number of additional inputs or outputs of any shape


def require_shapes(model: keras.Model) -> None:
    """Raises a ValueError unless the networks' inputs and outputs match their declarations."""
    known: dict[str, tuple] = {}  # part name -> shape, and the network that defines it
    for name, field in fields_of(type(model)).items():
        network = getattr(model, name)
        shapes = field.metadata.get("shapes")
        if not shapes or network is None:
            continue
        if not hasattr(network, "inputs"):
            raise TypeError(
                f"{name} is {shown(network)}: expected a functional keras.Model, which has "
                "known shapes. Build it with a keras.Input."
            )
        takes, _, returns = (names.split() for names in shapes.partition("->"))
        _require_count(name, network, "inputs", takes, shapes)
        _require_count(name, network, "outputs", returns, shapes)
        tensors = [*network.inputs, *network.outputs]
        verbs = ["accepts"] * len(takes) + ["returns"] * len(returns)
        for part, tensor, verb in zip(takes + returns, tensors, verbs, strict=True):
            shape = tuple(tensor.shape[1:])
            if part == ANY:
                continue
            if part.endswith(LOGITS):
                require_logits(keras.Model(network.inputs, tensor, name=network.name))
                continue
            before, owner = known.setdefault(part, (shape, f"{name} {verb}"))
            if not tf.TensorShape(shape).is_compatible_with(before):
                raise ValueError(
                    f"{name} {verb} {part} of shape {shape}: expected {before}, the shape that "
                    f"{owner}. Build both networks for the same {part}."
                )


def _require_count(name: str, network, kind: str, parts: list[str], shapes: str) -> None:
    count = len(getattr(network, kind))
    if parts and parts[-1] == ANY:
        parts.pop()
        parts.extend([ANY] * (count - len(parts)))
    expected = len(parts)
    if count == expected:
        return
    way_out = f"Build '{network.name}' with these inputs."
    if kind == "outputs" and count > expected:
        way_out = f"Pass keras.Model({name}.inputs, {name}.outputs[:{expected}])."
    elif kind == "outputs":
        way_out = "Add an output with keras_gen.networks.with_head."
    raise ValueError(
        f"{name} '{network.name}' has {count} {kind if count != 1 else kind[:-1]}: expected "
        f"{expected} ({shapes}). {way_out}"
    )
