"""Warm-up requests for TensorFlow Serving, which replays them before a model receives traffic.

The requests are stored as a TFRecord of `tensorflow.serving.PredictionLog` messages. The package
that defines these messages requires one exact TensorFlow version, so this module itself encodes the
four wrappers around `tf.TensorProto`.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
"""Path where TensorFlow Serving expects warm-up requests, relative to the SavedModel's folder."""


def default_inputs(specs: Mapping[str, tf.TensorSpec]) -> dict[str, np.ndarray]:
    """Returns small inputs by name, with one example of zeros, and size 64 on other open axes.

    Scalar integers (counts, seeds) are 1, and strings are empty.
    """

    def zeros(spec: tf.TensorSpec) -> np.ndarray:
        dtype = spec.dtype.as_numpy_dtype
        shape = [size or (1 if axis == 0 else 64) for axis, size in enumerate(spec.shape)]
        if spec.dtype == tf.string:
            return np.full(shape, b"", dtype)
        return (
            np.ones((), dtype) if not shape and spec.dtype.is_integer else np.zeros(shape, dtype)
        )

    return {name: zeros(spec) for name, spec in specs.items()}


def prediction_log(model: str, signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """Returns a serialized `PredictionLog` that calls `signature` of `model` with `inputs`."""
    model_spec = _field(1, model.encode()) + _field(3, signature.encode())
    request = _field(1, model_spec)
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, name.encode()) + _field(2, tensor))  # one map entry
    return _field(6, _field(1, request))


def write_warmup(
    folder: str | Path, model: str, requests: Mapping[str, Mapping[str, np.ndarray]]
) -> Path:
    """Writes requests to the folder of a SavedModel.

    `requests` maps each signature name to a dict from input names to arrays. `model` is the name
    under which the SavedModel will be served.
    """
    path = Path(folder) / WARMUP
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            writer.write(prediction_log(model, signature, inputs))
    return path


def _field(number: int, payload: bytes) -> bytes:
    """Returns a length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
