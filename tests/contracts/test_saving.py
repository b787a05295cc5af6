"""Configurations, files and exports give back the model that they were made of."""

import json
import warnings
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gen
from keras_gen.core.kinds_of_data import Characters, Choice, Rows, Table, Waveforms
from keras_gen.serving.export import export, load
from keras_gen.serving.exported import read_metadata
from tiny import (
    WORDS,
    cheapest,
    core,
    difference,
    given_examples,
    players,
    random_examples,
    state,
    step,
)


def plain(config) -> dict:
    """A configuration as a file holds it: JSON knows no tuples."""
    return json.loads(json.dumps(config))


def test_configuration_round_trip(model):
    # TensorFlow keeps variables of int32 outside of GPUs, where XLA does not find them.
    assert not [variable.path for variable in model.variables if variable.dtype == "int32"]
    config = model.get_config()
    for source in (config, plain(config)):
        copy = type(model).from_config(source)
        assert type(copy) is type(model) and copy.name == model.name
        assert plain(copy.get_config()) == plain(config)
        for name in model.arguments():
            # Networks, and lists of such, are compared by their configurations above.
            if name not in model.networks and f"{name}_0" not in model.networks:
                assert getattr(copy, name) == getattr(model, name), name


def test_variables_keep_the_order_of_checkpoints(tiny, trained):
    """Checkpoints hold variables by position, which is that of a constructor's attributes."""
    lines = Path(__file__).with_name("variable_order.txt").read_text().splitlines()
    expected = dict(line.split() for line in lines)
    model = trained.model
    paths = " ".join(variable.path for variable in model.training_variables())
    name = type(model).__name__
    assert expected[name] == f"{zlib.crc32(paths.encode()):08x}", (
        f"{name}: checkpoints of earlier versions would be read in another order; set attributes "
        f"in the order they had, new ones at the end. Now: {paths}"
    )


def test_a_loaded_model_trains_on_as_the_saved_one(tiny, tmp_path):
    trains_on(tiny, tmp_path, "float32")


@cheapest
def test_a_loaded_model_of_float16_trains_on_too(tiny, tmp_path):
    trains_on(tiny, tmp_path, "mixed_float16")


