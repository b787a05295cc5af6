"""Trained models' capabilities; each capability is defined once for both Python and serving."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer, checked_seed, shown
from keras_gen.core.kinds_of_data.kind_of_data import as_tensor, is_table
from keras_gen.core.kinds_of_data.label_data import Labels
from keras_gen.core.kinds_of_data.number_data import Choice, Integer, Number
from keras_gen.core.noise import stateless_seed
from keras_gen.data.source import Source
from keras_gen.declared import parameters_of
from keras_gen.messages import refusal, warn
from keras_gen.tensor_checks import require

F = TypeVar("F", bound=Callable)
BY_PLACE_OR_NAME = inspect.Parameter.POSITIONAL_OR_KEYWORD
SELF = inspect.Parameter("self", BY_PLACE_OR_NAME)
MOST_SAMPLES = 1024
"""Maximum `n` of an export's `sample`. A server computes all samples at once. For 1,024 images of
128x128 pixels, a single layer with 64 channels needs 4 GiB."""
SEEDS = (0, 2**31 - 1)
"""Minimum and maximum seed in a request."""

# Capabilities ---------------------------------------------------------------------------------


def for_users(function: F) -> F:
    """Marks a model's method for tab completion. Capabilities and builders need no mark."""
    function.for_users = True  # type: ignore[attr-defined]
    return function


def is_for_users(attribute) -> bool:
    """Returns whether an attribute is for users: it is a capability or marked by `for_users`."""
    inner = getattr(attribute, "__func__", getattr(attribute, "fget", attribute))
    return hasattr(inner, "function") or hasattr(inner, "for_users")


def capability(function: Callable) -> Callable:
    """Turns a model's function of tensors into a method for arrays and an export signature.

    The function's parameters are names of the model's `edges`, which prepare the arguments;
    `**given` stands for the conditions listed in the model's attribute `given`. The function
    returns a dict of tensors: a tensor named after an edge is restored by that edge, and all other
    tensors are converted to float32.

    The method accepts arrays with any number of examples, including zero, in any format that the
    edges of the arguments accept. If the first argument is a `keras_gen.data.Source`, its arrays
    are used. Each of the other arguments may also be a single value for all examples. The method
    uses a graph that is traced once, and processes `batch_size` examples (default: 256) at a time.
    It returns an array, or a tuple of arrays if there are several outputs. If the only output is
    `x` and examples are table rows, it returns a table, in the format of `sample`. If the edge of a
    float input allows it, the corresponding outputs are also floats.

    Example:
    ```python
    class Encodes(GenerativeModel):
        @capability
        def encode(self, x):
            return {"codes": self.encoder(x, training=False)}
    ```
    """
    parameters = parameters_of(function)
    conditions = any(p.name == "given" for p in parameters)
    parameters = [p for p in parameters if p.name != "given"]
    size = inspect.Parameter("batch_size", inspect.Parameter.KEYWORD_ONLY, default=256)

    def takes(model) -> list[str]:
        names = [p.name for p in parameters]
        return [*names, *model.given] if conditions else names

    @functools.wraps(function)
    def examples(self, **tensors):
        first, *others = (tf.shape(tensor)[0] for tensor in tensors.values())
        if others:
            same = tf.reduce_all(tf.equal(others, first))
            sentence = _unequal(self, function, tensors, ["{}"] * len(tensors))
            with tf.control_dependencies([require(same, sentence, first, *others)]):
                first = tf.identity(first)
        outputs = function(self, **{name: one_at_least(t, first) for name, t in tensors.items()})
        return {name: value[:first] for name, value in outputs.items()}

    @functools.wraps(function)
    def method(self, *args, **kwargs):
        arguments = [inspect.Parameter(name, BY_PLACE_OR_NAME) for name in takes(self)]
        expected = inspect.Signature([*arguments, size])
        args = of_source(args, len(arguments) - len(kwargs.keys() & set(takes(self))))
        *arrays, batch_size = _bound(self, function.__name__, expected, args, kwargs)
        results = _over_batches(self, examples, takes(self), arrays, batch_size)
        if is_table(results) and is_table(arrays[0]):
            results.index = arrays[0].index
        return results

    method.__signature__ = inspect.Signature([SELF, *parameters, size])  # type: ignore
    method.function = examples  # type: ignore[attr-defined]
    method.takes = takes  # type: ignore[attr-defined]
    return method


