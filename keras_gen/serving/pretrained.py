"""Loads trained models from exports, runs, files, and the Hugging Face Hub."""

import contextlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import keras
import numpy as np

from keras_gen.arguments import checked_integer, checked_path, shown
from keras_gen.core import GenerativeModel, keep_averages
from keras_gen.core.network_checks import check_weights
from keras_gen.files.reading import open_regular, refuse_bomb, refuse_unpacked
from keras_gen.files.writing import place
from keras_gen.messages import warn
from keras_gen.serving.exported import data_of, find, read_metadata, resolve, versions
from keras_gen.serving.index import verify
from keras_gen.serving.model_files import MODEL, read_description, stored_weights

HUB = "hf://"
# Text of the Keras error message for an unregistered class or function.
_LACKING = re.compile("Could not locate (?:class|function|object) '(?:[^']*>)?([^']+)'")


def load(source: str | Path, custom_objects: Mapping[str, Any] | None = None) -> GenerativeModel:
    """Loads a trained model, with its networks as attributes, for use, training, or export.

    If moving averages of the weights are stored, they replace the weights.

    Args:
        source: One of

            - the name of an export, such as `"vae_mnist"`, in `saved_models/` in the working
              directory or in this library; the highest version is used;
            - the folder of an export, or of its versions;
            - the folder of a run, of which `best.keras` is used if it exists, and otherwise the
              export;
            - a `.keras` file;
            - `"hf://<user>/<name>"`, an export or a file from `model.save` on the Hugging Face
              Hub.

        custom_objects: A dict that maps names to your own layers, functions, and other classes,
            such as `{"MyLayer": MyLayer}`. Objects that are registered with
            `keras.saving.register_keras_serializable` may be omitted.

    Returns:
        A compiled model. A model from an export has the optimizers that were used in its training,
        but in their initial state. Weights that no signature reads, such as the weights of a
        discriminator, have their initial values, and a warning lists these weights.

    Raises:
        TypeError: If `source` is neither a name nor a path, or if `custom_objects` is not a dict
            that maps names to classes or functions.
        OSError: If the source does not exist (FileNotFoundError), or is a pipe, a socket, or a
            device.
        ValueError: If an export has no model configuration, as in earlier versions, or differs from
            its description in `index.json`; if the object is not a model of this library; or if a
            file is truncated, empty, in another format, or contains an invalid value.
        NonFiniteLossError: If a weight is NaN or infinite.

    Example:
    ```python
    model = keras_gen.load("vae_mnist")
    model.fit(images, batch_size=100, epochs=5)
    model.export("exports/my_digits")
    ```
    """
    checked_path("source", source)
    with keras.saving.custom_object_scope(_checked_objects(custom_objects)):
        model = _loaded(source)
    if not isinstance(model, GenerativeModel):
        raise ValueError(
            f"{source} contains a {type(model).__name__}: expected a keras_gen model. Load it with "
            "keras.saving.load_model."
        )
    if not model.compiled:
        model.compile()
    keep_averages(model)
    check_weights(model)
    return model


def _checked_objects(objects: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns classes and functions by name; raises a TypeError for other objects."""
    if objects is None:
        return {}
    named = isinstance(objects, Mapping) and all(isinstance(name, str) for name in objects)
    if not named or not all(map(callable, objects.values())):
        raise TypeError(
            f"custom_objects is {shown(objects)}: expected a dict that maps names to classes or "
            "functions, such as {'MyLayer': MyLayer}."
        )
    return dict(objects)


def _loaded(source: str | Path) -> Any:
    """Loads the object in a source."""
    if str(source).startswith(HUB):
        return _of_hub(str(source))
    path = _found(Path(source))
    return _of_export(path) if path.is_dir() else _of_file(path)


def _of_file(path: Path) -> Any:
    """Loads a file saved by Keras."""
    with open_regular(path) as file:
        if path.suffix != ".keras" or not zipfile.is_zipfile(file):
            raise ValueError(
                f"{path} is not a complete .keras file: expected the zip archive written by "
                "model.save. Copy the file again if it is truncated or empty."
            )
        refuse_bomb(path, file)
        with _in_one_sentence(path):
            unpacked = _bytes_of_weights(file)
        refuse_unpacked(path, file, unpacked)
    with _in_one_sentence(path):
        return keras.saving.load_model(path)


def _bytes_of_weights(file: BinaryIO) -> int:
    """Returns the unpacked size, in bytes, of the arrays in a `.keras` file's HDF5 files."""
    sizes = []

    def add(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.size * item.dtype.itemsize)

    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".h5"):
                with h5py.File(io.BytesIO(archive.read(name)), "r") as weights:
                    weights.visititems(add)
    return sum(sizes)


