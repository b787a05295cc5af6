"""Checks made by `fit` that are not about data: unsuitable callbacks and invalid models."""

import inspect
import itertools

import keras
import numpy as np

from keras_gen.arguments import shown
from keras_gen.core.minimize import NonFiniteLossError, trainable_weights

_OWN_SCHEDULES = "give each optimizer its own schedule (keras_gen.core.schedules)"
# Keras callbacks that change or save `model.optimizer`, and their replacements.
_OF_ONE_OPTIMIZER = {
    keras.callbacks.LearningRateScheduler: _OWN_SCHEDULES,
    keras.callbacks.ReduceLROnPlateau: _OWN_SCHEDULES,
    keras.callbacks.BackupAndRestore: "use keras_gen.core.TrainingState",
    keras.callbacks.SwapEMAWeights: "use keras_gen.core.averaged_weights",
    keras.callbacks.TensorBoard: "leave write_steps_per_second out",
}


def require_edges(model) -> None:
    """Raises a ValueError if a model does not describe the data that its methods accept."""
    methods = [method for _, method in inspect.getmembers(type(model), inspect.isfunction)]
    used = [method.takes(model) for method in methods if hasattr(method, "takes")]
    names = dict.fromkeys(itertools.chain(model.batch, *used))
    edges = model.edges | model.training_edges
    if missing := [name for name in names if name not in edges]:
        raise ValueError(
            f"{type(model).__name__} does not describe its data ({', '.join(missing)}): call "
            f"super().set_up() in its set_up, or set self.edges[{missing[0]!r}] there."
        )


def as_list(callbacks) -> list:
    """Returns the callbacks of `fit` (one, several, or a Keras `CallbackList`) as a list.

    Raises:
        TypeError: If an element is not a callback.
    """
    callbacks = getattr(callbacks, "callbacks", callbacks) or []
    callbacks = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in callbacks:
        if isinstance(callback, type):
            name = callback.__name__
            raise TypeError(
                f"callbacks contains the class {name}: expected an instance, {name}(...)."
            )
        if not hasattr(callback, "set_model"):
            raise TypeError(
                f"callbacks contains {shown(callback)}: expected a keras.callbacks.Callback."
            )
    return callbacks


def refuse_callbacks(owner: str, optimizers: list[str], callbacks) -> None:
    """Raises a ValueError for callbacks that need a single optimizer if the model has several."""
    for callback in callbacks:
        for kind, way_out in _OF_ONE_OPTIMIZER.items():
            # Only this feature of TensorBoard uses the steps of `model.optimizer`.
            works = getattr(callback, "write_steps_per_second", True)
            if isinstance(callback, kind) and works:
                raise ValueError(
                    f"{type(callback).__name__} uses `model.optimizer`, but {owner} has "
                    f"{' and '.join(optimizers)}: {way_out}."
                )


def check_weights(model) -> None:
    """Raises a NonFiniteLossError if a weight of a network is not finite.

    On a CPU, ReLU silently turns NaN into 0.
    """
    for network in (part for part in model.layers if isinstance(part, keras.Model)):
        for weight in network.variables:
            if not keras.backend.is_float_dtype(weight.dtype):
                continue
            # NumPy does not support bfloat16.
            value = keras.ops.convert_to_numpy(weight).astype("float32")
            if not np.isfinite(value).all():
                raise NonFiniteLossError(
                    f"The weight {weight.path} of {network.name} is not finite: load a good "
                    "checkpoint, or rebuild the network."
                )


def refuse_frozen(model) -> None:
    """Raises a ValueError if a weight was frozen or unfrozen after `compile`.

    Such a change has no effect, because the compiled step and the optimizers use the weights that
    were trainable when `compile` was called.
    """
    for player, before in model._weights_at_compile.items() if model.compiled else ():
        # All networks of the player are checked, even if a step uses only some of them.
        now = trainable_weights(*model._networks_of[player])
        kept = {id(weight) for weight in before} & {id(weight) for weight in now}
        for weights, what in ((before, "frozen"), (now, "made trainable")):
            for weight in weights:
                if id(weight) not in kept:
                    raise ValueError(
                        f"The weight {weight.path} was {what} after compile, which has no "
                        f"effect on {player}: set `trainable` first, and then call compile."
                    )
