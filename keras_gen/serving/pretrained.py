"""Trained models that train on: those of exports, runs, files and the Hugging Face Hub."""

import contextlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gen.arguments import checked_path
from keras_gen.core import GenerativeModel, keep_averages
from keras_gen.files.places import place
from keras_gen.files.reading import open_regular, refuse_bomb
from keras_gen.messages import warn
from keras_gen.serving.exported import data_of, find, read_metadata, resolve, versions
from keras_gen.serving.index import verify
from keras_gen.serving.model_files import MODEL, read_description, stored_weights

HUB = "hf://"


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
        described = read_description(file)
        config = json.loads(str(described["configuration"]))
        model = keras.saving.deserialize_keras_object(config)
    model.step.assign(described["step"])
    metadata = read_metadata(path)
    model.started_from = metadata.get("started_from") or data_of(metadata)
    values = stored_weights(path, described)
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
