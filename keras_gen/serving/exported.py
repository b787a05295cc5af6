"""Finding, describing and calling exported models, with neither Keras nor the model's code."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.arguments import checked_path, count_hidden, shown
from keras_gen.files.places import place
from keras_gen.files.reading import open_regular, read_json
from keras_gen.messages import known_names, nearest, out_of_memory, refusal
from keras_gen.quiet import quiet, start_tensorflow

METADATA = Path("assets.extra") / "keras_gen.json"
"""Where an export has its metadata, relative to its folder."""
_OF_SIGNATURES = ("signatures", "defaults", "limits", "options", "largest_request_of")
SUFFIX = "_bytes"
"""Ends the names of signatures of image files' contents, and of their tensors: TensorFlow Serving
carries strings of such names in base64."""


def versions(folder: str | Path) -> dict[int, Path]:
    """The exports in `folder` by version, in ascending order; empty without any."""
    files = Path(folder).glob("*/saved_model.pb")
    paths = (file.parent for file in files if file.is_file())
    return dict(sorted((int(path.name), path) for path in paths if path.name.isdecimal()))


def next_version(directory: str | Path, name: str) -> int:
    """The first free version, from 1, above every number that `<directory>/<name>/` holds."""
    entries = Path(directory, name).glob("*")
    return max((int(path.name) for path in entries if path.name.isdecimal()), default=0) + 1


def resolve(path: str | Path) -> Path:
    """The SavedModel meant by `path`: `path` itself, or the highest version below it.

    Raises:
        FileNotFoundError: If there is none.
        OSError: If it holds a pipe, a socket, or a device, for which TensorFlow would wait.
    """
    path = checked_path("path", path)
    found = {0: path} if (path / "saved_model.pb").is_file() else versions(path)
    if not found:
        raise FileNotFoundError(
            f"{path} holds no exported model: expected {path}/saved_model.pb or "
            f"{path}/<version>/saved_model.pb."
        )
    path = found[max(found)]
    for file in (*path.glob("*"), *path.glob("*/*")):
        if not file.is_dir():
            open_regular(file).close()
    return path


def find(models: Path, model: str) -> Path:
    """The folder that `model` names: a path, or a name in the folder `models`.

    Raises:
        FileNotFoundError: If there is none.
    """
    for path in (Path(model), models / model):
        if path.is_dir():
            return path
    name = Path(model).name
    if (place("recipes") / f"{name}.py").is_file():
        raise FileNotFoundError(
            f"{model} is not trained: neither a path nor in {models}. `keras-gen train {name} "
            f"--export {models}` trains it; of its minutes `keras-gen show {name}` tells."
        )
    raise FileNotFoundError(
        f"there is no model {model!r}, neither as a path nor in {models}"
        f"{known_names(name, exports(models))}"
    )


def exports(models: Path) -> list[str]:
    """Names of the exports in folder `models`."""
    if not models.is_dir():
        return []
    return sorted(path.name for path in models.iterdir() if versions(path))


def read_metadata(path: str | Path) -> dict[str, Any]:
    """The metadata of the export in folder `path`; empty if it has none.

    Raises:
        OSError: If the metadata cannot be read, or is not in a regular file.
        ValueError: If the metadata is not a JSON object, or one of its parts is not.
    """
    file = checked_path("path", path) / METADATA
    metadata = read_json(file, "export the model again") if file.exists() else {}
    for key in _OF_SIGNATURES:
        part = metadata.get(key, {})
        if not isinstance(part, dict) or not all(isinstance(v, dict) for v in part.values()):
            raise ValueError(
                f"{key} in {file} is {shown(part)}: expected a JSON object of objects. Export the "
                "model again."
            )
    return metadata


def data_of(metadata: Mapping[str, Any]) -> str:
    """The name of the data that an export was trained on."""
    data = metadata.get("data") or ""
    return str(data.get("name") or "") if isinstance(data, dict) else str(data)


def usual_values(metadata: dict[str, Any], signature: str) -> dict[str, Any]:
    """What `Exported.defaults` returns, by an export's metadata alone."""
    default = metadata.get("default_signature")
    name = default if signature == "serving_default" else signature
    return dict(metadata.get("defaults", {}).get(name, {}))


