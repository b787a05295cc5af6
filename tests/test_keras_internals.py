"""Each private part of Keras that the library uses, alone: what fails here a new Keras changed."""

import inspect
import re
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_gen
from keras_gen import keras_internals

SOURCES = Path(keras_gen.__file__).parent
# A name that is defined, assigned to, or stands in quotes, as in `__dict__`.
GIVEN = re.compile(r"""(?:def |class |["']|\b(?=_\w+(?:[,:] .+)? = ))(_\w+)""")
READ = re.compile(r"\w\.(_[a-z]\w*)")
# Parts of named tuples, Python, Gradio, and scikit-learn.
OF_OTHERS = {"_asdict", "_getframe", "_queue", "_replace", "_twenty_newsgroups"}


@pytest.fixture
def functional():
    """A functional model with an operation that is no layer, and with a keyword."""
    x = keras.Input((2,), name="x")
    y = keras.layers.Dense(2, name="dense")(x)
    return keras.Model(x, [keras.ops.add(y, x), keras.ops.sum(y, axis=1)])


@pytest.fixture
def trained():
    """Builds an Adam, applies it once to the second of two weights, and returns it and both."""

    def train(**options):
        weights = [keras.Variable([1.0]), keras.Variable([2.0, 3.0])]
        adam = keras.optimizers.Adam(0.5, beta_1=0.75, beta_2=0.5, **options)
        adam.build(weights)
        adam.apply([keras.ops.array([4.0, 8.0])], weights[1:])
        return adam, weights

    return train


def test_all_layers():
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="deep")], name="in")
    outer = keras.Sequential([inner, keras.layers.Flatten(name="flat")], name="out")
    names = [layer.name for layer in keras_internals.all_layers(outer)]
    assert names[0] == "out" and {"in", "deep", "flat"} < set(names)
    assert len(names) == len(set(names))


def test_put_first():
    model = keras.Model()
    model.a, model.b, model.c = (keras.layers.Dense(1, name=name) for name in "abc")
    keras_internals.put_first(model, model.c, None, model.a)
    model.d = keras.layers.Dense(1, name="d")
    assert [layer.name for layer in model.layers] == ["c", "a", "b", "d"]


def test_untrack():
    model = keras.Model()
    model.a = before = keras.layers.Dense(1)
    model.a = keras.layers.Dense(1)
    keras_internals.untrack(model, before)
    assert model.layers == [model.a]


def test_draws():
    assert keras_internals.draws(keras.layers.Dropout(0.5))
    assert not keras_internals.draws(keras.layers.Dense(1))


