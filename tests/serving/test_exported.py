"""Finding, loading and calling exports."""

import os
import re

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.serving.export import export
from keras_gen.serving.exported import find, load, next_version, read_metadata, resolve, versions
from processes import ROOT
from toy_exports import IMAGES, Toy

EXPORTS = sorted((ROOT / "saved_models").glob("*/*/"))


def inverter() -> Toy:
    number, text = (tf.TensorSpec([], kind, "x") for kind in (tf.float32, tf.string))
    return Toy(
        invert=(lambda images: 255 - images, [IMAGES]),
        halve=(lambda x: x / 2, [number]),
        measure=(tf.strings.length, [text]),
    )


def test_versions(tmp_path):
    assert versions(tmp_path / "a") == {} and next_version(tmp_path, "a") == 1
    for version in ("2", "010", "notes", ".1"):
        (tmp_path / "a" / version).mkdir(parents=True)
        (tmp_path / "a" / version / "saved_model.pb").touch()
    (tmp_path / "a" / "11").mkdir()
    found = versions(tmp_path / "a")
    assert list(found) == [2, 10] and found[10] == tmp_path / "a" / "010"
    assert next_version(tmp_path, "a") == 12
    assert resolve(tmp_path / "a") == found[10] and resolve(found[2]) == found[2]


def test_an_installed_package_names_the_exports_that_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gen.serving.exported.SHIPPED", tmp_path)
    (tmp_path / "a" / "1").mkdir(parents=True)
    (tmp_path / "a" / "1" / "saved_model.pb").touch()
    with pytest.raises(
        FileNotFoundError,
        match=r"glow_mnist is not in the installed package: .* package's exports, a\. Copy "
        r"saved_models/glow_mnist from a checkout and pass its path, or train it with `keras-gen ",
    ):
        find(tmp_path, "glow_mnist")
    assert find(tmp_path, "a") == tmp_path / "a"


def test_metadata_is_optional(tmp_path):
    assert read_metadata(tmp_path) == {}
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "keras_gen.json").write_text("[1]")
    with pytest.raises(ValueError, match="contains a JSON list: expected an object"):
        read_metadata(tmp_path)


@pytest.mark.parametrize("key", ["signatures", "defaults", "limits", "options"])
@pytest.mark.parametrize("part", ["null", "[]", '"a"', '{"sample": 3}', '{"sample": null}'])
def test_metadata_of_another_structure(tmp_path, key, part):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "keras_gen.json").write_text(f'{{"{key}": {part}}}')
    with pytest.raises(ValueError, match=rf"{key} in .*: expected a JSON object whose values"):
        read_metadata(tmp_path)


def test_committed_exports_name_the_versions_that_made_them():
    paths = list((ROOT / "saved_models").glob("*/*/"))
    assert paths
    for path in paths:
        libraries = read_metadata(path)["libraries"]
        assert libraries.keys() == {"keras_gen", "keras", "tensorflow"}
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", text) for text in libraries.values()), path


def test_load_what_is_not_there(tmp_path):
    for missing in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(FileNotFoundError, match=r"contains no exported model: expected .*\.pb"):
            load(missing)


def test_load_what_is_damaged(tmp_path):
    path = export(inverter(), tmp_path, "a")
    for damage in (b"", b"garbage", (path / "saved_model.pb").read_bytes()[:999]):
        (path / "saved_model.pb").write_bytes(damage)
        with pytest.raises(OSError, match=r"not a readable SavedModel .*export the model again"):
            load(tmp_path / "a")
    (path / "assets.extra" / "keras_gen.json").write_text("{")
    with pytest.raises(ValueError, match=r"not valid JSON .*export the model again"):
        read_metadata(path)