@contextlib.contextmanager
def _in_one_sentence(path: Path) -> Iterator[None]:
    """Replaces Keras errors, which print whole configurations, with a ValueError and the cause."""
    try:
        yield
    except Exception as error:  # a wrong value can cause errors anywhere
        # Keras wraps an error in other errors, one per enclosing object.
        cause = str(error).rpartition("Exception encountered: ")[2].strip()
        # If the weights of several layers do not match, Keras describes only one layer.
        cause = cause.partition("Example error message for object ")[2] or cause
        cause = re.sub(r"^<.*?>:\s*", "", cause)
        sentence = re.split(r"\.?\s*\n|\. (?=[A-Z])", cause)[0].rstrip(".?")
        way_out = "Save the model again, or use another copy."
        if found := _LACKING.search(cause):
            name = found[1]
            way_out = (
                "Import the module that registers it, or pass it to keras_gen.load: "
                f"custom_objects={{'{name}': {name}}}."
            )
        raise ValueError(f"{path} cannot be loaded: {sentence[:300]}. {way_out}") from error


def _of_hub(source: str) -> Any:
    """Loads a model from the Hugging Face Hub: an export, or else a file saved by Keras."""
    try:
        import huggingface_hub
    except ImportError:
        return keras.saving.load_model(source)  # the error names the package to install
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", source.removeprefix(HUB)):
        raise ValueError(f"source is {shown(source)}: expected '{HUB}<user>/<name>'.")
    folder = Path(huggingface_hub.snapshot_download(source.removeprefix(HUB)))
    if versions(folder):
        return _of_export(resolve(folder))
    with _in_one_sentence(Path(source)):
        return keras.saving.load_model(source)


def _found(source: Path) -> Path:
    """Returns the `.keras` file or the export folder for a name or path."""
    if len(os.fsencode(source.name)) > 255:
        raise FileNotFoundError(
            f"there is no export {shown(str(source))}: expected a name with at most 255 bytes."
        )
    if source.exists() and not source.is_dir():
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
        f"the run in {folder} has neither best.keras nor an export: finish the run with --resume, "
        "or pass the folder that was given to --export."
    )


def _of_export(path: Path) -> GenerativeModel:
    """Builds the model of an export, and loads the export's weights."""
    verify(path)
    file = path / MODEL
    if not file.is_file():
        raise ValueError(
            f"{path} has no {MODEL}, which describes how to build its model: build the model with "
            "its original arguments, and load these weights with "
            "keras_gen.serving.export.load_weights."
        )
    with _in_one_sentence(file):
        described = read_description(file)
        config = json.loads(str(described["configuration"]))
        model = keras.saving.deserialize_keras_object(config)
        if not isinstance(model, GenerativeModel):
            raise ValueError(
                f"its configuration is {shown(config)}: expected the configuration of a model"
            )
        model.step.assign(checked_integer("step", described["step"].tolist(), minimum=0))
    weights = model.weights
    with _in_one_sentence(path):
        values = stored_weights(path, described)
        for index, value in values.items():
            _assign(weights, index, value)
    metadata = read_metadata(path)
    model.started_from = metadata.get("started_from") or data_of(metadata)
    known = {id(weights[index]) for index in values}
    initial = [
        name
        for name, network in model.networks.items()
        if any(id(weight) not in known for weight in network.trainable_weights)
    ]
    if initial:
        warn(
            f"{path} does not contain the weights of {', '.join(initial)}, which no signature "
            "uses: these weights keep their initial values. A .keras file contains all weights."
        )
    return model


def _assign(weights: list, index: int, value: np.ndarray) -> None:
    """Sets the weight at `index`; raises a ValueError if there is no weight of the same shape."""
    if not 0 <= index < len(weights):
        raise ValueError(
            f"it contains a weight with the index {index}: expected 0 to {len(weights) - 1}"
        )
    weight = weights[index]
    if tuple(weight.shape) != np.shape(value):
        raise ValueError(
            f"weight {index} has shape {np.shape(value)}: expected {tuple(weight.shape)}"
        )
    weight.assign(np.asarray(value, weight.dtype))
