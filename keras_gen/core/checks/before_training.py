"""What `fit` refuses besides data: callbacks that do not fit the optimizers, and bad models."""

import inspect
import itertools

import keras
import numpy as np

from keras_gen.arguments import shown
from keras_gen.core.minimize import NonFiniteLossError, trainable_weights

_OWN_SCHEDULES = "give the optimizers schedules of their own (keras_gen.core.schedules)"
# Callbacks of Keras that change or save `model.optimizer`, and what to use in their place.
_OF_ONE_OPTIMIZER = {
    keras.callbacks.LearningRateScheduler: _OWN_SCHEDULES,
    keras.callbacks.ReduceLROnPlateau: _OWN_SCHEDULES,
    keras.callbacks.BackupAndRestore: "use keras_gen.core.TrainingState",
    keras.callbacks.SwapEMAWeights: "use keras_gen.core.averaged_weights",
    keras.callbacks.TensorBoard: "leave write_steps_per_second out",
}


def require_edges(model) -> None:
    """Raises a ValueError for a model that does not describe the data that its methods accept."""
    methods = [method for _, method in inspect.getmembers(type(model), inspect.isfunction)]
    used = [method.takes(model) for method in methods if hasattr(method, "takes")]
    names = dict.fromkeys(itertools.chain(model.batch, *used))
    edges = model.edges | model.training_edges
    if missing := [name for name in names if name not in edges]:
        raise ValueError(
            f"{type(model).__name__} does not describe its data, {', '.join(missing)}: call "
            f"super().set_up() in its set_up, or set self.edges[{missing[0]!r}] there."
        )


def as_list(callbacks) -> list:
    """Returns callbacks as `fit` takes them, one, several or a Keras list of them, in a list.

    Raises:
        TypeError: If one is not a callback.
    """
    callbacks = getattr(callbacks, "callbacks", callbacks) or []
    callbacks = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in callbacks:
        if isinstance(callback, type):
            name = callback.__name__
            raise TypeError(f"callbacks has the class {name}: expected an object, {name}(...).")
        if not hasattr(callback, "set_model"):
            raise TypeError(
                f"callbacks must be keras.callbacks.Callback, found {shown(callback)}."
            )
    return callbacks


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
