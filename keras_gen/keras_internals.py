"""All uses of Keras internals, which a future version of Keras may change.

Keras has no public API for these features. No other file uses such internals, and
`tests/test_keras_internals.py` tests each feature separately: after a Keras update, the names of
the failing tests show which function to rewrite here. Methods of `keras.Model` that this library
overrides cannot be isolated here; `OVERRIDDEN` lists their names.
"""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras.src.backend.common import global_state

# Keras methods that this library overrides, and their parameters after `self`.
OVERRIDDEN = {
    "_get_metrics_result_or_logs": ["logs"],
    "_make_function": ["step_function"],
    "_maybe_symbolic_build": ["iterator", "data_batch"],
}
# Argument that `fit` passes when it calls `evaluate`.
CALLED_BY_FIT = "_use_cached_eval_dataset"


# Layers ----------------------------------------------------------------------------------------


def all_layers(network: keras.Layer) -> list[keras.Layer]:
    """Returns a layer or network and all layers inside it, at any depth."""
    return network._flatten_layers()


def own_weights(layer: keras.Layer) -> list[keras.Variable]:
    """Returns a layer's own weights, without the weights of the layers inside it."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def draws(layer: keras.Layer) -> bool:
    """Returns whether a layer uses a Keras random generator, as Dropout does."""
    return bool(layer._seed_generators)


def own_metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """Returns the metrics that are attributes of the model itself."""
    return model._metrics


def untrack(model: keras.Model, layer: keras.Layer) -> None:
    """Removes a layer that was an attribute of a model."""
    model._layers.remove(layer)


def put_first(model: keras.Model, *layers: keras.Layer | None) -> None:
    """Moves layers to the start of a model's list of layers; the variables follow this order.

    Checkpoints store variables by position, and the order of declared arguments may differ from the
    order in which earlier versions stored variables.
    """
    places = {id(layer): place for place, layer in enumerate(layers)}
    model._layers.sort(key=lambda layer: places.get(id(layer), len(places)))


NAMES_IN_USE = "object_name_uids"


@contextlib.contextmanager
def new_names() -> Iterator[None]:
    """Opens a block in which layer names are numbered as in a new process.

    TensorFlow orders the operations of a graph by name, so names affect how sums are rounded.
    """
    before = global_state.get_global_attribute(NAMES_IN_USE)
    global_state.set_global_attribute(NAMES_IN_USE, collections.defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(NAMES_IN_USE, before)


# Functional models -----------------------------------------------------------------------------


def calls(network: keras.Model) -> Iterator:
    """Yields the calls in a functional model, each after the calls on which it depends.

    Each call is a Keras `Node` with the attributes `operation`, `input_tensors`, `outputs`, and
    `arguments`.
    """
    network = getattr(network, "_functional", network)  # for a Sequential model
    for depth in sorted(network._nodes_by_depth, reverse=True):
        yield from (node for node in network._nodes_by_depth[depth] if not node.is_input)


def call_again(node, tensors: dict) -> list:
    """Calls a node's operation on different tensors.

    Args:
        node: Node yielded by `calls`.
        tensors: Dict that maps the `id` of each symbolic tensor to its value.

    Returns:
        The values of `node.outputs`.
    """
    args, kwargs = node.arguments.fill_in(tensors)
    return keras.tree.flatten(node.operation(*args, **kwargs))


def origin(tensor: keras.KerasTensor) -> tuple:
    """Returns the operation that produced a tensor, its inputs, and the tensor's position.

    Returns:
        A tuple of the operation, the list of symbolic tensors on which the operation was called,
        and the position of `tensor` among the operation's outputs.
    """
    operation, call, place = tensor._keras_history
    return operation, operation._inbound_nodes[call].input_tensors, place


# Built optimizers ------------------------------------------------------------------------------


def index_of(optimizer: keras.optimizers.Optimizer, weight: keras.Variable) -> int:
    """Returns the position of a weight among the optimizer's weights."""
    return optimizer._get_variable_index(weight)


def unscaled(optimizer: Any) -> Any:
    """Returns the optimizer inside a `LossScaleOptimizer`, or any other optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def updates(optimizer: keras.optimizers.Optimizer, weights: list[keras.Variable]) -> bool:
    """Returns whether an optimizer is not built yet, or was built for all of these weights."""
    optimizer = unscaled(optimizer)
    known = optimizer._trainable_variables_indices
    return not optimizer.built or all(optimizer._var_key(weight) in known for weight in weights)


def moments(adam: keras.optimizers.Adam, index: int) -> tuple[keras.Variable, keras.Variable]:
    """Returns the running means of a weight's gradient and of the squared gradient."""
    return adam._momentums[index], adam._velocities[index]


def largest_square(adam: keras.optimizers.Adam, index: int) -> keras.Variable:
    """Returns the maximum of the mean squared gradients of a weight, as stored by AMSGrad."""
    return adam._velocity_hats[index]


def averages(
    optimizer: keras.optimizers.Optimizer,
) -> list[tuple[keras.Variable, keras.Variable]]:
    """Returns the weights of an optimizer with `use_ema`, each with its average."""
    return list(zip(optimizer._trainable_variables, averages_alone(optimizer), strict=True))


def averages_alone(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Returns only the averages of an optimizer with `use_ema`, in the order of the weights."""
    return optimizer._model_variables_moving_average


def averaging(optimizer: keras.optimizers.Optimizer, wrap: Callable) -> dict[str, Callable]:
    """Returns the methods that update an optimizer's averages and that overwrite the weights.

    Args:
        optimizer: Optimizer with `use_ema`.
        wrap: Function that maps a method to its replacement.

    Returns:
        The wrapped methods by name.
    """
    names = (
        "_update_model_variables_moving_average",
        "_overwrite_model_variables_with_average_value",
    )
    return {name: wrap(getattr(optimizer, name)) for name in names}


def applied(optimizer: keras.optimizers.Optimizer) -> keras.Variable:
    """Returns the number of calls to `apply`, including calls that only accumulate gradients."""
    return optimizer._iterations


def clip(optimizer: keras.optimizers.Optimizer, gradients: list) -> list:
    """Returns gradients that are clipped by the optimizer's own rule."""
    return type(optimizer)._clip_gradients(optimizer, gradients)


def clipping(function: Callable) -> dict[str, Callable]:
    """Returns `function(gradients)` under the name of the method with which optimizers clip."""
    return {"_clip_gradients": function}


def average_by(optimizer: keras.optimizers.Optimizer, update: Callable) -> None:
    """Makes an optimizer with `use_ema` call `update(weights)` to update its weight averages."""
    optimizer._update_model_variables_moving_average = update
