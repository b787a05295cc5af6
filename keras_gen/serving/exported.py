"""Finds, describes, and calls exported models, without Keras or the model's code."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.arguments import checked_path, count_hidden, is_unicode, shown
from keras_gen.files.reading import open_regular, read_json
from keras_gen.files.writing import PACKAGE, place
from keras_gen.messages import known_names, nearest, out_of_memory, refusal
from keras_gen.quiet import quiet, start_tensorflow

SHIPPED = PACKAGE / "shipped" / "saved_models"
"""Folder of the exports that a built package contains."""
METADATA = Path("assets.extra") / "keras_gen.json"
"""Path of the metadata, relative to an export's folder."""
_OF_SIGNATURES = ("signatures", "defaults", "limits", "options", "largest_request_of")
SUFFIX = "_bytes"
"""Suffix of signatures that accept image files, and of their tensors. TensorFlow Serving encodes
strings with such names in base64."""


def versions(folder: str | Path) -> dict[int, Path]:
    """Returns the exports in `folder` by version, in ascending order; may be empty."""
    files = Path(folder).glob("*/saved_model.pb")
    paths = (file.parent for file in files if file.is_file())
    return dict(sorted((int(path.name), path) for path in paths if path.name.isdecimal()))


def next_version(directory: str | Path, name: str) -> int:
    """Returns the highest version number in `<directory>/<name>/` plus 1, or 1 if there is none."""
    entries = Path(directory, name).glob("*")
    return max((int(path.name) for path in entries if path.name.isdecimal()), default=0) + 1


def resolve(path: str | Path) -> Path:
    """Returns the SavedModel to which `path` refers: `path` itself, or its highest version.

    Raises:
        FileNotFoundError: If there is no SavedModel.
        OSError: If the folder contains a pipe, a socket, or a device, on which TensorFlow would
            block.
    """
    path = checked_path("path", path)
    found = {0: path} if (path / "saved_model.pb").is_file() else versions(path)
    if not found:
        raise FileNotFoundError(
            f"{path} contains no exported model: expected {path}/saved_model.pb or "
            f"{path}/<version>/saved_model.pb."
        )
    path = found[max(found)]
    for file in (*path.glob("*"), *path.glob("*/*")):
        if not file.is_dir():
            open_regular(file).close()
    return path


def find(models: Path, model: str) -> Path:
    """Returns the folder of `model`, which is a path, or a name in the folder `models`.

    Raises:
        OSError: If the export does not exist (FileNotFoundError), or if its path is not a folder.
    """
    for path in (Path(model), models / model):
        if path.is_dir():
            return path
    if Path(model).exists():
        open_regular(model).close()
        raise NotADirectoryError(
            f"{model} is a file: expected the folder of an export, which model.export writes."
        )
    name = Path(model).name
    if (place("recipes") / f"{name}.py").is_file():
        if models == SHIPPED:
            raise FileNotFoundError(
                f"{model} is not in the installed package: expected a path, or one of the "
                f"package's exports, {', '.join(exports(models))}. Copy saved_models/{name} from "
                f"a checkout and pass its path, or train it with `keras-gen train {name} --export "
                f"exports` and pass exports/{name}."
            )
        raise FileNotFoundError(
            f"{model} has not been trained: it is neither a path nor an export in {models}. "
            f"Train it with `keras-gen train {name} --export {models}`; `keras-gen show {name}` "
            "prints the training time."
        )
    raise FileNotFoundError(
        f"there is no model {model!r}, either as a path or in {models}"
        f"{known_names(name, exports(models))}"
    )


def exports(models: Path) -> list[str]:
    """Returns the names of the exports in the folder `models`."""
    if not models.is_dir():
        return []
    return sorted(path.name for path in models.iterdir() if versions(path))


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Returns the metadata of the export in the folder `path`; empty if there is no metadata.

    Raises:
        OSError: If the metadata cannot be read, or is not in a regular file.
        ValueError: If the metadata, or one of its parts, is not a JSON object.
    """
    file = checked_path("path", path) / METADATA
    metadata = read_json(file, "export the model again") if file.exists() else {}
    for key in _OF_SIGNATURES:
        part = metadata.get(key, {})
        if not isinstance(part, dict) or not all(isinstance(v, dict) for v in part.values()):
            raise ValueError(
                f"{key} in {file} is {shown(part)}: expected a JSON object whose values are "
                "objects. Export the model again."
            )
    return metadata


def data_of(metadata: Mapping[str, Any]) -> str:
    """Returns the name of the data on which an export was trained."""
    data = metadata.get("data") or ""
    return str(data.get("name") or "") if isinstance(data, dict) else str(data)


def usual_values(metadata: dict[str, Any], signature: str) -> dict[str, Any]:
    """Returns the same values as `Exported.defaults`, based only on an export's metadata."""
    default = metadata.get("default_signature")
    name = default if signature == "serving_default" else signature
    return dict(metadata.get("defaults", {}).get(name, {}))