def of_source(args: tuple, most: int) -> tuple:
    """Returns arguments in which a `Source` is replaced by its arrays, at most `most` in total.

    As in `fit`, additional arrays in the `Source`, such as the labels of images, are ignored.
    """
    if not args or not isinstance(args[0], Source):
        return args
    parts = args[0].arrays()
    parts = parts if isinstance(parts, tuple) else (parts,)
    rest = args[1:]
    return (*parts[: max(1, most - len(rest))], *rest)


def _bound(model, name, expected, args, kwargs) -> list:
    """Returns the values of a call's arguments in order, or raises a TypeError."""
    try:
        bound = expected.bind(*args, **kwargs)
    except TypeError as error:
        call = f"{type(model).__name__}.{name}"
        raise TypeError(f"{call} is called as {name}{expected}: {error}.") from None
    bound.apply_defaults()
    return list(bound.arguments.values())


def _unequal(model, function, names, counts) -> str:
    """Returns the error message for inputs with different numbers of examples."""
    edges = [model.edges[name] for name in names]
    found = " and ".join(f"{n} {edge.name}" for n, edge in zip(counts, edges, strict=True))
    return f"{function.__name__} got {found}: expected the same number of each."


def one_at_least(values: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns `count` examples, or one example of zeros if `count` is 0.

    For empty batches, TensorFlow's convolutions fail or return a different number of channels.
    """
    missing = tf.cast(tf.equal(count, 0), tf.int32)
    shape = tf.concat([[missing], tf.shape(values)[1:]], axis=0)
    return tf.concat([values, tf.zeros(shape, values.dtype)], axis=0)


def _over_batches(model, function, names, arrays, batch_size):
    """Returns a capability's outputs for arrays with any number of examples."""
    batch_size = checked_integer("batch_size", batch_size, minimum=1)
    edges = [model.edges[name] for name in names]
    warn_of_unknown_units(model)
    arrays = [_with_axes(edge, array) for edge, array in zip(edges, arrays, strict=True)]
    first = len(as_examples(edges[0], arrays[0]))
    # A single value is repeated, because it applies to all examples.
    arrays = [a if np.ndim(a) else np.full(first, a) for a in arrays]
    counts = [len(array) for array in arrays]
    if len(set(counts)) > 1:
        raise ValueError(_unequal(model, function, names, counts))
    specs = [edge.inner_spec() for edge in edges]
    # The functions are partial objects, because TensorFlow warns if many functions defined in one
    # place are traced.
    by_name = functools.partial(_by_name, function, model, names)
    graph = model.graph(function, by_name, specs)
    as_floats = {
        name
        for name, edge, array in zip(names, edges, arrays, strict=True)
        if edge.keeps_floats and np.issubdtype(np.asarray(array[:1]).dtype, np.floating)
    }
    parts = []
    # An empty batch is also run, so that its outputs have the correct shapes and dtypes.
    for start in range(0, max(first, 1), batch_size):
        batch = [array[start : start + batch_size] for array in arrays]
        prepared = [edge.prepare(part) for edge, part in zip(edges, batch, strict=True)]
        try:
            outputs = graph(*prepared)
        except tf.errors.InvalidArgumentError as error:
            if sentence := refusal(error.message):
                raise ValueError(sentence) from error
            raise
        parts.append(to_arrays(model, outputs, as_floats))
    whole = tuple(np.concatenate(part) for part in zip(*parts, strict=True))
    if len(whole) > 1:
        return whole
    return _as_table(model, whole[0]) if outputs.keys() == {"x"} else whole[0]


def _as_table(model, examples: np.ndarray):
    """Returns table rows in the format of `sample`, and other examples unchanged."""
    return model.edges["x"].as_table(examples) if "x" in model.edges else examples


def warn_of_unknown_units(model) -> None:
    """Warns if a model standardizes data but has not seen any data yet."""
    for name, edge in model.edges.items():
        if not getattr(edge, "adapted", True):
            warn(
                f"{type(model).__name__} has not been trained: until fit has seen the data, its "
                f"values ({name}) are assumed to have mean 0 and standard deviation 1."
            )


def as_examples(edge, values):
    """Returns the value of an edge as an array of examples, or raises a TypeError."""
    values = _with_axes(edge, values)
    if not np.ndim(values):
        found = shown(np.asarray(values).item())
        raise TypeError(
            f"{edge.name} is the single value {found}: expected an array of examples."
        )
    return values


def _with_axes(edge, values):
    """Returns an edge's value in a form with axes: a list as an array, and an array unchanged."""
    values = edge.as_array(values)
    return values if hasattr(values, "shape") else as_tensor(values, edge.name).numpy()


def _by_name(function, model, names, *values):
    return function(model, **dict(zip(names, values, strict=True)))


def to_arrays(model, outputs: dict, as_floats=()) -> list[np.ndarray]:
    """Returns a capability's outputs as arrays; edges restore all except those in `as_floats`."""
    return [_array(value) for value in _restored(model, outputs, as_floats)]


def _restored(model, outputs: dict, as_floats) -> list[tf.Tensor]:
    restored: list = []
    for name, value in outputs.items():
        restored += [value] if name in as_floats else model.served({name: value}).values()
    return restored


def of_batch(model, name: str, parts: list):
    """Returns the outputs of a capability as tensors, given the tensors of one batch."""
    method = getattr(type(model), name)
    names = method.takes(model)
    edges = [model.edges[each] for each in names]
    if len(parts) < len(names):
        raise ValueError(
            f"{type(model).__name__}.predict needs {' and '.join(edge.name for edge in edges)}, "
            f"but got {len(parts)} arrays: pass a list of arrays in this order."
        )
    parts = parts[: len(names)]  # any other parts are labels that accompany the examples
    prepared = {each: edge.prepare(p) for each, edge, p in zip(names, edges, parts, strict=True)}
    as_floats = {
        each
        for each, edge, part in zip(names, edges, parts, strict=True)
        if edge.keeps_floats and part.dtype.is_floating
    }
    restored = tuple(_restored(model, method.function(model, **prepared), as_floats))
    return restored if len(restored) > 1 else restored[0]


def _array(value):
    if value.dtype == tf.string:
        return np.vectorize(bytes.decode, otypes=[str])(value.numpy())
    return (tf.cast(value, tf.float32) if value.dtype.is_floating else value).numpy()


# Signatures, as methods of `GenerativeModel` ----------------------------------------------------


@for_users
def signatures(self) -> dict:
    """Returns each capability as a pair for serving: a function of tensors, and tensor specs."""
    found = {}
    for name in dict.fromkeys(n for c in type(self).__mro__ for n in vars(c)):
        method = getattr(type(self), name)
        if hasattr(method, "function"):
            found[name] = self.signature(method.function, method.takes(self))
    if hasattr(self, "sample"):
        found["sample"] = sample_signature(self)
    return found


def signature(self, function: Callable, names) -> tuple[Callable, list[tf.TensorSpec]]:
    """Returns a signature's function, which prepares inputs with the named edges, and its specs."""
    edges = [self.edges[name] for name in names]

    @tf.autograph.experimental.do_not_convert
    def serve(*values):
        inner = [edge.prepare(value) for edge, value in zip(edges, values, strict=True)]
        return self.served(function(self, **dict(zip(names, inner, strict=True))))

    return serve, [edge.spec() for edge in edges]


def signature_defaults(self) -> dict[str, dict[str, Any]]:
    """Returns the default values of inputs that clients of a signature may omit."""
    functions = {name: function for name, (function, _) in self.signatures().items()}
    return {n: f.defaults for n, f in functions.items() if hasattr(f, "defaults")}


def served(self, outputs: dict) -> dict:
    """Returns a capability's outputs with the names and formats that clients expect."""
    known: dict = {}
    for name, value in outputs.items():
        edge = self.edges.get(name)
        restored = value if edge is None else edge.restore(value)
        if isinstance(restored, dict):
            known |= restored
        else:
            known[name if edge is None else edge.name] = restored
    return known


# Sampling -------------------------------------------------------------------------------------


class Condition(NamedTuple):
    """A condition of `sample`: the edge that checks values, and the default value."""

    edge: Any
    default: Any


def sample_conditions(model) -> dict[str, Condition]:
    """Returns the arguments of a model's `sample` other than `n` and `seed`, by name.

    These are the additional parameters of the model's `from_noise`. If `from_noise` has a parameter
    `**given`, it stands for the singular forms of the names in the model's attribute `given`.
    """
    _, *rest = parameters_of(type(model).from_noise)
    defaults: dict[str, Any] = {}
    if any(p.name == "given" for p in rest):
        for name in model.given:
            any_class = isinstance(model.edges[name], Labels)
            defaults[name.removesuffix("s")] = -1 if any_class else inspect.Parameter.empty
    defaults |= {p.name: p.default for p in rest if p.name != "given"}
    for name in defaults:
        if name not in model.edges:
            raise TypeError(
                f"{type(model).__name__}.from_noise has the parameter {name!r}, which self.edges "
                f"does not contain: set self.edges[{name!r}], for example to a Number or a Choice."
            )
    return {name: Condition(model.edges[name], default) for name, default in defaults.items()}


@for_users
def sample(  # noqa: D417
    self, n: int, seed: int | None = None, batch_size: int = 64, **conditions
):
    """Generates samples `[n, ...]`; images are uint8.

    Table rows are returned as a DataFrame if the model's columns come from a DataFrame, and
    otherwise as a dict of arrays, one per column. The categories, booleans, decimal places,
    dtypes, and fraction of missing values match the training rows. Each number is between the
    smallest and the largest training value in its cell; see `keras_gen.data.table_columns`. To
    sample rows with some given values, call `complete`.

    Args:
        n: Number of samples, at least 1.
        seed: Random seed from 0 to 2**31 - 1. With the same seed, the model and its export generate
            the same samples. If None, samples differ from call to call.
        batch_size: Number of samples computed at once.
        **conditions: Conditions of the model, such as `label` or `temperature`. Each condition is a
            single value for all samples; for labels and arrays, one value per sample is also
            allowed. If no label is given, classes are random.

    Raises:
        TypeError: If a condition is unknown or missing, or if `n`, `seed`, or `batch_size` is not
            an integer.
        ValueError: If `n` or `batch_size` is below 1, or if the seed or a condition is out of
            range.
    """
    # Models that can be sampled have this function as a method. They define the noise for n samples
    # (`noise(n, key)`) and the mapping from noise to samples (`from_noise(noise, ...)`). Further
    # parameters of `from_noise` are conditions, which are named after the model's edges.
    known = sample_conditions(self)
    if unknown := sorted(conditions.keys() - known.keys()):
        raise TypeError(
            f"{type(self).__name__}.sample has no condition {unknown[0]!r}: expected "
            f"{', '.join(known) or 'none'}.{_ways_out(self, unknown[0])}"
        )
    values = {name: condition.default for name, condition in known.items()} | conditions
    if missing := [name for name, v in values.items() if v is inspect.Parameter.empty]:
        raise TypeError(
            f"{type(self).__name__}.sample requires {missing[0]}: pass this condition by name."
        )
    for name, value in conditions.items():
        known[name] = Condition(_given(known[name].edge, name, value), None)
    if seed is None:
        seed = int(np.random.default_rng().integers(2**31))
    batch_size = checked_integer("batch_size", batch_size, minimum=1)
    warn_of_unknown_units(self)
    noise = sampling_noise(self, n, seed)
    prepared = _prepared(self, known, values.values(), n, seed)
    specs = tf.nest.map_structure(lambda t: tf.TensorSpec([None, *t.shape[1:]], t.dtype), noise)
    inner = [condition.edge.inner_spec() for condition in known.values()]
    draw = self.graph("sample", functools.partial(_examples, self, list(known)), [specs, *inner])
    parts = []
    for start in range(0, n, batch_size):
        part = functools.partial(_part, slice(start, start + batch_size))
        parts += to_arrays(self, draw(*tf.nest.map_structure(part, [noise, *prepared])))
    return _as_table(self, np.concatenate(parts))


def _ways_out(model, name: str) -> str:
    """Returns a sentence about sampling rows with a given value if `name` is one of the columns."""
    columns = model.edges["x"].described_columns() if "x" in model.edges else []
    if not hasattr(model, "complete") or name not in [column["name"] for column in columns]:
        return ""
    return " To sample rows with given values, call complete."


def _given(edge, name: str, value):
    """Returns an edge that checks a user's condition, and rejects -1 (any class, in exports)."""
    sizes = [len(value)] if isinstance(value, list | tuple) else getattr(value, "shape", ())
    anything = getattr(edge, "unknown", False)
    if value is None or 0 in tuple(sizes):
        way_out = f" Leave {name} out to sample any class." if anything else ""
        raise ValueError(
            f"{name} is {shown(value)}: expected one value for all samples, or one per "
            f"sample.{way_out}"
        )
    if not anything:
        return edge
    if tf.is_tensor(value):
        value = value.numpy()
    # Sequences of unequal lengths are passed to `prepare`, whose message describes the expected
    # format.
    flat = tf.nest.flatten(value.tolist() if hasattr(value, "tolist") else value)
    if any(np.isscalar(each) and each == -1 for each in flat):
        raise ValueError(
            f"{name} is -1: expected a class from 0 to {edge.classes - 1}. Leave {name} out to "
            "sample any class."
        )
    return dataclasses.replace(edge, unknown=False)


def sampling_noise(model, n, seed):
    """Returns the noise that `sample(n, seed)` uses, and checks the arguments in the same way."""
    n = checked_integer("n", n, minimum=1)
    seed = checked_seed(seed)
    try:
        return _noise(model, n, seed)
    except tf.errors.OpError as error:
        raise ValueError(
            f"n is {n}: expected a number of samples whose noise fits in memory. Sample several "
            "times, with different seeds."
        ) from error


def _noise(model, n, seed):
    return model.noise(n, _key(seed))


def _key(seed):
    return stateless_seed(0, seed, "sample")


def sample_signature(model) -> tuple[Callable, list[tf.TensorSpec]]:
    """Returns `sample(seed, n)` with conditions; each number or label applies to all samples.

    The function has three attributes: `limits`, the minimum and maximum of `seed`, `n`, and each
    numeric condition; `options`, the allowed values of other conditions; and `defaults`, the values
    of conditions that clients may omit.
    """
    conditions = sample_conditions(model).items()
    known = {name: each for name, each in conditions if name not in model.unserved}
    edges = {name: condition.edge for name, condition in known.items()}
    numbers = {n: (e.low, e.high) for n, e in edges.items() if isinstance(e, Integer | Number)}

    @tf.autograph.experimental.do_not_convert
    def serve(seed, n, *values):
        seed = seed_checked(seed)
        n = samples_checked(n, MOST_SAMPLES)
        noise = _noise(model, n, seed)
        prepared = _prepared(model, known, values, n, seed)
        return model.served(_examples(model, list(known), noise, *prepared))

    serve.limits = {"seed": SEEDS, "n": (1, MOST_SAMPLES)} | numbers
    serve.options = {n: edge.options for n, edge in edges.items() if isinstance(edge, Choice)}
    usual = {name: condition.default for name, condition in known.items()}
    serve.defaults = {n: v for n, v in usual.items() if v is not inspect.Parameter.empty}
    specs = [tf.TensorSpec([], tf.int32, name=name) for name in ("seed", "n")]
    for name, condition in known.items():
        outer = condition.edge.spec()
        shape = outer.shape if outer.shape.rank > 1 else []
        specs.append(tf.TensorSpec(shape, outer.dtype, name=name))
    return serve, specs


def seed_checked(seed: tf.Tensor) -> tf.Tensor:
    """Returns the seed of a request, and rejects a negative seed."""
    return _limited("seed", seed, *SEEDS)


def samples_checked(n: tf.Tensor, most: int) -> tf.Tensor:
    """Returns a number of samples, and rejects numbers outside 1 to `most`."""
    return _limited("n", n, 1, most, ". For more, send several requests with different seeds")


def _limited(name, value, low, high, way_out=""):
    """Returns an integer tensor, and rejects values outside its limits."""
    sentence = f"{name} is {{}}: expected {low} to {high}{way_out}."
    with tf.control_dependencies([require((value >= low) & (value <= high), sentence, value)]):
        return tf.identity(value)


def _examples(model, names, noise, *values) -> dict:
    return {"x": model.from_noise(noise, **dict(zip(names, values, strict=True)))}


def _part(some, value):
    """Returns the values for some of the examples, or the single value for all examples."""
    return value[some] if value.shape.rank else value


def _prepared(model, known, values, n, seed) -> list[tf.Tensor]:
    """Returns prepared conditions: one per example, or one number for all examples.

    Labels that are not given (-1) are sampled.
    """
    prepared = []
    for (name, condition), value in zip(known.items(), values, strict=True):
        value = condition.edge.prepare(value)
        if condition.edge.inner_spec().shape.rank:
            if value.shape.rank:
                count = tf.shape(value)[0]
                fits = tf.equal(count, 1) | tf.equal(count, n)
                sentence = f"{name} has {{}} values for n={{}}: expected 1 or {{}}."
                with tf.control_dependencies([require(fits, sentence, count, n, n)]):
                    value = tf.identity(value)
            value = tf.broadcast_to(value, [n, *value.shape[1:]])
        if isinstance(condition.edge, Labels) and condition.edge.unknown:
            drawn = model.drawn_labels(n, _key(seed), condition.edge.classes)
            value = tf.where(value < 0, drawn, value)
        prepared.append(value)
    return prepared
