"""Exports: what is written, and what is refused."""

import dataclasses
import errno
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gen
from commands import left_by_a_killed_process
from keras_gen.serving import export as export_module
from keras_gen.serving.export import export, load, next_version
from keras_gen.serving.exported import read_metadata, versions
from toy_exports import IMAGES, Toy, Translator


def single(function=lambda images: images, spec=IMAGES) -> Toy:
    return Toy(run=(function, [spec]))


def test_outputs_are_uint8_int32_or_float32(path, photos):
    outputs = load(path)("count", images=photos)
    assert {name: value.dtype.name for name, value in outputs.items()} == {
        "sizes": "int32",
        "half": "float32",
        "any": "int32",
    }
    np.testing.assert_array_equal(outputs["sizes"], photos.shape)


@pytest.mark.thorough
def test_each_signature_is_traced_once(tmp_path):
    model = Translator()
    export(model, tmp_path, "a")
    assert model.traces == 1


def test_default_signature(model, tmp_path, photos):
    exported = load(export(model, tmp_path, "a", default="count"))
    assert exported.inputs["serving_default"].keys() == {"images"}
    assert exported.outputs["serving_default"].keys() == {"sizes", "half", "any"}


def test_holds_only_what_the_signatures_read(model, path):
    stored = {
        key: shape
        for key, shape in tf.train.list_variables(str(path / "variables" / "variables"))
        if key != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }
    parameters = sum(np.prod(shape) for key, shape in stored.items() if "save_counter" not in key)
    dropout = 2  # the state of its seed generator, which inference does not read
    assert parameters == sum(np.prod(v.shape) for v in model.network.variables) - dropout
    assert read_metadata(path)["networks"] == {"translator": {"parameters": parameters}}
    files = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    assert files == {
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
        "assets.extra/keras_gen.json",
        "assets.extra/tf_serving_warmup_requests",
    }
    assert str(Path(__file__).parents[1]).encode() not in (path / "saved_model.pb").read_bytes()


def test_other_runtimes_find_the_shapes_of_inputs(path):
    graph = tf.saved_model.load(str(path)).signatures["serving_default"].graph
    (images,) = (tensor for tensor in graph.inputs if tensor.dtype != tf.resource)
    assert images.shape.as_list() == [None, None, None, 3]


def test_variables_outside_the_networks_are_kept(tmp_path):
    scale = tf.Variable(2.0)
    model = single(lambda images: tf.cast(images, tf.float32) * scale)
    exported = load(export(model, tmp_path, "a"))
    scale.assign(0.0)
    assert exported("run", images=np.full([1, 1, 1, 3], 4))["output"].max() == 8.0


@pytest.mark.thorough
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_under_a_strategy_and_mixed_precision(tmp_path, photos, policy, inside):
    devices = tf.config.list_logical_devices("CPU")[:2]
    if len(devices) < 2:
        pytest.skip("needs two logical devices")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        with strategy.scope():
            model = Translator()
            if inside:
                path = export(model, tmp_path, "a")
        if not inside:
            path = export(model, tmp_path, "a")
    finally:
        keras.config.set_dtype_policy(before)
    exported = load(path)
    assert all(not hasattr(variable, "values") for variable in exported._model.kept)
    parameters = 3 * 9 * 4 + 4 + 4 * 4 + 4 * 3 + 3
    assert read_metadata(path)["networks"] == {"translator": {"parameters": parameters}}
    assert b"device:CPU:1" not in (path / "saved_model.pb").read_bytes()
    got, expected = exported("translate", images=photos)["raw"], model.translate(photos)["raw"]
    np.testing.assert_allclose(got, expected, atol=1e-5 if policy == "float32" else 2e-2)
    # The export computes in float32; the model goes on as it was.
    twin = Translator()
    twin.network.set_weights(model.network.get_weights())
    np.testing.assert_allclose(got, twin.translate(photos)["raw"], atol=1e-5)
    kinds = {"float32": "float32", "mixed_bfloat16": "bfloat16"}
    assert {layer.compute_dtype for layer in model.network.layers[1:]} == {kinds[policy]}
    assert exported("sample", seed=1, n=2)["output"].dtype == np.float32


