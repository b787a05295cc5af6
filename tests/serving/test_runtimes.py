"""Committed exports in a runtime that is not TensorFlow's, the C++ one of OpenVINO."""

import numpy as np
import openvino
import pytest
import tensorflow as tf

from keras_gen.serving.exported import load
from processes import ROOT

EXPORTS = sorted((ROOT / "saved_models").glob("*/*/"))
# What that runtime does not know: random numbers and tables of strings.
UNKNOWN = ("StatelessRandom", "LookupTable")


def example(spec, rng):
    """Two examples, 36 along every other open axis."""
    shape = [size or (36 if axis else 2) for axis, size in enumerate(spec.shape)]
    if spec.dtype == tf.uint8:
        return rng.integers(0, 256, shape, np.uint8)
    return rng.standard_normal(shape, np.float32) ** 2  # counts are not negative


def unknown(function):
    """Whether the runtime cannot know a signature: its operations, or strings."""
    library = function.graph.as_graph_def().library.function
    kinds = {node.op for inner in library for node in inner.node_def}
    strings = any(tensor.dtype == tf.string for tensor in function.outputs)
    return strings or any(kind.startswith(UNKNOWN) for kind in kinds)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.parent.name)
def test_deterministic_signatures_run_in_openvino(path, rng):
    exported, core = load(path), openvino.Core()
    functions = exported._model.signatures.items()
    known = {name: function for name, function in functions if not unknown(function)}
    assert known
    for name, function in known.items():
        inputs = {key: example(spec, rng) for key, spec in exported.inputs[name].items()}
        converted = core.compile_model(
            openvino.convert_model(function), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        results = converted(inputs)
        expected = exported(name, **inputs)
        assert {next(iter(output.names)) for output in converted.outputs} == expected.keys()
        for key, value in expected.items():
            if value.dtype == np.uint8:  # a rounding apart
                assert np.abs(results[key].astype(int) - value).max() <= 1, (name, key)
            else:
                np.testing.assert_allclose(results[key], value, rtol=1e-3, atol=1e-4, err_msg=name)
