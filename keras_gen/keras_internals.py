"""All that the library uses of Keras without Keras' promise: the next version may change it.

Keras has no public way to these. No other file uses such parts, and `tests/test_keras_internals.py`
tries each of them alone: after a new Keras, the names of the tests that fail say what to write anew
here. Methods of `keras.Model` that ours override cannot stand here; `OVERRIDDEN` names them.
"""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator

import keras
from keras.src.backend.common import global_state

# Their parameters after `self`.
OVERRIDDEN = {
    "_make_function": ["step_function"],
    "_maybe_symbolic_build": ["iterator", "data_batch"],
}
# An argument of `evaluate` where `fit` calls it.
CALLED_BY_FIT = "_use_cached_eval_dataset"


# Layers ----------------------------------------------------------------------------------------


def all_layers(network: keras.Layer) -> list[keras.Layer]:
    """Returns a layer or network and all layers inside it, however deep."""
    return network._flatten_layers()


def own_weights(layer: keras.Layer) -> list[keras.Variable]:
    """Returns the weights that a layer holds itself, without those of the layers inside it."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def draws(layer: keras.Layer) -> bool:
    """Whether a layer draws from a generator of Keras, as its Dropout does."""
    return bool(layer._seed_generators)


def own_metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """Returns the metrics that are attributes of the model itself."""
    return model._metrics


def untrack(model: keras.Model, layer: keras.Layer) -> None:
    """Forgets a layer that an attribute of a model held before."""
    model._layers.remove(layer)


def put_first(model: keras.Model, *layers: keras.Layer | None) -> None:
    """Puts layers before the others of a model, in this order, which is that of its variables.

    Checkpoints hold variables by position: arguments may be declared in another order than that in
    which earlier versions stored them.
    """
    places = {id(layer): place for place, layer in enumerate(layers)}
    model._layers.sort(key=lambda layer: places.get(id(layer), len(places)))


NAMES_IN_USE = "object_name_uids"


@contextlib.contextmanager
def new_names() -> Iterator[None]:
    """Within, the names of layers are numbered as in a new process.

    TensorFlow orders a graph by names, and so they decide how sums are rounded.
    """
    before = global_state.get_global_attribute(NAMES_IN_USE)
    global_state.set_global_attribute(NAMES_IN_USE, collections.defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(NAMES_IN_USE, before)


# Functional models -----------------------------------------------------------------------------


def calls(network: keras.Model) -> Iterator:
    """Yields the calls of a functional model's operations, each after those that it needs.

    Keras' `Node`: it has `operation`, `input_tensors`, `outputs` and `arguments`.
    """
    network = getattr(network, "_functional", network)  # of a Sequential model
    for depth in sorted(network._nodes_by_depth, reverse=True):
        yield from (node for node in network._nodes_by_depth[depth] if not node.is_input)


def call_again(node, tensors: dict) -> list:
    """Calls the operation of a node on other tensors.

    Args:
        node: One of `calls`.
        tensors: Values of the symbolic tensors, by their id.

    Returns:
        The values of `node.outputs`.
    """
    args, kwargs = node.arguments.fill_in(tensors)
    return keras.tree.flatten(node.operation(*args, **kwargs))


def origin(tensor: keras.KerasTensor) -> tuple:
    """Returns the operation that a symbolic tensor comes from, its inputs there, and which output.

    Returns:
        The operation, the list of the symbolic tensors that it was called on, and the place of
        `tensor` among its outputs.
    """
    operation, call, place = tensor._keras_history
    return operation, operation._inbound_nodes[call].input_tensors, place


# Built optimizers ------------------------------------------------------------------------------


def index_of(optimizer: keras.optimizers.Optimizer, weight: keras.Variable) -> int:
    """Returns the place of a weight among those that an optimizer was built for."""
    return optimizer._get_variable_index(weight)


def moments(adam: keras.optimizers.Adam, index: int) -> tuple[keras.Variable, keras.Variable]:
    """Returns the running means of a weight's gradient and of its square."""
    return adam._momentums[index], adam._velocities[index]


def largest_square(adam: keras.optimizers.Adam, index: int) -> keras.Variable:
    """Returns the largest mean of the squared gradient that a weight had, as AMSGrad keeps it."""
    return adam._velocity_hats[index]


def averages(
    optimizer: keras.optimizers.Optimizer,
) -> list[tuple[keras.Variable, keras.Variable]]:
    """Returns the weights that an optimizer with `use_ema` was built for, each with its average."""
    return list(zip(optimizer._trainable_variables, averages_alone(optimizer), strict=True))


def averages_alone(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Returns the averages that an optimizer with `use_ema` keeps, in its weights' order."""
    return optimizer._model_variables_moving_average


def average_by(optimizer: keras.optimizers.Optimizer, update: Callable) -> None:
    """Lets an optimizer with `use_ema` move its averages by a function of its weights."""
    optimizer._update_model_variables_moving_average = update