def test_metadata(path, model):
    metadata = read_metadata(path)
    assert metadata["schema"] == 1
    assert (metadata["name"], metadata["version"]) == ("stand_in", 1)
    assert metadata["created"].endswith("+00:00")
    assert metadata["libraries"] == {
        "keras_gen": keras_gen.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
    assert metadata["default_signature"] == "translate"
    assert metadata["signatures"]["sample"] == {
        "inputs": {"seed": {"dtype": "int32", "shape": []}, "n": {"dtype": "int32", "shape": []}},
        "outputs": {"output": {"dtype": "float32", "shape": [None, 8, 8, 3]}},
    }
    assert metadata["signatures"]["translate"]["inputs"]["images"] == {
        "dtype": "uint8",
        "shape": [None, None, None, 3],
    }
    assert metadata["inference"] == model.inference_policy
    assert metadata["recipe"] == "stand_in"
    assert metadata["data"] == {"name": "noise"}
    assert metadata["metrics"] == {"kid": 0.5}


def test_metadata_takes_what_training_has_at_hand(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Config:
        rate: float = float("inf")
        output: Path = Path("runs")

    metadata = {"config": Config(), "metrics": {"a": np.arange(2), "b": tf.constant(1.5)}}
    path = export(single(), tmp_path, "a", metadata=metadata)
    written = json.loads((path / "assets.extra" / "keras_gen.json").read_text())
    assert written["config"] == {"rate": None, "output": "runs"}
    assert written["metrics"] == {"a": [0, 1], "b": 1.5}
    assert written["inference"]["dropout"] == "off"


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes() if file.is_file() else None
        for file in folder.rglob("*")
    }


def test_never_over_an_existing_version(tmp_path):
    first = export(single(), tmp_path, "a")
    before = contents(first)
    assert export(single(), tmp_path, "a") == tmp_path / "a" / "2"
    (tmp_path / "a" / "0010").mkdir()  # not an export, and yet a number taken
    (tmp_path / "a" / "notes").mkdir()
    assert next_version(tmp_path, "a") == 11
    last = export(single(), tmp_path, "a")
    assert last == tmp_path / "a" / "11" and read_metadata(last)["version"] == 11
    assert contents(first) == before
    assert list(versions(tmp_path / "a")) == [1, 2, 11]


def test_a_version_taken_meanwhile_is_left_alone(tmp_path, monkeypatch):
    before = contents(export(single(), tmp_path, "a"))
    numbers = iter([1, 1, 2])
    monkeypatch.setattr(export_module, "next_version", lambda *_: next(numbers))
    assert export(single(), tmp_path, "a") == tmp_path / "a" / "2"
    assert contents(tmp_path / "a" / "1") == before


def test_clears_what_a_killed_export_left(tmp_path):
    left = left_by_a_killed_process(tmp_path / "a" / "b9c2")
    left.unlink()
    (left / "variables").mkdir(parents=True)
    export(single(), tmp_path, "a")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["1"]


FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    tf.errors.ResourceExhaustedError(
        None, None, "{{function_node f}} x.tmp; No space left on device [Op:SaveV2]\nmore"
    ),
]


@pytest.mark.parametrize("error", FULL, ids=["os", "tensorflow"])
@pytest.mark.parametrize("step", ["save", "publish"])
@pytest.mark.parametrize("existing", ["export", "nothing"])
def test_failure_leaves_nothing(tmp_path, monkeypatch, error, step, existing):
    if existing == "export":
        export(single(), tmp_path, "a")
    before = contents(tmp_path)

    def fail(*arguments, **options):
        if step == "save":
            Path(arguments[1]).mkdir()
            Path(arguments[1], "saved_model.pb").write_text("half")
        raise error

    if step == "save":
        monkeypatch.setattr(tf.saved_model, "save", fail)
    else:
        monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(
        OSError,
        match=r"cannot write the export \(No space left on device\): free some space or choose",
    ):
        export(single(), tmp_path, "a")
    assert contents(tmp_path) == before
    monkeypatch.undo()
    assert export(single(), tmp_path, "a").name == ("2" if existing == "export" else "1")


def test_directory_is_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    for directory, name in ((tmp_path / "file", "a"), (tmp_path, "file")):
        with pytest.raises(OSError, match=r"cannot write the export .*directory.*file"):
            export(single(), directory, name)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "a\\b", "a\0b", "a\nb", "a" * 300, "ä" * 128, "\ud800", 1, None, b"a"]
)
def test_names_that_are_no_folder(tmp_path, name):
    with pytest.raises(ValueError, match=r"^name is .*: expected a folder name of at most 255"):
        export(single(), tmp_path, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("directory", [1, b"exports", None])
def test_directories_of_other_types_are_refused(directory):
    with pytest.raises(TypeError, match=r"^directory is .*: expected a path"):
        export(single(), directory, "a")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"default": "sing"}, "no signature 'sing': expected one of run"),
        ({"signatures": ["sing"]}, r"signatures is \['sing'\]: expected one or more signatures"),
        ({"signatures": []}, r"signatures is \[\]: expected one or more"),
        ({"warmup": {"sing": {}}}, "no signature 'sing': expected one of run"),
        ({"warmup": {"run": {"photos": 0}}}, r"\['photos'\]: expected \['images'\]"),
        ({"metadata": {"version": 3, "data": 1}}, r"the keys \['version'\]"),
        (
            {"metadata": {"data": [{"a": object()}]}},
            r"metadata\['data'\]\[0\]\['a'\] has type object",
        ),
    ],
)
def test_bad_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        export(single(), tmp_path, "a", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "spec",
    [
        tf.TensorSpec([None], tf.uint8),
        tf.TensorSpec([], tf.int64, "a"),
        tf.TensorSpec(None, tf.uint8, "a"),
    ],
)
def test_bad_input_specs(tmp_path, spec):
    with pytest.raises(ValueError, match=r"'run' has the input TensorSpec.*expected a name"):
        export(single(spec=spec), tmp_path, "a")
