"""Exports in runtimes that are not TensorFlow's."""

import numpy as np
import onnxruntime
import openvino
import pytest
import tensorflow as tf
import tf2onnx

from all_tiny import TINY
from keras_gen.serving.export import export
from keras_gen.serving.exported import load
from processes import ROOT

EXPORTS = sorted((ROOT / "saved_models").glob("*/*/"))
# What these runtimes do not know: random numbers, tables of strings, and, of models of sounds,
# mu-law and the log-probability of levels.
UNKNOWN = ("StatelessRandom", "LookupTable", "Log1p", "SparseSoftmaxCrossEntropy")

# What OpenVINO computes wrongly, for it inverts the matrices of Glow's convolutions to others; and
# what it lacks, the enlargement that super-resolution begins with.
NOT_IN_OPENVINO = ("MatrixInverse", "ResizeBicubic")
# What tf2onnx writes wrongly: loops that gather what they compute, of tensors without a shape.
NOT_IN_ONNX = ("TensorListReserve",)


@pytest.fixture(autouse=True)
def no_telemetry(monkeypatch):
    """OpenVINO reports each conversion to its makers, and waits seconds for that, unless in CI."""
    monkeypatch.setenv("CI", "true")


def example(spec, rng):
    """Two examples, 36 along every other open axis."""
    shape = [size or (36 if axis else 2) for axis, size in enumerate(spec.shape)]
    if spec.dtype.is_integer and len(shape) == 1:
        return np.arange(shape[0], dtype=spec.dtype.as_numpy_dtype)  # labels, layers
    if spec.dtype.is_integer:
        levels = 256 if spec.dtype == tf.uint8 else 2  # of images; of codes
        return rng.integers(0, levels, shape, spec.dtype.as_numpy_dtype)
    if spec.name == "waveforms":
        return rng.uniform(-1, 1, shape).astype("float32")
    return rng.standard_normal(shape, np.float32) ** 2  # counts are not negative


def unknown(function, runs):
    """Whether a runtime cannot know a signature: its operations, or strings such as files."""
    library = function.graph.as_graph_def().library.function
    kinds = {node.op for inner in library for node in inner.node_def}
    tensors = [*function.structured_input_signature[1].values(), *function.outputs]
    strings = any(tensor.dtype == tf.string for tensor in tensors)
    names = UNKNOWN + (NOT_IN_OPENVINO if runs is openvino_runs else NOT_IN_ONNX)
    return strings or any(kind.startswith(names) for kind in kinds)


def openvino_runs(function, specs, inputs):
    """The outputs by name, in the C++ runtime of OpenVINO."""
    converted = openvino.Core().compile_model(
        openvino.convert_model(function), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    results = converted(inputs)
    return {next(iter(output.names)): results[output] for output in converted.outputs}


def onnx_runs(function, specs, inputs):
    """The outputs by name, in ONNX Runtime."""
    named = [tf.TensorSpec(spec.shape, spec.dtype, name=key) for key, spec in specs.items()]
    positional = tf.function(
        lambda *tensors: function(**dict(zip(specs, tensors, strict=True))), autograph=False
    )
    model, _ = tf2onnx.convert.from_function(positional, named, opset=18)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the converters
@pytest.mark.parametrize("runs", [openvino_runs, onnx_runs])
@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.parent.name)
def test_deterministic_signatures_run_elsewhere(path, runs, rng):
    run_elsewhere(load(path), runs, rng)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the converters
@pytest.mark.parametrize("runs", [openvino_runs, onnx_runs])
@pytest.mark.parametrize("name", ["VAE", "ConditionalGAN", "CycleGAN", "DDPM", "FlowMatching"])
def test_new_exports_run_elsewhere_too(name, runs, rng, tmp_path):
    run_elsewhere(load(export(TINY[name].build(0), tmp_path, "tiny")), runs, rng)


def run_elsewhere(exported, runs, rng):
    """Checks that deterministic signatures give the same in another runtime."""
    functions = exported._model.signatures.items()
    # `serving_default` is another name of one of the others.
    known = {k: f for k, f in functions if k != "serving_default" and not unknown(f, runs)}
    if not known:
        pytest.skip("every signature needs what these runtimes do not know")
    for name, function in known.items():
        specs = exported.inputs[name]
        inputs = {key: example(spec, rng) for key, spec in specs.items()}
        results, expected = runs(function, specs, inputs), exported(name, **inputs)
        assert results.keys() == expected.keys()
        for key, value in expected.items():
            if value.dtype == np.uint8:  # a rounding apart
                assert np.abs(results[key].astype(int) - value).max() <= 1, (name, key)
            else:
                np.testing.assert_allclose(results[key], value, rtol=1e-3, atol=1e-4, err_msg=name)
