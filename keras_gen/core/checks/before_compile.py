"""What `compile` refuses: layers that replicas, files, or images of a model cannot have."""

import keras
import tensorflow as tf

from keras_gen.core.kinds_of_data import Images, StandardizedVectors
from keras_gen.keras_internals import all_layers, draws

# Arguments of `keras.Model.compile` that models here do not have, and why.
_LOSSES = "the model has losses of its own"
_METRICS = (
    "fit and evaluate report the losses, and functions of keras_gen.metrics measure results "
    "(keras_gen.core.callbacks.Evaluation calls them during fit)"
)
_ARGUMENTS_OF_KERAS = {
    "loss": _LOSSES,
    "loss_weights": "the weights of the losses are arguments of the class",
    "metrics": _METRICS,
    "weighted_metrics": _METRICS,
}


def check_compile(model, optimizers: dict, jit_compile: bool, steps_per_execution: int) -> None:
    """Raises a ValueError for arguments of `compile` that cannot be right, and for such layers."""
    players = model.players()
    if unknown := sorted(optimizers.keys() - players.keys()):
        reason = _ARGUMENTS_OF_KERAS.get(unknown[0])
        way_out = f": leave it out, for {reason}" if reason else ""
        raise ValueError(
            f"{type(model).__name__}.compile takes the optimizers {sorted(players)}, "
            f"but got {unknown[0]!r}{way_out}."
        )
    _refuse_ways_to_run(model, jit_compile, steps_per_execution)
    trained_on = (model.edges | model.training_edges).get("x")
    if model.standardize and not isinstance(trained_on, StandardizedVectors):
        raise ValueError(
            f"standardize is True, and {type(model).__name__} does not standardize: leave it "
            "out, and give standardized examples."
        )
    objects = [o for o in optimizers.values() if isinstance(o, keras.optimizers.Optimizer)]
    if len({id(each) for each in objects}) < len(objects):
        raise ValueError("Two networks share one optimizer object: give each its own.")
    refuse_replicated_randomness(model)
    refuse_rescaling(model)
    refuse_shared_layers(model)


def _refuse_ways_to_run(model, jit_compile: bool, steps_per_execution: int) -> None:
    resamples = any(getattr(layer, "draws_batches", False) for layer in all_layers(model))
    if steps_per_execution > 1 and resamples:
        raise ValueError(
            f"steps_per_execution={steps_per_execution} with sampling weights: the "
            "next batch could be drawn before this step has written its weights; use 1."
        )
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas > 1 and (jit_compile or steps_per_execution > 1):
        raise ValueError(
            f"jit_compile={jit_compile} and steps_per_execution={steps_per_execution} on "
            f"{replicas} replicas: Keras can do either on one device only."
        )


def refuse_replicated_randomness(model) -> None:
    """Raises a ValueError for Keras' random layers on several replicas, where all draw the same."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if draws(layer):
                raise ValueError(
                    f"{name} holds the layer '{layer.name}' ({type(layer).__name__}), which "
                    "draws the same values on every replica: use keras_gen.layers instead."
                )


def refuse_shared_layers(model) -> None:
    """Raises a ValueError if two networks share a layer: a file could not be loaded again.

    Keras saves each network by itself, and the weights of a layer once.
    """
    owners: dict = {}
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if not layer.variables:
                continue
            if (owner := owners.setdefault(id(layer), name)) != name:
                raise ValueError(
                    f"The networks {owner} and {name} share the layer '{layer.name}', whose "
                    "weights a file holds once: give each its own, or make one network of both "
                    "with several outputs."
                )


def refuse_rescaling(model) -> None:
    """Raises a ValueError if a network of images divides levels of 0 to 255, which it never sees.

    Networks of users often do so in their first layer. Here they get images in [-1, 1] or [0, 1].
    """
    examples = (model.edges | model.training_edges).get("x")
    if not isinstance(examples, Images):
        return
    for name, network in model.networks.items():
        for layer in all_layers(network):
            if isinstance(layer, keras.layers.Rescaling) and _divides_levels(layer.scale):
                raise ValueError(
                    f"The {name} '{network.name}' has {layer.name}, which multiplies by "
                    f"{layer.scale:.2g}, as of levels from 0 to 255: here networks get images in "
                    f"[{examples.low:g}, {examples.high:g}]. Build it without, such as "
                    f"keras.Model(network.get_layer('{layer.name}').output, network.outputs)."
                )


def _divides_levels(scale) -> bool:
    return isinstance(scale, float) and 0 < scale < 1 / 64
