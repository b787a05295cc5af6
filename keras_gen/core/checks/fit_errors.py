"""Input that `fit` refuses, and the runtime's errors of our own checks, as one plain sentence."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import shown
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.minimize import NOT_FINITE, trainable_weights
from keras_gen.keras_internals import all_layers, draws
from keras_gen.messages import refusal

_OWN_SCHEDULES = "give the optimizers schedules of their own (keras_gen.core.schedules)"
# Callbacks of Keras that change or save `model.optimizer`, and what to use in their place.
_OF_ONE_OPTIMIZER = {
    keras.callbacks.LearningRateScheduler: _OWN_SCHEDULES,
    keras.callbacks.ReduceLROnPlateau: _OWN_SCHEDULES,
    keras.callbacks.BackupAndRestore: "use keras_gen.core.TrainingState",
    keras.callbacks.SwapEMAWeights: "use keras_gen.core.averaged_weights",
    keras.callbacks.TensorBoard: "leave write_steps_per_second out",
}


class NonFiniteLossError(FloatingPointError):
    """A loss, gradient or weight became NaN or infinite.

    The weights that the loss trains are those before that step. Those of networks that the step
    updates before them, such as a discriminator's before a generator's loss, have moved.
    """


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


def refuse_callbacks(model, callbacks) -> None:
    """Raises a ValueError for callbacks of a single optimizer; for models that have several."""
    optimizers = list(model.players())
    for callback in callbacks:
        for kind, way_out in _OF_ONE_OPTIMIZER.items():
            # Of all that TensorBoard writes only this counts the steps of `model.optimizer`.
            works = getattr(callback, "write_steps_per_second", True)
            if isinstance(callback, kind) and works:
                raise ValueError(
                    f"{type(callback).__name__} works on `model.optimizer`, and "
                    f"{type(model).__name__} has {' and '.join(optimizers)}: {way_out}."
                )


def refuse_other_weights(model) -> None:
    """Raises a ValueError if weights were frozen or made trainable after `compile`, in vain.

    The compiled step and the optimizers are made for those that were trainable then.
    """
    for player, before in model._weights_at_compile.items():
        # Of all its networks, also where a step uses a part of them.
        now = trainable_weights(*model._networks_of[player])
        kept = {id(weight) for weight in before} & {id(weight) for weight in now}
        for weights, what in ((before, "frozen"), (now, "made trainable")):
            for weight in weights:
                if id(weight) not in kept:
                    raise ValueError(
                        f"The weight {weight.path} was {what} after compile, which {player} does "
                        "not see: set `trainable` first, and compile then."
                    )


def refuse_non_finite_weights(model) -> None:
    """Raises a NonFiniteLossError for NaN weights: on a CPU, ReLU turns them to 0 unnoticed."""
    for network in model.networks.values():
        for weight in network.variables:
            if not keras.backend.is_float_dtype(weight.dtype):
                continue
            value = keras.ops.convert_to_numpy(weight).astype(
                "float32"
            )  # numpy knows no bfloat16
            if not np.isfinite(value).all():
                raise NonFiniteLossError(
                    f"The weight {weight.path} of {network.name} is not finite: load a good "
                    "checkpoint, or build the network anew."
                )


@contextlib.contextmanager
def plain_errors(model, callbacks):
    """Turns the runtime's errors of our own checks into one sentence.

    Raises:
        NonFiniteLossError: If a loss or a gradient was not finite.
        ValueError: If a batch was refused.
    """
    try:
        yield
    except tf.errors.OpError as error:
        text = str(error.message)
        if NOT_FINITE in text:
            loss = text.split(NOT_FINITE)[1].split()[0].replace("'s_", "'s ")
            checkpoints = [c.latest for c in callbacks if getattr(c, "latest", None)]
            where = checkpoints[0] if checkpoints else "none"
            unmoved = "trainable weight"
            if len(model.players()) > 1:
                unmoved = (
                    "weight that it trains; networks that a step updates earlier have moved"
                )
            raise NonFiniteLossError(
                f"{loss} was not finite at step {model.step.numpy()}, and changed no {unmoved}. "
                f"Last good checkpoint: {where}. Lower the learning rate, or look for bad values "
                "in the data."
            ) from error
        if sentence := refusal(text):
            raise ValueError(sentence) from error
        raise


def as_list(callbacks) -> list:
    """Returns callbacks as `fit` takes them, one, several or a Keras list of them, in a list.

    Raises:
        TypeError: If one is none.
    """
    callbacks = getattr(callbacks, "callbacks", callbacks) or []
    callbacks = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in callbacks:
        if not hasattr(callback, "set_model"):
            raise TypeError(
                f"callbacks must be keras.callbacks.Callback, found {shown(callback)}."
            )
    return callbacks