def trains_on(tiny, tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    model = tiny.compiled()
    for _ in range(10):  # The first steps of float16 only find a loss scale.
        step(model)
        if all(getattr(model, name).iterations.numpy() for name in players(model)):
            break
    tiny.generate(model)  # What is made for it must not get in the way.
    model.save(tmp_path / "model.keras")
    # A file says all by itself: neither seeds nor the policy of the process matter.
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(99)
    copy = keras.saving.load_model(tmp_path / "model.keras")

    assert type(copy) is type(model)
    assert plain(copy.get_compile_config()) == plain(model.get_compile_config())
    assert difference(model, state(model), state(copy)) == {}
    np.testing.assert_array_equal(tiny.generate(model), tiny.generate(copy))
    for name in players(model):
        optimizer, original = getattr(copy, name), getattr(model, name)
        assert type(optimizer) is type(original)
        assert optimizer.iterations.numpy() == original.iterations.numpy() >= 1
    before = state(model)
    for _ in range(2):
        step(model), step(copy)
    assert difference(model, before, state(model))
    assert max(difference(model, state(model), state(copy)).values(), default=0) < 1e-6


@core
def test_weights_alone_round_trip(tiny, trained, tmp_path):
    model = trained.model
    step(model)
    model.save_weights(tmp_path / "model.weights.h5")
    keras.utils.set_random_seed(99)
    other = tiny.build(3)
    expected = tiny.generate(model)
    assert not np.array_equal(tiny.generate(other), expected)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(tiny.generate(other), expected)
    for name, network in model.networks.items():
        for x, y in zip(network.variables, other.networks[name].variables, strict=True):
            np.testing.assert_array_equal(x.numpy(), y.numpy())
    assert other.step.numpy() == model.step.numpy() == 1


def test_every_signature_of_an_export_equals_the_model(trained, tmp_path):
    model = trained.model
    model.fit(trained.data, verbose=0)
    path = export(model, tmp_path, "tiny")
    exported = load(path)
    loads_again(path, model)
    signatures = model.signatures()
    of_files = {name for name in exported.inputs if name.endswith("_bytes")}
    assert exported.inputs.keys() - of_files == {*signatures, "serving_default"}
    for name, (function, specs) in signatures.items():
        inputs = {spec.name: example(model, spec) for spec in specs}
        served = exported(name, **inputs)
        called = function(*(tf.constant(value) for value in inputs.values()))
        called = {f"output_{k}" if k in inputs else k: value for k, value in called.items()}
        assert set(served) == set(called)
        for key, value in called.items():
            value, other = value.numpy(), served[key]
            assert value.dtype == other.dtype and value.shape == other.shape
            if value.dtype == object:  # texts
                assert (value == other).all() and len(np.unique(value)) > 1
                continue
            # A rounding error may turn the rounding to uint8.
            off = 1 if value.dtype == np.uint8 else 1e-5 * max(1.0, np.abs(value).max())
            assert np.abs(value.astype("float64") - other).max() <= off, (name, key)
            assert np.ptp(value.astype("float64")) > 0
        if "n" not in inputs:
            none = {key: value[:0] if value.ndim else value for key, value in inputs.items()}
            with pytest.raises(ValueError, match="contains 0 examples: expected 1 to"):
                exported(name, **none)


def loads_again(path, model):
    """Checks that an export gives the same model again, in the networks that it serves."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*no signature uses")
        copy = keras_gen.load(path)
    assert plain(copy.get_config()) == plain(model.get_config())
    for name in read_metadata(path)["networks"]:
        there, here = copy.networks[name].get_weights(), model.networks[name].get_weights()
        for one, other in zip(there, here, strict=True):
            np.testing.assert_array_equal(one, other)


def test_no_examples_give_no_results(trained):
    model, random = trained.model, np.random.default_rng(0)
    for name in model.signatures():
        method = getattr(type(model), name, None)
        if hasattr(method, "takes"):
            edges = [model.edges[each] for each in method.takes(model)]
            arrays = [given_examples(edge, 2, random) for edge in edges]
            results = getattr(model, name)(*arrays)
            nothing = getattr(model, name)(*(array[:0] for array in arrays))
            like_none_of(arrays_in(nothing), arrays_in(results))


def arrays_in(results):
    """Returns the arrays of one or several outputs; a table has one for each column."""
    if isinstance(results, dict):
        return list(results.values())
    return results if isinstance(results, tuple) else [results]


def like_none_of(nothing, results):
    """Checks that outputs for no examples have the shapes and dtypes of those for some."""
    for none, some in zip(nothing, results, strict=True):
        assert none.shape == (0, *some.shape[1:]) and none.dtype.kind == some.dtype.kind
        assert none.dtype == some.dtype or some.dtype.kind == "U"


def example(model, spec: tf.TensorSpec) -> np.ndarray:
    """Two random examples of what a signature takes, of an odd size where any is allowed."""
    if spec.shape.rank == 0:
        if isinstance(edge := model.edges.get(spec.name), Choice):
            return np.asarray(edge.options[-1], object)
        if spec.dtype == tf.string:
            return np.asarray("ab", object)
        value = {"label": 1, "speaker": 1, "temperature": 0.9, "psi": 0.7}.get(spec.name, 5)
        return np.asarray(value, spec.dtype.as_numpy_dtype)
    random = np.random.default_rng(0)
    named = [edge for edge in model.edges.values() if edge.name == spec.name]
    if named and isinstance(named[0], Characters | Rows):
        return named[0].restore(random_examples(named[0], 2, random)).numpy()
    if named and isinstance(named[0], Table):
        columns = named[0].vectors.columns
        return np.array([[(c.categories or "05")[-n] for c in columns] for n in range(2)], object)
    if spec.dtype == tf.string:
        return np.array([" ".join(random.choice(WORDS, 5)) for _ in range(2)], object)
    if spec.name == "counts":
        return random.integers(0, 4, (2, spec.shape[1])).astype("float32")
    # A CoGAN's pairs are images as those that it classifies are.
    (edge, *_) = [edge for edge in named if edge.spec().shape.rank == spec.shape.rank]
    values = random_examples(edge, 2, random, side=13)
    if isinstance(edge, Waveforms):  # which are served as floats
        values = edge.prepare(values).numpy()
    return values.astype(spec.dtype.as_numpy_dtype)
