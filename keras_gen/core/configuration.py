"""Configurations of models: for model files, and as plain values for comparing two runs."""

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import keras

from keras_gen.arguments import checked_choice
from keras_gen.checked_arguments import checked_by_type
from keras_gen.declared import accepts, named_parameters

# Entries that are not compared: names depend on the process, because Keras numbers them, and the
# other entries do not have plain values.
_LEFT_OUT = ("name", "dtype", "trainable")
_NOT_PLAIN = ("__numpy__", "__tensor__", "__lambda__")
_NOT_SERIALIZABLE = (AttributeError, NotImplementedError, TypeError, ValueError)


def config_of(model) -> dict[str, Any]:
    """Returns the contents of a model's file other than the weights."""
    named = accepts(type(model), "name")
    config: dict[str, Any] = {"name": model.name} if named else {}
    for argument in model.arguments():
        value = getattr(model, argument)
        config[argument] = keras.saving.serialize_keras_object(value)
    if model.started_from:
        config["started_from"] = model.started_from
    if model.class_names:
        config["class_names"] = list(model.class_names)
    columns = {name: getattr(edge, "columns", ()) for name, edge in model.edges.items()}
    if any(columns.values()):
        config["column_names"] = {name: list(of) for name, of in columns.items() if of}
    return config


def model_of(cls: type, config: dict[str, Any]):
    """Creates a model from a return value of `config_of`, including those of earlier versions."""
    config = copy.deepcopy(config)  # Keras empties the dict that it reads.
    class_names = config.pop("class_names", ())
    column_names = config.pop("column_names", {})
    started_from = config.pop("started_from", "")
    arguments = {}
    for name, value in config.items():
        name = cls.renamed.get(name, name)  # type: ignore[attr-defined]
        arguments[name] = keras.saving.deserialize_keras_object(value)
    model = cls(**arguments)
    model.started_from = checked_by_type("started_from", str, started_from)
    if class_names:
        model.name_classes(class_names)
    named = [name for name, edge in model.edges.items() if hasattr(edge, "name_columns")]
    for name, names in checked_by_type("column_names", Mapping, column_names).items():
        model.edges[checked_choice("a key of column_names", name, named)].name_columns(names)
    return model


def plain_configuration(model) -> dict[str, Any]:
    """Returns the plain values in the configurations of a model and its optimizers, by name.

    Networks, arrays, and unnamed functions are omitted.

    Args:
        model: Compiled `GenerativeModel`.

    Returns:
        A dict that maps names to numbers, strings, booleans, None, or lists of these values. Floats
        are rounded to seven digits, the precision of float32. An object's class is stored under the
        object's name.

    Example:
        >>> plain_configuration(vae)
        {'model': 'VAE', 'model.beta': 1.0, ..., 'optimizer.learning_rate': 0.001, ...}
    """
    found = {"model": type(model).__name__}
    for name in _constructor_arguments(type(model)):
        if hasattr(model, name):
            found |= _of_value(f"model.{name}", getattr(model, name))
    for name in model.players():
        found |= _of_value(name, getattr(model, name))
    return found


def _constructor_arguments(model_class: type) -> list[str]:
    """Returns the arguments of a class and its bases, including default values."""
    names: dict[str, None] = {}
    for each in model_class.__mro__:
        if each is keras.Model:
            break
        if "__init__" in vars(each):
            names |= dict.fromkeys(named_parameters(each))
    return [name for name in names if name not in _LEFT_OUT]


def _of_value(name: str, value) -> dict[str, Any]:
    if isinstance(value, keras.Model):
        return {}
    if isinstance(value, list | tuple) and not _is_plain(value):
        return _united(_of_value(f"{name}.{i}", each) for i, each in enumerate(value))
    try:
        with warnings.catch_warnings():
            # Hide Keras warnings about lambdas, which are left out.
            warnings.simplefilter("ignore")
            return _of_serialized(name, keras.saving.serialize_keras_object(value))
    except _NOT_SERIALIZABLE:
        return {}


def _of_serialized(name: str, value) -> dict[str, Any]:
    if isinstance(value, dict) and "class_name" in value:
        config = value.get("config")
        if value["class_name"] in _NOT_PLAIN:
            return {}
        if not isinstance(config, dict):  # a function, represented by its name
            return {name: config}
        if "layers" in config:  # the value is a network
            return {}
        return {name: value["class_name"], **_of_serialized(name, config)}
    if isinstance(value, dict):
        inner = {key: each for key, each in value.items() if key != "name"}
        return _united(_of_serialized(f"{name}.{key}", each) for key, each in inner.items())
    if isinstance(value, list | tuple) and not _is_plain(value):
        return _united(_of_serialized(f"{name}.{i}", each) for i, each in enumerate(value))
    return {name: _rounded(value)} if _is_plain(value) else {}


def _united(parts) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        found |= part
    return found


def _is_plain(value) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _rounded(value):
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value
