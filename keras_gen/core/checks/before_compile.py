"""Checks of the arguments of `compile`, and of layers that fail on replicas, files, or images."""

import keras
import tensorflow as tf

from keras_gen.arguments import checked_flag, checked_integer
from keras_gen.core.kinds_of_data import Images, StandardizedVectors
from keras_gen.keras_internals import all_layers, draws

# Arguments of `keras.Model.compile` that these models do not accept, with reasons.
_LOSSES = "the model defines its own losses"
_METRICS = (
    "fit and evaluate report the losses, and functions in keras_gen.metrics evaluate results "
    "(keras_gen.core.callbacks.Evaluation calls them during fit)"
)
_ARGUMENTS_OF_KERAS = {
    "loss": _LOSSES,
    "loss_weights": "the weights of the losses are arguments of the class",
    "metrics": _METRICS,
    "weighted_metrics": _METRICS,
}


def check_compile(model, optimizers: dict, jit_compile: bool, steps_per_execution: int) -> None:
    """Raises a ValueError for invalid arguments of `compile`, and for unsuitable layers."""
    checked_flag("jit_compile", jit_compile)
    checked_integer("steps_per_execution", steps_per_execution, minimum=1)
    players = model.players()
    if unknown := sorted(optimizers.keys() - players.keys()):
        reason = _ARGUMENTS_OF_KERAS.get(unknown[0])
        way_out = f". Leave it out, because {reason}" if reason else ""
        raise ValueError(
            f"{type(model).__name__}.compile accepts the optimizers {sorted(players)}, "
            f"but got {unknown[0]!r}{way_out}."
        )
    _refuse_ways_to_run(model, jit_compile, steps_per_execution)
    trained_on = (model.edges | model.training_edges).get("x")
    if model.standardize and not isinstance(trained_on, StandardizedVectors):
        raise ValueError(
            f"standardize is True, but {type(model).__name__} does not standardize its data: "
            "leave out standardize, and pass standardized examples."
        )
    objects = [o for o in optimizers.values() if isinstance(o, keras.optimizers.Optimizer)]
    if len({id(each) for each in objects}) < len(objects):
        raise ValueError(
            "Two networks share one optimizer object: pass a separate optimizer for each "
            "network."
        )
    refuse_replicated_randomness(model)
    refuse_rescaling(model)
    refuse_shared_layers(model)


def _refuse_ways_to_run(model, jit_compile: bool, steps_per_execution: int) -> None:
    resamples = any(getattr(layer, "draws_batches", False) for layer in all_layers(model))
    if steps_per_execution > 1 and resamples:
        raise ValueError(
            f"steps_per_execution is {steps_per_execution}, but the data uses sampling weights: "
            "expected 1, because the next batch could otherwise be sampled before this step has "
            "updated the weights."
        )
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas > 1 and (jit_compile or steps_per_execution > 1):
        raise ValueError(
            f"jit_compile is {jit_compile} and steps_per_execution is {steps_per_execution} with "
            f"{replicas} replicas: Keras supports both arguments only on a single device. Leave "
            "both out."
        )


def refuse_replicated_randomness(model) -> None:
    """Raises a ValueError for random Keras layers on several replicas: their noise would repeat."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if draws(layer):
                raise ValueError(
                    f"{name} contains the layer '{layer.name}' ({type(layer).__name__}), which "
                    "draws the same random values on every replica: use a layer from "
                    "keras_gen.layers instead."
                )


def refuse_shared_layers(model) -> None:
    """Raises a ValueError if two networks share a layer, because a saved model could not be loaded.

    Keras saves each network separately, but the weights of each layer only once.
    """
    owners: dict = {}
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if not layer.variables:
                continue
            if (owner := owners.setdefault(id(layer), name)) != name:
                raise ValueError(
                    f"The networks {owner} and {name} share the layer '{layer.name}', but a "
                    "file stores its weights only once: give each network its own layer, or "
                    "combine both into one network with several outputs."
                )


def refuse_rescaling(model) -> None:
    """Raises a ValueError if an image network rescales inputs as if they were levels from 0 to 255.

    Users' networks often do so in their first layer. In this library, networks receive images in
    [-1, 1] or [0, 1].
    """
    examples = (model.edges | model.training_edges).get("x")
    if not isinstance(examples, Images):
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if isinstance(layer, keras.layers.Rescaling) and _divides_levels(layer.scale):
                raise ValueError(
                    f"The {name} '{network.name}' contains the layer {layer.name}, which "
                    f"multiplies levels from 0 to 255 by {layer.scale:.2g}: expected a network for "
                    f"images in [{examples.low:g}, {examples.high:g}], because this model scales "
                    "the levels itself. Build the network without this layer, for example with "
                    f"keras.Model(network.get_layer('{layer.name}').output, network.outputs)."
                )


def _divides_levels(scale) -> bool:
    return isinstance(scale, float) and 0 < scale < 1 / 64
