"""Information in an export from which the exported model can be rebuilt and trained further."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.files.reading import open_arrays
from keras_gen.keras_internals import all_layers
from keras_gen.messages import warn

MODEL = Path("assets.extra") / "keras_model.npz"
"""Path of the model's description, relative to an export's folder."""
# Path of the variables, as written by `tf.saved_model.save`.
VARIABLES = Path("variables") / "variables"
VARIABLE = "kept/{}/.ATTRIBUTES/VARIABLE_VALUE"
NO_WEIGHT = -1  # marks a variable that is not a weight of the model


def restore_beside(model: keras.Model, path: Path) -> None:
    """Restores state that only training reads, for a model built like the exported model."""
    if (path / MODEL).is_file():
        for index, value in _values_beside(read_description(path / MODEL)).items():
            model.weights[index].assign(value)


def read_description(file: Path) -> dict[str, np.ndarray]:
    """Returns the contents of a file written by `description`, as a dict of named arrays."""
    with open_arrays(file) as arrays:
        return dict(arrays)


def stored_weights(path: Path, described: dict[str, np.ndarray]) -> dict[int, np.ndarray]:
    """Returns a dict that maps indices of a model's weights to their values in an export."""
    values = _values_beside(described)
    stored = tf.train.load_checkpoint(str(path / VARIABLES))
    for number, index in enumerate(described["kept"]):
        values[int(index)] = stored.get_tensor(VARIABLE.format(number))
    values.pop(NO_WEIGHT, None)
    return values


def _values_beside(described: dict[str, np.ndarray]) -> dict[int, np.ndarray]:
    return {int(index): described[f"weight_{index}"] for index in described["beside"]}


def description(model: Any, kept: Iterable[Any]) -> bytes | None:
    """Returns the information that `load` needs in addition to the export's variables.

    The information consists of the model's configuration, the number of training steps, a list of
    the weights in the export, and the remaining weights of the exported networks and layers. The
    remaining weights, such as the counts of a codebook, are used only in training.

    Args:
        model: Model to export.
        kept: Variables in the export, in the order of the export.

    Returns:
        The contents of a NumPy `.npz` file, or None for an object that is not a model of this
        library. For a model without a configuration, the function issues a warning and returns
        None.
    """
    if not hasattr(model, "players"):  # not a model of this library
        return None
    try:
        config = keras.saving.serialize_keras_object(model)
    except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
        warn(
            f"{type(model).__name__} has no configuration ({error}): its export can be served, "
            "but keras_gen.load cannot load it."
        )
        return None
    compiled = config.get("compile_config") or {}
    # Only optimizers are stored: other settings, such as the steps per execution, depend on the
    # next training run.
    optimizers = {name: compiled[name] for name in model.players() if name in compiled}
    config["compile_config"] = optimizers
    places = _places(model)
    held = [places.get(id(variable), NO_WEIGHT) for variable in kept]
    beside = _beside(model, set(held))
    described: dict[str, Any] = {
        "configuration": json.dumps(config),
        "step": keras.ops.convert_to_numpy(model.step),
        "kept": np.asarray(held, "int32"),
        "beside": np.asarray(list(beside), "int32"),
    }
    described |= {f"weight_{index}": value for index, value in beside.items()}
    content = io.BytesIO()
    np.savez_compressed(content, **described)
    return content.getvalue()


def _places(model: keras.Model) -> dict[int, int]:
    """Returns the position of each TensorFlow variable, by id, among the model's weights."""
    places = {}
    for index, weight in enumerate(model.weights):
        # If a variable is distributed, its components are also included.
        for part in (weight.value, *getattr(weight.value, "values", ())):
            places[id(part)] = index
    return places


def _beside(model: keras.Model, held: set[int]) -> dict[int, np.ndarray]:
    """Returns the other weights, by position, of networks and layers with exported weights."""
    places = {id(weight): index for index, weight in enumerate(model.weights)}
    # The model's own layers, such as a codebook, are not networks.
    layers = [layer for layer in all_layers(model) if layer is not model]
    found: dict[int, keras.Variable] = {}
    for part in (*model.networks.values(), *layers):
        weights = {places[id(weight)]: weight for weight in part.weights}
        if held & weights.keys():
            found |= {index: weights[index] for index in weights.keys() - held}
    return {index: keras.ops.convert_to_numpy(found[index]) for index in sorted(found)}
