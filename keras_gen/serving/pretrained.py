"""Trained models that train on: those of exports, runs, files and the Hugging Face Hub."""

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_path
from keras_gen.core import GenerativeModel, keep_averages
from keras_gen.files.places import place
from keras_gen.files.reading import open_arrays, open_regular, refuse_bomb
from keras_gen.keras_internals import all_layers
from keras_gen.messages import warn
from keras_gen.serving.exported import data_of, find, read_metadata, resolve, versions
from keras_gen.serving.index import verify

MODEL = Path("assets.extra") / "keras_model.npz"
"""Where an export says how its model is built, relative to its folder."""
HUB = "hf://"
# Where `tf.saved_model.save` has put the variables of an export.
VARIABLES = Path("variables") / "variables"
VARIABLE = "kept/{}/.ATTRIBUTES/VARIABLE_VALUE"
NO_WEIGHT = -1  # in place of a weight's number: a variable that is none of the model's weights


def load(source: str | Path) -> GenerativeModel:
    """Loads a trained model, with its networks as attributes: it trains on, and exports again.

    Moving averages of the weights, where there are some, take the place of the weights.

    Args:
        source: One of

            - the name of an export, such as `"vae_mnist"`, in `saved_models/` of the working
              directory or of this library; its highest version is taken;
            - the folder of an export, or of its versions;
            - the folder of a run, whose `best.keras` or else whose export is taken;
            - a `.keras` file;
            - `"hf://<user>/<name>"`, an export or what `model.save` has saved on the Hugging Face
              Hub.

    Returns:
        A compiled model. One of an export has the optimizers of the training, which begin anew;
        weights that no signature reads, such as a discriminator's, are initial ones, and a warning
        says so.

    Raises:
        TypeError: If `source` is neither a name nor a path.
        FileNotFoundError: If nothing is there.
        ValueError: If an export has no configuration of a model, as those of earlier versions, or
            is not the one that `index.json` describes, or what is there is no model of this
            library, or a file is cut, empty, of another format, or holds a wrong value.

    Example:
    ```python
    model = keras_gen.load("vae_mnist")
    model.fit(images, batch_size=100, epochs=5)
    model.export("exports/my_digits")
    ```
    """
    checked_path("source", source)
    if str(source).startswith(HUB):
        model = _of_hub(str(source))
    elif (path := _found(Path(source))).is_dir():
        model = _of_export(path)
    else:
        model = _of_file(path)
    if not isinstance(model, GenerativeModel):
        raise ValueError(
            f"{source} holds a {type(model).__name__}, which is no model of keras_gen: load it by "
            "keras.saving.load_model."
        )
    if not model.compiled:
        model.compile()
    keep_averages(model)
    return model


def _of_file(path: Path) -> Any:
    """Loads what Keras has saved in a file."""
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is not a whole .keras file: expected the zip archive that model.save writes. "
            "Copy the file again if it is cut or empty."
        )
    with open_regular(path) as file:
        refuse_bomb(path, file)
    with _in_one_sentence(path):
        return keras.saving.load_model(path)


@contextlib.contextmanager
def _in_one_sentence(path: Path) -> Iterator[None]:
    """Turns Keras' errors, which print whole configurations, into a ValueError with the cause."""
    try:
        yield
    except Exception as error:  # a wrong value can fail anywhere
        # Keras wraps an error in others, one for each object around it.
        cause = str(error).rpartition("Exception encountered: ")[2].strip()
        sentence = re.split(r"\.?\s*\n|\. (?=[A-Z])", cause)[0].rstrip(".")
        way_out = "Save the model again, or use another copy."
        if "Could not locate" in cause:
            way_out = "Import the module that defines it first."
        raise ValueError(f"{path} cannot be loaded: {sentence[:300]}. {way_out}") from error


def _of_hub(source: str) -> Any:
    """Loads a model of the Hugging Face Hub: an export, or else what Keras has saved."""
    try:
        import huggingface_hub
    except ImportError:
        return keras.saving.load_model(source)  # says what to install
    folder = Path(huggingface_hub.snapshot_download(source.removeprefix(HUB)))
    if versions(folder):
        return _of_export(resolve(folder))
    with _in_one_sentence(Path(source)):
        return keras.saving.load_model(source)


def _found(source: Path) -> Path:
    """The `.keras` file or the export's folder that a name or path stands for."""
    if source.is_file():
        return source
    folder = find(place("saved_models"), str(source))
    best = folder / "best.keras"
    if best.is_file():
        return best
    if (folder / "config.json").is_file():
        return _export_of_run(folder)
    return resolve(folder)