class Exported:
    """A loaded export, whose signatures are called by name with arrays. Created by `load`.

    Attributes:
        path: Folder of the SavedModel.
        inputs: A dict that maps each signature name to a dict from input names to `tf.TensorSpec`
            objects.
        outputs: A dict that maps each signature name to a dict from output names to `tf.TensorSpec`
            objects.
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
        """Metadata of the export; see `read_metadata`."""
        return read_metadata(self.path)

    def defaults(self, signature: str) -> dict[str, Any]:
        """Returns a dict that maps each input that a call may omit to its default value."""
        return usual_values(self.metadata, signature)

    def __call__(self, signature: str, /, **inputs: Any) -> dict[str, np.ndarray]:
        """Runs a signature, and returns its outputs by name.

        Args:
            signature: Name of the signature.
            **inputs: Inputs by name: arrays, numbers, or strings that the declared dtype can
                represent without loss. Images are uint8, 0 to 255. Inputs with default values
                (`defaults`) may be omitted.

        Raises:
            ValueError: If there is no such signature, if it accepts other inputs, if the shape or
                type of an input differs from its declaration, or if the signature rejects a value.
        """
        import tensorflow as tf

        if signature not in self.inputs:
            raise ValueError(
                f"{self.path} has no signature {signature!r}: expected one of "
                f"{', '.join(sorted(self.inputs))}{nearest(signature, self.inputs)}"
            )
        specs = self.inputs[signature]
        if specs.keys() - inputs.keys():
            inputs = self.defaults(signature) | inputs
        if set(inputs) != set(specs):
            raise ValueError(
                f"signature {signature!r} got the inputs {sorted(inputs)}: expected "
                f"{sorted(specs)}."
            )
        tensors = {
            name: tf.constant(_held(name, value, specs[name].dtype.as_numpy_dtype))
            for name, value in inputs.items()
        }
        for name, tensor in tensors.items():
            if not specs[name].shape.is_compatible_with(tensor.shape):
                raise ValueError(
                    f"input {name!r} of signature {signature!r} has shape "
                    f"{tensor.shape}: expected {specs[name].shape}."
                )
        try:
            outputs = self._model.signatures[signature](**tensors)
        except tf.errors.OpError as error:
            # TensorFlow's message is the last line before the description of the position in the
            # graph.
            message = error.message.partition("\n\t [[")[0].strip().splitlines()[-1][:200]
            message = refusal(error.message) or out_of_memory(error) or message
            raise ValueError(
                f"signature {signature!r} of {self.path} failed: {message}"
            ) from error
        except UnicodeDecodeError:  # the message contains the value
            raise ValueError(
                f"signature {signature!r} of {self.path} failed: a string contains bytes "
                "that are not valid UTF-8. Convert it to UTF-8."
            ) from None
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def _held(name: str, value: Any, dtype: Any) -> np.ndarray:
    """Converts `value` to an array of the given dtype without loss."""
    if count_hidden(value):
        raise ValueError(f"input {name!r} has masked values: fill or remove these values first.")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"input {name!r} is {shown(value)}: expected an array, or nested lists of equal length."
        ) from None
    if dtype is object:  # strings or bytes, because NumPy's own types drop trailing NULs
        array = np.asarray(value, object)
        if wrong := [each for each in array.flat if not _is_text(each)]:
            raise ValueError(
                f"input {name!r} contains {shown(wrong[0])}: expected strings or bytes."
            )
        return array
    kinds = "biu" if np.issubdtype(dtype, np.integer) else "biuf"
    if array.size and array.dtype.kind not in kinds:
        raise ValueError(
            f"input {name!r} has dtype {array.dtype}: expected {np.dtype(dtype)}"
            + (", 0 to 255. Scale and round the values first." if dtype == np.uint8 else ".")
        )
    if array.size and kinds == "biu":
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(
                f"input {name!r} has values from {array.min()} to {array.max()}: expected "
                f"{limits.min} to {limits.max}."
            )
    with np.errstate(over="ignore"):  # the signature rejects infinite numbers
        return array.astype(dtype)


def _is_text(value: Any) -> bool:
    """Returns whether a value is bytes, or a string without unpaired surrogates."""
    if not isinstance(value, str):
        return isinstance(value, bytes)
    return is_unicode(value)


def load(path: str | Path) -> Exported:
    """Loads an export: a SavedModel folder, or the highest version in a folder of versions.

    Raises:
        FileNotFoundError: If there is no export.
        OSError: If TensorFlow cannot read the export.

    Example:
        >>> model = load("saved_models/cyclegan_monet")          # doctest: +SKIP
        >>> model("translate", images=photos)["output_images"].shape    # doctest: +SKIP
        (4, 256, 256, 3)
    """
    path = resolve(path)
    start_tensorflow()
    import tensorflow as tf

    try:
        with quiet():  # hides warnings about gradients, which serving does not need
            saved = tf.saved_model.load(str(path))
        return Exported(path, saved)
    except Exception as error:  # a damaged protobuf raises almost any error
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".:")
        raise OSError(
            f"{path} is not a readable SavedModel ({first}): export the model again, or "
            "download it again."
        ) from error