class Exported:
    """A loaded export: its signatures, called by name on arrays. Made by `load`.

    Attributes:
        path: Folder of the SavedModel.
        inputs: Signature name -> input name -> `tf.TensorSpec`.
        outputs: Signature name -> output name -> `tf.TensorSpec`.
    """

    def __init__(self, path: Path, model: Any):
        self.path = path
        self._model = model  # keeps the variables alive
        self.inputs: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        for name, function in sorted(model.signatures.items()):
            self.inputs[name] = dict(sorted(function.structured_input_signature[1].items()))
            self.outputs[name] = dict(sorted(function.structured_outputs.items()))

    @functools.cached_property
    def metadata(self) -> dict[str, Any]:
        """What `read_metadata` says of it."""
        return read_metadata(self.path)

    def defaults(self, signature: str) -> dict[str, Any]:
        """The usual values of a signature's inputs, by name: those that a call may leave out."""
        return usual_values(self.metadata, signature)

    def __call__(self, signature: str, /, **inputs: Any) -> dict[str, np.ndarray]:
        """Runs one signature, and returns its outputs by name.

        Args:
            signature: Its name.
            **inputs: Arrays, numbers or texts that the declared dtype holds without loss. Images
                are uint8, 0 to 255. Those that have usual values (`defaults`) may be left out.

        Raises:
            ValueError: If there is no such signature, it takes other inputs, an input has another
                shape or kind of value than declared, or the signature refuses a value.
        """
        import tensorflow as tf

        if signature not in self.inputs:
            raise ValueError(
                f"{self.path} has no signature {signature!r}: it has "
                f"{', '.join(sorted(self.inputs))}{nearest(signature, self.inputs)}"
            )
        specs = self.inputs[signature]
        if specs.keys() - inputs.keys():
            inputs = self.defaults(signature) | inputs
        if set(inputs) != set(specs):
            raise ValueError(
                f"signature {signature!r} got the inputs {sorted(inputs)}: it takes "
                f"{sorted(specs)}."
            )
        tensors = {
            name: tf.constant(_held(name, value, specs[name].dtype.as_numpy_dtype))
            for name, value in inputs.items()
        }
        for name, tensor in tensors.items():
            if not specs[name].shape.is_compatible_with(tensor.shape):
                raise ValueError(
                    f"input {name!r} of signature {signature!r} has the shape "
                    f"{tensor.shape}: it takes {specs[name].shape}."
                )
        try:
            outputs = self._model.signatures[signature](**tensors)
        except tf.errors.OpError as error:
            # The last line before the place in the graph.
            message = error.message.partition("\n\t [[")[0].strip().splitlines()[-1][:200]
            message = refusal(error.message) or out_of_memory(error) or message
            raise ValueError(
                f"signature {signature!r} of {self.path} failed: {message}"
            ) from error
        except UnicodeDecodeError:  # of a sentence that shows what was given
            raise ValueError(
                f"signature {signature!r} of {self.path} failed: a text has bytes that are not "
                "UTF-8: expected UTF-8."
            ) from None
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def _held(name: str, value: Any, dtype: Any) -> np.ndarray:
    """`value` as an array of a dtype that holds all of it."""
    if count_hidden(value):
        raise ValueError(f"input {name!r} has masked values: fill or remove them first.")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"input {name!r} is {shown(value)}: it takes one array, whose parts have equal lengths."
        ) from None
    if dtype is object:  # texts or bytes: NumPy's own kind drops zeros at their end
        array = np.asarray(value, object)
        if wrong := [each for each in array.flat if not _is_text(each)]:
            raise ValueError(f"input {name!r} holds {shown(wrong[0])}: it takes texts or bytes.")
        return array
    kinds = "biu" if np.issubdtype(dtype, np.integer) else "biuf"
    if array.size and array.dtype.kind not in kinds:
        raise ValueError(
            f"input {name!r} is {array.dtype}: it takes {np.dtype(dtype)}"
            + (", 0 to 255: scale and round first." if dtype == np.uint8 else ".")
        )
    if array.size and kinds == "biu":
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(
                f"input {name!r} has values from {array.min()} to {array.max()}: it takes "
                f"{limits.min} to {limits.max}."
            )
    return array.astype(dtype)


def _is_text(value: Any) -> bool:
    """Whether a value is bytes, or a text without halves of surrogate pairs."""
    if not isinstance(value, str):
        return isinstance(value, bytes)
    return value.isascii() or not re.search("[\ud800-\udfff]", value)


def load(path: str | Path) -> Exported:
    """Loads an export: a SavedModel folder, or the highest version in a folder of versions.

    Raises:
        FileNotFoundError: If there is no export.
        OSError: If there is one and TensorFlow cannot read it.

    Example:
        >>> model = load("saved_models/cyclegan_monet")          # doctest: +SKIP
        >>> model("translate", images=photos)["output_images"].shape    # doctest: +SKIP
        (4, 256, 256, 3)
    """
    path = resolve(path)
    start_tensorflow()
    import tensorflow as tf

    try:
        with quiet():  # of gradients, which what is served does not need
            saved = tf.saved_model.load(str(path))
        return Exported(path, saved)
    except Exception as error:  # a damaged protobuf raises nearly anything
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".:")
        raise OSError(
            f"{path} is not a readable SavedModel ({first}): export the model again or fetch it "
            "anew."
        ) from error