def test_new_names():
    keras.layers.Dense(1)
    outside = keras.layers.Dense(1).name
    with keras_internals.new_names():
        assert [keras.layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    after = keras.layers.Dense(1).name
    assert len({"dense", outside, after}) == 3


def test_own_metrics():
    class Measured(keras.Model):
        def __init__(self):
            super().__init__()
            self.error = keras.metrics.Mean(name="error")

    model = Measured()
    assert keras_internals.own_metrics(model) == [model.error]


def test_calls(functional):
    calls = list(keras_internals.calls(functional))
    assert calls[0].operation is functional.get_layer("dense")
    assert calls[0].input_tensors == functional.inputs
    assert {id(call.outputs[0]) for call in calls[1:]} == set(map(id, functional.outputs))
    dense = keras.layers.Dense(1)
    (call,) = keras_internals.calls(keras.Sequential([keras.Input((2,)), dense]))
    assert call.operation is dense


def test_call_again(functional):
    x = keras.ops.array([[1.0, 2.0]])
    tensors = {id(functional.inputs[0]): x}
    for call in keras_internals.calls(functional):
        outputs = keras_internals.call_again(call, tensors)
        tensors |= zip(map(id, call.outputs), outputs, strict=True)
    for output, expected in zip(functional.outputs, functional(x), strict=True):
        np.testing.assert_array_equal(tensors[id(output)], expected)


def test_origin(functional):
    dense = functional.get_layer("dense")
    operation, inputs, place = keras_internals.origin(functional.outputs[1])
    assert (inputs, place) == ([dense.output], 0)
    assert type(operation).__name__ == "Sum"
    split = keras.ops.split(functional.inputs[0], 2, axis=1)
    assert keras_internals.origin(split[1])[1:] == (functional.inputs, 1)


def test_index_of_and_moments(trained):
    adam, weights = trained()
    index = keras_internals.index_of(adam, weights[1])
    assert index == 1 and keras_internals.index_of(adam, weights[0]) == 0
    mean, square = keras_internals.moments(adam, index)
    np.testing.assert_array_equal(mean, [1.0, 2.0])
    np.testing.assert_array_equal(square, [8.0, 32.0])


def test_updates(trained):
    adam, weights = trained()
    assert keras_internals.updates(adam, weights) and keras_internals.updates(adam, weights[:1])
    assert not keras_internals.updates(adam, [*weights, keras.Variable([1.0])])
    assert keras_internals.updates(keras.optimizers.Adam(), weights)


def test_largest_square(trained):
    adam, _ = trained(amsgrad=True)
    np.testing.assert_array_equal(keras_internals.largest_square(adam, 1), [8.0, 32.0])


def test_averages(trained):
    adam, weights = trained(use_ema=True)
    found = keras_internals.averages(adam)
    assert [weight.path for weight, _ in found] == [weight.path for weight in weights]
    assert [average.shape for _, average in found] == [(1,), (2,)]
    # At the first update the averages start with the weights.
    np.testing.assert_array_equal(found[1][1], found[1][0])


def test_average_by():
    """The function is called at every update, with the weights, in place of Keras' own."""
    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(use_ema=True)
    optimizer.build([weight])
    called = []
    keras_internals.average_by(optimizer, called.append)
    optimizer.apply([keras.ops.ones(1)], [weight])
    ((given,),) = called
    assert given is weight
    np.testing.assert_array_equal(keras_internals.averages_alone(optimizer)[0], [0.0])


def test_averaging():
    """The wrapper gets what updates the averages, and what replaces the weights with them."""
    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(use_ema=True, ema_overwrite_frequency=1)
    optimizer.build([weight])
    called = []
    methods = keras_internals.averaging(optimizer, lambda method: lambda _: called.append(method))
    vars(optimizer).update(methods)
    optimizer.apply([keras.ops.ones(1)], [weight])
    assert len(set(called)) == len(called) == 2
    assert keras_internals.applied(optimizer) == 1


def test_clipping():
    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(1.0, clipvalue=0.5)
    optimizer.build([weight])
    methods = keras_internals.clipping(
        lambda gradients: keras_internals.clip(optimizer, [8 * g for g in gradients])
    )
    vars(optimizer).update(methods)
    optimizer.apply([keras.ops.full((1,), 0.1)], [weight])
    np.testing.assert_allclose(weight, [0.5])


@pytest.mark.parametrize("name", keras_internals.OVERRIDDEN)
def test_overridden(name):
    parameters = list(inspect.signature(getattr(keras.Model, name)).parameters)
    assert parameters[1:] == keras_internals.OVERRIDDEN[name]


def test_what_fit_calls():
    called = set()

    class Watched(keras.Sequential):
        def _make_function(self, step_function):
            called.add("_make_function")
            return super()._make_function(step_function)

        def _maybe_symbolic_build(self, iterator=None, data_batch=None):
            called.add("_maybe_symbolic_build")

        def _get_metrics_result_or_logs(self, logs):
            called.add("_get_metrics_result_or_logs")
            return super()._get_metrics_result_or_logs(logs)

        def evaluate(self, *args, **kwargs):
            called.update(kwargs)
            return super().evaluate(*args, **kwargs)

    model = Watched([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.zeros([2, 1], "float32"), np.zeros([2, 1], "float32")
    model.fit(*data, validation_data=data, verbose=0)
    assert {*keras_internals.OVERRIDDEN, keras_internals.CALLED_BY_FIT} <= called


def test_no_other_file_uses_such_parts():
    """Private names that the library reads are its own, or stand in `keras_internals`."""
    texts = {path: path.read_text() for path in SOURCES.rglob("*.py")}
    own = {name for text in texts.values() for name in GIVEN.findall(text)}
    allowed = own | OF_OTHERS | set(keras_internals.OVERRIDDEN)
    used = {path: set(READ.findall(text)) - allowed for path, text in texts.items()}
    assert [path for path, names in used.items() if names] == [Path(keras_internals.__file__)]
