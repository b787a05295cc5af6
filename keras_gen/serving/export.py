"""Writes SavedModels with named, typed signatures, ready to serve without Keras."""

import contextlib
import dataclasses
import errno
import json
import math
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen import __version__, licenses
from keras_gen.arguments import checked_path, shown
from keras_gen.core.network_checks import check_weights
from keras_gen.files.writing import clear_partial_files, partial_path, place, write_json
from keras_gen.keras_internals import all_layers
from keras_gen.messages import older_likelihood
from keras_gen.serving import model_files, request_limits
from keras_gen.serving.encoded_images import encoded, image_input, of_encoded
from keras_gen.serving.exported import (
    METADATA,
    SUFFIX,
    Exported,
    find,
    load,
    next_version,
    read_metadata,
    resolve,
)
from keras_gen.serving.graph_hints import drop_hints
from keras_gen.serving.request_limits import LargestRequest
from keras_gen.serving.warmup import default_inputs, write_warmup

__all__ = ["Exported", "export", "load", "load_weights", "next_version"]

Specs = dict[str, tf.TensorSpec]
Halves = dict[int, tuple[Any, tf.Variable]]
INFERENCE = {"dropout": "off", "normalization": "inference mode: moving statistics"}


def export(
    model: Any,
    directory: str | Path,
    name: str,
    default: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    warmup: Mapping[str, Mapping[str, Any]] | None = None,
    half: bool = False,
    signatures: Sequence[str] | None = None,
) -> Path:
    """Writes `<directory>/<name>/<version>/`, a SavedModel with the model's signatures.

    The export does not require this library, Keras, or the distribution strategy used in training,
    and computes in float32. It contains only the variables that its signatures read. Inputs and
    outputs are uint8, int16, int32, float32, and string tensors; an output with the name of an
    input is renamed `output_<name>`. The export contains metadata (`assets.extra/keras_gen.json`),
    a warm-up request per signature (`assets.extra/tf_serving_warmup_requests`), and the
    configuration of the model, from which `keras_gen.load` rebuilds it
    (`assets.extra/keras_model.npz`). Each signature is run once on its warm-up request. For table
    rows, `columns` in the metadata maps the name of an input or output to its columns. For a
    signature that requires only images, a second signature, `<name>_bytes`, accepts and returns the
    contents of image files. Requests without examples, or larger than `largest_request` in the
    metadata, are rejected before any computation; image files are rejected based on their headers.

    A model may have these optional attributes. `signature_defaults()` returns default values of
    inputs for the metadata and the warm-up requests. `resources` lists other trackable objects that
    the signatures read, such as the lookup table of a vocabulary. `inference_policy` is added to
    the metadata, and `default_signature` names the signature that is used if `default` is None.
    `most_elements` and `most_examples` limit the number of elements and examples in an input, if
    the defaults of `request_limits` would need too much memory. `evaluations` maps the name of a
    signature to the number of times that the signature evaluates the model's `network` for an
    example, or in each of the `steps` of a request. A signature's function may have two attributes
    for the metadata: `limits`, which maps the name of an input to its minimum and maximum, and
    `options`, which maps the name of an input to the allowed strings.

    The export gets the first free version number. Its folder appears only when the export is
    complete.

    Args:
        model: Model of this library, or an object with two of its members. `networks` is a dict
            that maps names to `keras.Model` objects, and `signatures()` returns a dict that maps
            each name to a function and its named input specs. The function maps tensors to a tensor
            or a dict of tensors.
        directory: Folder for all exports, created if missing.
        name: Name of the export, which is also the name under which it is served.
        default: Name of the signature that is also exported as `serving_default`. If None, the
            model's `default_signature` or, without this attribute, the first signature is used.
        metadata: Additional metadata, such as `recipe`, `config`, `data`, and `metrics`.
        warmup: Warm-up requests, a dict that maps each signature name to a dict from input names to
            arrays. If None, a request contains one example of zeros or empty strings; other open
            axes have size 64, and scalars are 1.
        half: Whether to store the weights as float16, which halves the size of the weights. The
            stored weights differ by up to 0.05% from the model's weights; computation is still in
            float32.
        signatures: Names of the signatures to write. For example, one direction of a translation
            can be exported without the weights of the other direction. If None, all of the model's
            signatures are written.

    Returns:
        The folder of the export.

    Raises:
        ValueError: If `name`, `default`, `metadata`, `warmup`, `signatures`, or an input spec is
            invalid, or if a signature fails on its warm-up request.
        NonFiniteLossError: If a weight is NaN or infinite.
        OSError: If `directory` is not writable.

    Example:
        >>> export(model, "saved_models", "gan_usps", metadata={"data": "usps"})  # doctest: +SKIP
        PosixPath('saved_models/gan_usps/1')
    """
    _check_name(name)
    if isinstance(model, keras.Model):
        check_weights(model)
    directory = checked_path("directory", directory)
    written = _chosen(model, signatures)
    if default is None:
        usual = getattr(model, "default_signature", None)
        usual = usual if usual in written else next(iter(written))
        default = "serving_default" if "serving_default" in written else usual
    warmup = warmup or {}
    for key in (default, *warmup):
        if key not in written:
            raise ValueError(
                f"The export of {type(model).__name__} has no signature {key!r}: expected one "
                f"of {', '.join(written)}."
            )

    specs = {key: _named_specs(key, inputs) for key, (_, inputs) in written.items()}

    def traced(halves: Halves, largest: LargestRequest) -> dict[str, Any]:
        return {
            key: _concrete(f, specs[key], halves, limits_of(key, largest))
            for key, (f, _) in written.items()
        }

    def limits_of(key: str, largest: LargestRequest) -> LargestRequest:
        return request_limits.of_signature(largest, model, key, written[key][0])

    with _in_float32(model.networks):
        halves: Halves = {}
        of_all = request_limits.largest_request(model, model.networks.values())
        functions = traced(halves, of_all)
        # The limits depend on the networks that are served.
        served = _networks_read(model.networks, functions)
        largest = request_limits.largest_request(model, served)
        if half:
            halves = _halves(model.networks, _read(functions))
        if half or largest != of_all:
            functions = traced(halves, largest)
    defaults: dict[str, Any] = getattr(model, "signature_defaults", dict)()
    edges = getattr(model, "edges", {}).values()
    examples = {edge.name: edge.example for edge in edges if edge.example is not None}
    requests = {}
    for key, function in functions.items():
        given = warmup.get(key, {})
        usual = {name: value for name, value in examples.items() if name in specs[key]}
        requests[key] = _request(key, specs[key], given, usual | defaults.get(key, {}))
        _try(key, function, requests[key])
    for key in written:
        usual = defaults.get(key, {})
        images = image_input(specs[key], usual)
        beside = key + SUFFIX
        if images is None or beside in written:
            continue
        example = requests[key][images][:1]
        functions[beside] = of_encoded(
            functions[key], images, specs[key], usual, limits_of(key, largest)
        )
        specs[beside] = {images + SUFFIX: tf.TensorSpec([None], tf.string)}
        requests[beside] = {images + SUFFIX: encoded(example)}
        _try(beside, functions[beside], requests[beside])
    module, parameters = _module(model.networks, functions, halves)
    originals = {id(half): variable.value for variable, half in halves.values()}
    kept = [originals.get(id(value), value) for value in module.kept]
    described = model_files.description(model, kept)
    module.resources = list(getattr(model, "resources", ()))
    limits = {
        key: _limits(f.limits, largest)
        for key, (f, _) in written.items()
        if hasattr(f, "limits")
    }
    options = {key: f.options for key, (f, _) in written.items() if getattr(f, "options", None)}
    bounds = {
        "limits": limits,
        "options": options,
        "largest_request": largest.described(),
        "largest_request_of": {
            key: limits_of(key, largest).described()
            for key in written
            if limits_of(key, largest) != largest
        },
    }
    description = _describe(
        model, name, default, specs, functions, parameters, bounds, metadata or {}
    )
    functions["serving_default"] = functions[default]
    requests["serving_default"] = requests[default]

    folder = directory / name
    temporary = partial_path(folder / uuid.uuid4().hex)
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_partial_files(folder)
        tf.saved_model.save(
            module,
            str(temporary),
            signatures=functions,
            options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
        )
        drop_hints(temporary)
        write_warmup(temporary, name, requests)
        if described is not None:
            (temporary / model_files.MODEL).write_bytes(described)
        return _publish(temporary, folder, description)
    except (OSError, tf.errors.OpError) as error:
        # TensorFlow puts its operation and the temporary path before the cause.
        first_line = str(error).splitlines()[0].partition(" [Op:")[0]
        reason = getattr(error, "strerror", None) or first_line.rpartition("; ")[2]
        raise OSError(
            getattr(error, "errno", None) or errno.EIO,
            f"cannot write the export ({reason}): free some space or choose another directory",
            str(folder),
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _check_name(name: Any) -> None:
    """Rejects invalid folder names; file systems allow 255 bytes."""
    is_text = isinstance(name, str) and name.isprintable()
    if (
        not is_text
        or not 0 < len(name.encode()) < 256
        or name[0] == "."
        or set(name) & set("/\\")
    ):
        raise ValueError(
            f"name is {shown(name)}: expected a folder name of at most 255 bytes, without path "
            "separators, control characters, or leading dots, such as 'cyclegan_monet'."
        )


def _chosen(model: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """Returns the model's signatures with these names, or all signatures."""
    signatures = dict(model.signatures())
    if not signatures:
        raise ValueError(
            f"{type(model).__name__}.signatures() is empty: expected at least one signature."
        )
    chosen = list(signatures) if names is None else names
    if not chosen or not set(chosen) <= set(signatures):
        raise ValueError(
            f"signatures is {names}: expected one or more signatures of {type(model).__name__} "
            f"({', '.join(signatures)})."
        )
    return {name: signatures[name] for name in chosen}


def add_metadata(path: str | Path, metadata: Mapping[str, Any]) -> None:
    """Adds entries to the metadata of an export, such as metrics that were computed later.

    Args:
        path: Folder of the export.
        metadata: A dict that maps names to entries. Existing entries with these names are replaced.

    Raises:
        ValueError: If an entry cannot be written as JSON.
        OSError: If the file cannot be written. In this case, the existing metadata is kept.

    Example:
        >>> add_metadata("saved_models/my_gan/1", {"metrics": {"nll": 1.5}})  # doctest: +SKIP
    """
    write_json(Path(path) / METADATA, read_metadata(path) | _plain(metadata, "metadata"))


def load_weights(model: Any, path: str | Path) -> None:
    """Loads the weights that the signatures read from an export of the same model.

    A published model can thus be reevaluated or trained further. Weights that no signature reads,
    such as the weights of a discriminator, are unchanged.

    Args:
        model: Model built in the same way as the exported model.
        path: Name of an export in `saved_models`, folder of an export, or folder of its versions.
            For a name or a folder of versions, the highest version is used.

    Raises:
        FileNotFoundError: If there is no export.
        ValueError: If the export contains different weights.

    Example:
        >>> load_weights(vae, "vae_mnist")    # doctest: +SKIP
    """
    path = resolve(find(place("saved_models"), str(checked_path("path", path))))
    loaded = tf.saved_model.load(str(path))
    there = loaded.kept
    functions = {}
    largest = request_limits.largest_request(model, ())
    for key, (function, inputs) in model.signatures().items():
        if key in loaded.signatures:
            functions[key] = _concrete(function, _named_specs(key, inputs), {}, largest)
    here = _module(model.networks, functions, {})[0].kept
    shapes = [[list(variable.shape) for variable in variables] for variables in (there, here)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{path} contains {len(there)} weights, which differ in number or shape from the "
            f"{len(here)} weights of this {type(model).__name__}: build the model with the same "
            f"arguments as the exported model.{older_likelihood(model)}"
        )
    for variable, value in zip(here, there, strict=True):
        variable.assign(tf.cast(value, variable.dtype))
    model_files.restore_beside(model, path)


def _named_specs(signature: str, inputs: list[tf.TensorSpec]) -> Specs:
    served = (tf.uint8, tf.int16, tf.int32, tf.float32, tf.string)
    for spec in inputs:
        if not spec.name or spec.dtype not in served or spec.shape.rank is None:
            raise ValueError(
                f"signature {signature!r} has the input {spec}: expected a name, a known rank, "
                "and one of the dtypes uint8, int16, int32, float32, and string."
            )
    return {spec.name: spec for spec in inputs}


@contextlib.contextmanager
def _in_float32(networks: Mapping[str, Any]) -> Iterator[None]:
    """Makes networks compute in float32, regardless of their dtype policy."""
    layers = {layer for network in networks.values() for layer in all_layers(network)}
    policies = [(layer, layer.dtype_policy) for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = "float32"
        yield
    finally:
        for layer, policy in policies:
            layer.dtype_policy = policy


def _read(functions: Mapping[str, Any]) -> dict[int, Any]:
    """Returns the variables that functions read, by id."""
    return {id(v): v for function in functions.values() for v in function.graph.variables}


def _networks_read(networks: Mapping[str, Any], functions: Mapping[str, Any]) -> list[Any]:
    """Returns the networks whose variables are read by functions."""
    read = _read(functions)
    return [
        network
        for network in networks.values()
        if any(id(part) in read for v in network.variables for part in _parts(v.value))
    ]


def _parts(value: Any) -> tuple:
    """Returns a variable and its components; a distributed variable is read through a component."""
    return (value, *getattr(value, "values", ()))


def _halves(networks: Mapping[str, Any], read: Mapping[int, Any]) -> Halves:
    """Maps the id of each floating-point variable to the variable and its float16 copy."""
    variables = [v for network in networks.values() for v in network.variables]
    return {
        id(v): (v, tf.Variable(tf.cast(v.value, tf.float16), trainable=False))
        for v in variables
        if any(id(part) in read for part in _parts(v.value))
        and "float" in keras.backend.standardize_dtype(v.dtype)
    }


def _concrete(function: Callable, specs: Specs, halves: Halves, largest: LargestRequest) -> Any:
    """Traces `function` once, with outputs in a dict and in dtypes that can be served.

    Requests that exceed the limits are rejected.
    """

    def served(tensor: Any) -> tf.Tensor:
        tensor = tf.convert_to_tensor(tensor)
        if tensor.dtype.is_floating:
            return tf.cast(tensor, tf.float32)
        as_it_is = tensor.dtype in (tf.uint8, tf.int16, tf.string)
        return tensor if as_it_is else tf.cast(tensor, tf.int32)

    def signature(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        # Shapes are checked here, because runtimes other than Python accept any shape, which may
        # cause networks to crash the process.
        tensors = tuple(map(tf.ensure_shape, tensors, (spec.shape for spec in specs.values())))
        tensors = request_limits.checked(dict(zip(specs, tensors, strict=True)), largest)
        values = [(v, tf.cast(half, tf.float32)) for v, half in halves.values()]
        with keras.StatelessScope(values) if values else contextlib.nullcontext():
            outputs = function(*tensors)
        if not isinstance(outputs, Mapping):
            outputs = {"output": outputs}
        # Outputs must not share names with inputs, because converters identify a tensor by its name
        # alone.
        names = {key: f"output_{key}" if key in specs else key for key in outputs}
        return {
            names[key]: tf.identity(served(x), name=names[key]) for key, x in outputs.items()
        }

    return tf.function(signature, input_signature=list(specs.values())).get_concrete_function()


def _request(
    signature: str, specs: Specs, given: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    if given and set(given) != set(specs):
        raise ValueError(
            f"warmup[{signature!r}] has the inputs {sorted(given)}: expected {sorted(specs)}."
        )
    return default_inputs(specs) | {
        key: np.asarray(value, specs[key].dtype.as_numpy_dtype)
        for key, value in (dict(defaults) | dict(given)).items()
    }


def _try(signature: str, function: Any, request: Mapping[str, np.ndarray]) -> None:
    try:
        function(*map(tf.constant, request.values()))
    except (tf.errors.OpError, TypeError, ValueError) as error:
        shapes = {key: list(value.shape) for key, value in request.items()}
        raise ValueError(
            f"signature {signature!r} fails on a warm-up request of shapes {shapes}: pass a valid "
            f"request in warmup={{{signature!r}: ...}}."
        ) from error


def _module(
    networks: Mapping[str, Any],
    functions: Mapping[str, Any],
    halves: Halves,
) -> tuple[tf.Module, dict[str, int]]:
    """Returns a module with the variables that `functions` read, and each network's size."""
    read = _read(functions)
    module = tf.Module()
    module.kept = []
    parameters = {}
    for name, network in networks.items():
        # Use the plain variable, because a distributed variable is saved as a plain variable.
        values = [halves.get(id(v), (v, v.value))[1] for v in network.variables]
        used = [value for value in values if any(id(part) in read for part in _parts(value))]
        if used:
            parameters[name] = sum(math.prod(value.shape) for value in used)
        module.kept += [
            value for value in used if all(value is not kept for kept in module.kept)
        ]
        for value in used:
            for part in _parts(value):
                read.pop(id(part), None)
    module.kept += list(read.values())
    return module, parameters


def _limits(of_signature: Mapping[str, Any], largest: LargestRequest) -> dict[str, Any]:
    """Returns the limits of a signature's inputs; the limit on examples also applies to samples."""
    if "n" not in of_signature:
        return dict(of_signature)
    low, high = of_signature["n"]
    return dict(of_signature) | {"n": (low, min(high, largest.examples))}


def _describe(
    model: Any,
    name: str,
    default: str,
    specs: Mapping[str, Specs],
    functions: Mapping[str, Any],
    parameters: Mapping[str, int],
    bounds: Mapping[str, Any],
    metadata: Mapping[str, Any],
) -> dict[str, Any]:
    started_from = getattr(model, "started_from", "")
    edges = getattr(model, "edges", {}).values()
    description = {
        "schema": 1,
        "name": name,
        "version": None,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "libraries": {
            "keras_gen": __version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
        "default_signature": default,
        "signatures": {
            key: {
                "inputs": _tensors(specs[key]),
                "outputs": _tensors(function.structured_outputs),
            }
            for key, function in functions.items()
        },
        "networks": {key: {"parameters": count} for key, count in parameters.items()},
        # Default values, which `Exported` fills in.
        "defaults": {k: v for k, v in getattr(model, "signature_defaults", dict)().items() if v},
        **bounds,
        "inference": getattr(model, "inference_policy", INFERENCE),
        # The terms include the training data of the pretrained model, if training started from one.
        "terms": licenses.as_json({"data": metadata.get("data"), "first": started_from}),
    }
    if started_from:
        description["started_from"] = started_from
    if names := getattr(model, "class_names", ()):
        description["class_names"] = list(names)
    if columns := {edge.name: found for edge in edges if (found := edge.described_columns())}:
        description["columns"] = columns
    if taken := sorted(set(description) & set(metadata)):
        raise ValueError(
            f"metadata has the keys {taken}, which the export writes itself: rename them."
        )
    return _plain(description | dict(metadata), "metadata")


def _tensors(specs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
        for key, spec in specs.items()
    }


def _plain(value: Any, where: str) -> Any:
    """Converts `value` to JSON types; non-finite numbers become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic) or tf.is_tensor(value):
        value = np.asarray(value).tolist()
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(
        f"{where} has type {type(value).__name__}: expected a value that JSON can store, such "
        "as a number, a string, or a list or mapping of these."
    )


def _publish(temporary: Path, folder: Path, description: dict[str, Any]) -> Path:
    """Renames the complete export to the first free version, even with concurrent writers."""
    while True:
        target = folder / str(next_version(folder.parent, folder.name))
        text = json.dumps(description | {"version": int(target.name)}, indent=2, allow_nan=False)
        (temporary / METADATA).write_text(text + "\n", encoding="utf-8")
        try:
            os.rename(temporary, target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue
            raise
        return target