def _export_of_run(folder: Path) -> Path:
    for export in (folder / "export").glob("*"):
        if versions(export):
            return resolve(export)
    raise FileNotFoundError(
        f"the run in {folder} has left neither best.keras nor an export there: let it end, by "
        "--resume, or give the folder that its --export named."
    )


def _of_export(path: Path) -> GenerativeModel:
    """Builds the model of an export, and gives it the weights that the export holds."""
    verify(path)
    file = path / MODEL
    if not file.is_file():
        raise ValueError(
            f"{path} has no {MODEL}, which says how its model is built: build the model as it was, "
            "and give it these weights by keras_gen.serving.export.load_weights."
        )
    with _in_one_sentence(file):
        described = _described(file)
        config = json.loads(str(described["configuration"]))
        model = keras.saving.deserialize_keras_object(config)
    model.step.assign(described["step"])
    metadata = read_metadata(path)
    model.started_from = metadata.get("started_from") or data_of(metadata)
    values = _values_beside(described)
    stored = tf.train.load_checkpoint(str(path / VARIABLES))
    for number, index in enumerate(described["kept"]):
        values[int(index)] = stored.get_tensor(VARIABLE.format(number))
    values.pop(NO_WEIGHT, None)
    weights = model.weights
    for index, value in values.items():
        weights[index].assign(np.asarray(value, weights[index].dtype))
    known = {id(weights[index]) for index in values}
    initial = [
        name
        for name, network in model.networks.items()
        if any(id(weight) not in known for weight in network.trainable_weights)
    ]
    if initial:
        warn(
            f"{path} does not hold the weights of {', '.join(initial)}, for no signature reads "
            "them: they are initial ones. A .keras file holds all weights."
        )
    return model


def restore_beside(model: GenerativeModel, path: Path) -> None:
    """Gives a model, built as that of an export, what only training reads of its networks."""
    if (path / MODEL).is_file():
        for index, value in _values_beside(_described(path / MODEL)).items():
            model.weights[index].assign(value)


def _described(file: Path) -> dict[str, np.ndarray]:
    with open_arrays(file) as arrays:
        return dict(arrays)


def _values_beside(described: dict[str, np.ndarray]) -> dict[int, np.ndarray]:
    return {int(index): described[f"weight_{index}"] for index in described["beside"]}


def description(model: Any, kept: Iterable[Any]) -> bytes | None:
    """What `load` needs of a model beside the variables that its export holds.

    It is the model's configuration, the number of its steps, which of its weights the export holds,
    and the other weights of the networks and layers that the signatures read: what only training
    reads, such as the counts of a codebook.

    Args:
        model: The model that is exported.
        kept: The variables that the export holds, in their order there.

    Returns:
        The content of a file of NumPy, `.npz`; None for what is no model of this library, and, with
        a warning, for one that has no configuration.
    """
    if not isinstance(model, GenerativeModel):
        return None
    try:
        config = keras.saving.serialize_keras_object(model)
    except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
        warn(
            f"{type(model).__name__} has no configuration ({error}): its export serves, and "
            "keras_gen.load cannot load it."
        )
        return None
    compiled = config.get("compile_config") or {}
    # How it is to be run, such as the steps per execution, depends on the next training.
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


def _places(model: GenerativeModel) -> dict[int, int]:
    """Where each variable of TensorFlow, by its id, stands among the model's weights."""
    places = {}
    for index, weight in enumerate(model.weights):
        # A distributed variable has components.
        for part in (weight.value, *getattr(weight.value, "values", ())):
            places[id(part)] = index
    return places


def _beside(model: GenerativeModel, held: set[int]) -> dict[int, np.ndarray]:
    """Of the networks and layers with weights among those held, the others, by their places."""
    places = {id(weight): index for index, weight in enumerate(model.weights)}
    # The model's own layers, such as a codebook, are no networks.
    layers = [layer for layer in all_layers(model) if layer is not model]
    found: dict[int, keras.Variable] = {}
    for part in (*model.networks.values(), *layers):
        weights = {places[id(weight)]: weight for weight in part.weights}
        if held & weights.keys():
            found |= {index: weights[index] for index in weights.keys() - held}
    return {index: keras.ops.convert_to_numpy(found[index]) for index in sorted(found)}