@pytest.mark.parametrize(
    "file", ["saved_model.pb", "variables/variables.index", "assets.extra/keras_gen.json"]
)
def test_exports_with_a_pipe_are_refused(tmp_path, file):
    """TensorFlow would wait for one without end."""
    path = export(inverter(), tmp_path, "a")
    (path / file).unlink()
    os.mkfifo(path / file)
    if file == "saved_model.pb":
        assert versions(tmp_path / "a") == {}
    with pytest.raises(
        OSError, match=r"is a pipe, a socket, or a device|contains no exported model"
    ):
        load(path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return load(export(inverter(), tmp_path_factory.mktemp("exports"), "a"))


def test_loaded_signatures_check_their_inputs(exported):
    photos = np.random.default_rng(0).integers(0, 256, [2, 19, 30, 3], np.uint8)
    np.testing.assert_array_equal(exported("invert", images=photos)["output"], 255 - photos)
    with pytest.raises(ValueError, match="no signature 'sing': expected one of halve, invert, "):
        exported("sing", images=photos)
    with pytest.raises(ValueError, match=r"got the inputs \['photos'\]: expected \['images'\]"):
        exported("invert", photos=photos)
    with pytest.raises(ValueError, match=r"shape \(2, 19, 30, 2\): expected \(None, None, None, 3"):
        exported("invert", images=photos[..., :2])


@pytest.mark.parametrize(
    ("signature", "given", "says"),
    [
        (
            "invert",
            np.full([1, 2, 2, 3], 0.5),
            "'images' has dtype float64: expected uint8, 0 to 255. Sc",
        ),
        ("invert", np.full([1, 2, 2, 3], 256), "values from 256 to 256: expected 0 to 255"),
        ("invert", np.full([1, 2, 2, 3], -1), "values from -1 to -1: expected 0 to 255"),
        ("halve", "three", "'x' has dtype <U5: expected float32"),
        ("halve", 1j, "'x' has dtype complex128: expected float32"),
        ("measure", 3, "'x' contains 3: expected strings or bytes"),
        ("measure", None, "'x' contains None: expected strings or bytes"),
        ("measure", {}, "'x' contains {}: expected strings or bytes"),
        ("measure", "a\ud800", r"'x' contains 'a\\ud800': expected strings or bytes"),
        ("halve", None, "'x' has dtype object: expected float32"),
        ("halve", [[1], [1, 2]], r"'x' is \[\[1\], \[1, 2\]\]: expected an array, or nested lists"),
        ("halve", np.ma.masked_all(()), "'x' has masked values: fill or remove these"),
        ("invert", np.ma.masked_less(np.arange(12).reshape(1, 2, 2, 3), 5), "has masked values"),
    ],
)
def test_values_that_would_be_changed_are_refused(exported, signature, given, says):
    with pytest.raises(ValueError, match=says):
        exported(signature, **dict.fromkeys(exported.inputs[signature], given))


def wrong_values(name, spec, usual):
    """Values that no input takes, whatever it is, and those that this one does not."""
    values = np.asarray(usual)
    yield from (None, {}, object(), [[1], [1, 2]], np.ma.masked_all(values.shape), values[None])
    if spec.shape.rank:
        yield from (values[0], values[:0])
    if spec.shape.rank and spec.dtype != tf.string:
        yield np.concatenate([values, values[..., -1:]], -1)
    if spec.dtype == tf.string:
        files = ("", "a\0b", b"\xff", "a" * 10**7) if name.endswith("_bytes") else ()
        yield from (np.full(values.shape, text, object) for text in (3, "a\ud800", *files))
        return
    yield from ("a", 2**70, np.datetime64("2020-01-01"), values.astype(complex))
    numbers = {tf.float32: [np.nan, np.inf, -np.inf], tf.int32: [-(2**31), np.nan], tf.uint8: [256]}
    yield from (np.full(values.shape, number) for number in numbers.get(spec.dtype, ()))
    if spec.dtype == tf.int32 and "seed" not in name:
        yield np.full(values.shape, 2**31 - 1)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.parent.name)
def test_published_exports_refuse_hostile_values_in_one_sentence(path):
    model = load(path)
    for signature, specs in model.inputs.items():
        usual = {}
        for name, spec in specs.items():
            shape = [size or 16 for size in spec.shape[1:]]
            zero = b"1" if spec.dtype == tf.string else spec.dtype.as_numpy_dtype(0)
            usual[name] = np.full([1, *shape] if spec.shape.rank else [], zero)
        usual |= model.defaults(signature) | ({"n": 1} if "n" in specs else {})
        for name, spec in specs.items():
            for value in wrong_values(name, spec, usual[name]):
                with pytest.raises(ValueError, match=rf"^(input {name!r} |signature ).") as refused:
                    model(signature, **usual | {name: value})
                message = str(refused.value)
                assert len(message) < 500 and re.search("takes|expected|fill", message), message


def test_values_that_fit_are_taken(exported):
    assert exported("halve", x=3)["output"] == 1.5
    assert exported("measure", x="three")["output"] == 5
    assert exported("invert", images=np.full([1, 1, 1, 3], 255.0).astype(int))["output"].max() == 0


def test_inputs_that_have_usual_values_may_be_left_out(exported, monkeypatch):
    metadata = {"default_signature": "halve", "defaults": {"halve": {"x": 6.0}}}
    monkeypatch.setitem(exported.__dict__, "metadata", metadata)
    assert exported.defaults("halve") == exported.defaults("serving_default") == {"x": 6.0}
    assert exported("halve")["output"] == 3 and exported("halve", x=2)["output"] == 1
    assert exported.defaults("measure") == {}
    with pytest.raises(ValueError, match=r"'measure' got the inputs \[\]: expected \['x'\]"):
        exported("measure")
    with pytest.raises(ValueError, match=r"'halve' got the inputs \['x', 'y'\]: expected"):
        exported("halve", y=1)


def test_texts_keep_their_last_zeros(exported):
    assert exported("measure", x=b"\0a\0\0")["output"] == 4
