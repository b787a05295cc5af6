"""Checks, for authors of models and functions, that invalid input raises a clear error."""

import contextlib
import inspect
import math
import re
import warnings
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import shown
from keras_gen.core import GenerativeModel
from keras_gen.core.capabilities import sample_conditions
from keras_gen.core.kinds_of_data import Edge
from keras_gen.declared import named_parameters
from keras_gen.keras_internals import all_layers
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.serving.warmup import default_inputs

LONGEST = 400  # maximum number of characters in a readable sentence

# Annotations of numbers.
NUMBERS = re.compile(r"\b(float|Positive|NonNegative|Fraction|Weight)\b")
# Values that no argument accepts, including NaN, which is a float in Python.
ODD = [object(), float("nan"), [None, "a"]]
NO_NUMBERS = [*ODD, "many", True]
# Invalid values, by the type of a valid value.
WRONG: dict[type, list] = {
    bool: [*ODD, "yes", 2.5],
    int: [*NO_NUMBERS, 2.5, -1],
    float: NO_NUMBERS,
    str: [*ODD, 3, True],
    list: [*ODD, True],
    tuple: [*ODD, True],
    dict: [*ODD, 3, np.ones([3, 2])],
    type(None): [object()],
}
NO_ARRAYS = [
    None,
    object(),
    {"a": [1, 2]},
    {1, 2},
    [[1.0, 2.0], [3.0]],
    np.array([object(), object()]),
    np.array(["2020-01-01"], "datetime64[D]"),
    np.ones([1], "complex64"),
]
NO_TEXTS_OR_OBJECTS = [*NO_ARRAYS, np.array(["a"]), "text"]
HUGE_OR_TINY = (1e38, 1e300, 1e-42)
KINDS = (
    "images",
    "sounds",
    "vectors",
    "recordings",
)  # nouns for data, by which messages may refer to an argument
NO_COUNTS = [None, "8", 2.5, True, 0, np.ones(3)]
MOST_VALUES = 64  # maximum number of values in an example whose log-determinant is checked
STEP = 2e-3  # step size of the finite differences of a layer's outputs
MOST_CHANGE = 0.4  # maximum change of a weight


class Try(NamedTuple):
    """A call to try.

    Attributes:
        call: Short description of the call, such as `seed='many'`.
        run: Function without arguments that makes the call.
        words: Words, such as the argument's name or type. The error message must contain at least
            one of these words.
    """

    call: str
    run: Callable[[], Any]
    words: tuple[str, ...]


def check_model(model: GenerativeModel, leave_out: Collection[str] = ()) -> int:
    """Checks that a model rejects invalid input with a one-line error that names the input.

    The model is recreated with one argument changed at a time: strings instead of counts, NaN
    instead of numbers, and networks that are None or of a different size. Its capabilities,
    `sample`, and `fit` are called without required arguments, with unknown argument names, and with
    values that are not arrays. NumPy numbers must be accepted. Nothing is trained; a small model
    takes about a second.

    Args:
        model: `GenerativeModel` to check.
        leave_out: Names of constructor arguments to leave unchanged, such as an integer that may be
            negative.

    Returns:
        Number of calls.

    Raises:
        AssertionError: If an invalid call was accepted, or if an error was not a TypeError or
            ValueError with a one-line message. The AssertionError lists one fault per line.

    Example:
        >>> check_model(VAE.for_images((8, 8, 1), filters=(4,))) > 100
        True
    """
    tries = [*_of_constructor(model, leave_out), *_of_capabilities(model), *_of_fit(model)]
    if hasattr(model, "sample"):
        tries += _of_sample(model)
    right = list(_numbers_of_numpy(model, leave_out))
    faults = [fault for each in tries if (fault := _unclear(each))]
    faults += [fault for each in right if (fault := _refused(each))]
    count = len(tries) + len(right)
    if faults:
        lines = "\n".join(faults)
        name = type(model).__name__
        raise AssertionError(
            f"{name} handles {len(faults)} of {count} calls incorrectly:\n{lines}"
        )
    return count


def check_function(function: Callable, /, *args, **kwargs) -> int:
    """Checks that a function rejects invalid arguments, and accepts all forms of valid arguments.

    In a valid call, one argument at a time is replaced with values of other types, NaN, masked
    arrays, arrays without examples, or arrays with one example more than the other arguments.
    Values of the same type that are huge, tiny, or all equal may be accepted or rejected, but any
    error must be clear. The same array in a different memory layout or byte order must give the
    same result; an array passed as a list or in a different precision may be rejected. The result
    for each example must not depend on the other examples or their order.

    Args:
        function: Function or class whose arguments are numbers, strings, arrays, functions, or
            objects.
        args: Positional arguments of a valid call.
        kwargs: Keyword arguments of the same call.

    Returns:
        Number of calls.

    Raises:
        AssertionError: If an invalid call was accepted, if a valid call was rejected, or if an
            error was not a TypeError or ValueError whose message is one line. The error lists
            one fault per line.

    Example:
        >>> check_function(psnr, np.zeros([2, 8, 8, 1], "uint8"), np.ones([2, 8, 8, 1], "uint8"))
        64
    """
    return _FunctionCheck(function, args, kwargs).run()


def check_flow(flow: InvertibleLayer) -> int:
    """Checks the inverse and the log-determinant of each layer in a flow.

    Call this function in the tests of your own layers: a wrong inverse or log-determinant raises no
    error, but makes the densities and samples of a `Flow` wrong. Layers are tested one at a time on
    random numbers in [0.2, 0.8], because rounding errors grow from layer to layer. The tests use
    both the flow's own weights and randomly changed weights, because weights of zero hide errors.
    Log-determinants are compared with finite differences of the outputs if examples have at most 64
    values and all layers compute in float32. The flow itself is not changed.

    Args:
        flow: Built layer or `Chain` whose input size is known.

    Returns:
        Number of layers.

    Raises:
        TypeError: If the flow is not an `InvertibleLayer`.
        ValueError: If the flow's size is not known.
        AssertionError: If an inverse or a log-determinant is wrong.

    Example:
        >>> check_flow(coupling_flow((2,), steps=4))
        5
    """
    if not isinstance(flow, InvertibleLayer):
        raise TypeError(f"flow is {shown(flow)}: expected an InvertibleLayer, such as a Chain.")
    shape = tuple(flow.input_shape[1:])
    if None in shape:
        raise ValueError(
            f"flow has input shape {shape}: expected a known size. Build the flow for a fixed size."
        )
    parts = flow.parts((None, *shape))
    condition = _random_example(flow.condition_shape)
    for layer, x_shape in parts:
        _check_inverse(layer, _random_example(x_shape[1:]), condition)
    dtypes = {layer.compute_dtype for layer in all_layers(flow)}
    if math.prod(shape) <= MOST_VALUES and dtypes == {"float32"}:
        with _changed_weights(flow):
            for layer, x_shape in parts:
                x = _random_example(x_shape[1:])
                _check_inverse(layer, x, condition)
                _check_log_det(layer, x, condition)
    return len(parts)


# Outcomes ------------------------------------------------------------------------------------


def _unclear(each: Try) -> str | None:
    """Describes what is wrong with the outcome of an invalid call, if anything."""
    try:
        each.run()
    except Exception as error:
        if _is_clear(error, each.words):
            return None
        return f"{each.call}: {type(error).__name__}: {error}"
    return f"{each.call}: accepted"


def _is_clear(
    error: Exception, words: tuple[str, ...], ends: tuple[str, ...] = (".", "?")
) -> bool:
    """Returns whether an error message is one line that names the argument."""
    text = str(error)
    one_line = "\n" not in text and len(text) < LONGEST and text.endswith(ends)
    named = any(word in text.lower() for word in words)
    return isinstance(error, TypeError | ValueError) and one_line and named


def _refused(each: Try) -> str | None:
    """Describes the error of a valid call, if the call was rejected."""
    try:
        each.run()
    except (TypeError, ValueError) as error:
        return f"{each.call}: rejected, although valid: {error}"
    return None


# The constructor -----------------------------------------------------------------------------


def _of_constructor(model: GenerativeModel, leave_out) -> Iterator[Try]:
    arguments = {name: getattr(model, name) for name in model.arguments()}
    for name, value in arguments.items():
        if name in leave_out:
            continue
        words, wrong_values = _wrong(model, name, value)
        for wrong in wrong_values:
            build = partial(type(model), **arguments | {name: wrong})
            yield Try(f"{name}={shown(wrong)}", build, words)


def _wrong(model, name: str, value) -> tuple[tuple[str, ...], list]:
    """Returns words (the error must contain at least one) and invalid values for an argument."""
    words = (name, *name.split("_"))
    wrong = list(WRONG.get(type(value), NO_NUMBERS))
    if name == "seed":
        wrong.remove(-1)
    if isinstance(value, keras.Model):
        words = ("",)  # the message may name any of several incompatible networks
        wrong = [*ODD, "network"]
        if len(model.networks) > 1:
            wrong.append(_network_of_another_size())
    if isinstance(value, list) and value and isinstance(value[0], keras.Model):
        words, of_first = _wrong(model, name, value[0])
        wrong += [[each, *value[1:]] for each in of_first]
    if value is not None and not _may_be_none(type(model), name):
        wrong.append(None)
    return words, wrong


def _network_of_another_size() -> keras.Model:
    return keras.Sequential([keras.Input((7,)), keras.layers.Dense(11)], name="of_another_size")


def _may_be_none(cls: type, name: str) -> bool:
    """Returns whether a class or one of its bases allows None for an argument."""
    for base in cls.__mro__:
        parameter = named_parameters(base).get(name)
        if parameter and (parameter.default is None or "None" in str(parameter.annotation)):
            return True
    return False


def _numbers_of_numpy(model: GenerativeModel, leave_out) -> Iterator[Try]:
    """Yields valid calls with NumPy numbers instead of Python numbers."""
    arguments = {name: getattr(model, name) for name in model.arguments()}
    kinds = {int: np.int64, float: np.float32, bool: np.bool_}
    for name, value in arguments.items():
        kind = kinds.get(type(value))
        if kind and name not in leave_out:
            build = partial(type(model), **arguments | {name: kind(value)})
            yield Try(f"{name}={kind(value)!r}", build, (name,))


# Methods -------------------------------------------------------------------------------------


def _of_capabilities(model) -> Iterator[Try]:
    for method_name, method in inspect.getmembers(type(model)):
        if not hasattr(method, "takes"):
            continue
        call = getattr(model, method_name)
        edges = {name: model.edges[name] for name in method.takes(model)}
        right = {name: _example(edge) for name, edge in edges.items()}
        yield Try(f"{method_name}()", call, (method_name,))
        yield Try(
            f"{method_name}(nonsense=1)", partial(call, nonsense=1, **right), ("nonsense",)
        )
        for wrong in NO_COUNTS:
            run = partial(call, **right | {"batch_size": wrong})
            yield Try(f"{method_name}(batch_size={shown(wrong)})", run, ("batch_size",))
        for name, edge in edges.items():
            for wrong in _wrong_arrays(edge):
                run = partial(call, **right | {name: wrong})
                yield Try(f"{method_name}({name}={shown(wrong)})", run, _words(name, edge))


def _of_sample(model) -> Iterator[Try]:
    conditions = sample_conditions(model)
    right = {
        name: _example(condition.edge)
        for name, condition in conditions.items()
        if condition.default is inspect.Parameter.empty
    }
    yield Try("sample(nonsense=1)", partial(model.sample, 1, nonsense=1), ("nonsense",))
    for name in ("n", "batch_size"):
        for wrong in NO_COUNTS:
            run = partial(model.sample, **right | {"n": 1, name: wrong})
            yield Try(f"sample({name}={shown(wrong)})", run, (f"{name} is ",))
    for wrong in WRONG[int]:
        run = partial(model.sample, 1, seed=wrong, **right)
        yield Try(f"sample(seed={shown(wrong)})", run, ("seed",))
    for name, condition in conditions.items():
        for wrong in _wrong_arrays(condition.edge):
            run = partial(model.sample, 1, seed=0, **right | {name: wrong})
            call = f"sample({name}={shown(wrong)})"
            yield Try(call, run, _words(name, condition.edge))


def _example(edge: Edge) -> np.ndarray:
    if edge.example is not None:
        return edge.example
    return default_inputs({"x": edge.spec()})["x"]


def _wrong_arrays(edge: Edge) -> list:
    right = _example(edge)
    if not right.ndim:  # a single value applies to all examples
        return [*NO_ARRAYS, np.ones([2]), float("nan")]
    wrong = [*NO_ARRAYS, np.stack([right, right], axis=1)]
    texts = right.dtype.kind in "OUS"
    return wrong if texts else [*wrong, np.array(["a"]), np.full(right.shape, np.nan)]


def _words(name: str, edge: Edge) -> tuple[str, ...]:
    # Texts may also be counts, tables may also be rows, and prompts are texts.
    spoken = edge.name.replace("_", " ")
    return (
        name,
        edge.name,
        spoken,
        type(edge).__name__.lower(),
        "counts",
        "rows",
        "table",
        "texts",
    )


def _of_fit(model) -> Iterator[Try]:
    edges = model.edges | model.training_edges
    parts = tuple(_example(edges[name]) for name in model.batch)
    batches = tf.data.Dataset.from_tensor_slices(parts).batch(1)
    many = (*parts, *parts, *parts)[: max(len(parts), 2) + 1]
    no_data = {
        "()": (),
        "(a number)": (3,),
        "(an object)": (object(),),
        "(a text)": ("images",),
        "(a set)": ({1, 2},),
        "(a ragged list)": ([[1.0, 2.0], [3.0]],),
        "(a dataset without batches)": (batches.take(0),),
        "(too many parts)": many,
        "(a dataset with too many parts)": (tf.data.Dataset.from_tensors(many),),
    }
    for call, data in no_data.items():
        words = ("no data", "type", "batch", "array", "recordings")
        yield Try(f"fit{call}", partial(model.fit, *data, verbose=0), words)
    wrong_options = {
        "nonsense": 1,
        "epochs": "3",
        "batch_size": "8",
        "validation_split": "half",
        "callbacks": object(),
    }
    for name, wrong in wrong_options.items():
        run = partial(model.fit, *parts, **{name: wrong})
        yield Try(f"fit({name}={shown(wrong)})", run, (name,))


# Functions -----------------------------------------------------------------------------------


class _FunctionCheck:
    """The calls that `check_function` makes."""

    def __init__(self, function, args, kwargs):
        self.function = function
        # Keras itself rejects values that are not tensors or have too many axes.
        self.is_layer = isinstance(function, keras.Layer)
        self.signature = inspect.signature(function.call if self.is_layer else function)
        self.bound = self.signature.bind(*args, **kwargs).arguments
        self.docstring = inspect.getdoc(getattr(function, "func", function)) or ""
        # The start of the module's name, such as "penalt", which messages may contain instead.
        self.subject = getattr(function, "__module__", "").rpartition(".")[2][:6] or "argument"
        self.faults: list[str] = []
        self.count = 0

    def run(self) -> int:
        self.result = self._call({})
        # Random results cannot be compared with each other.
        self.repeats = _equal(self.result, self._call({}))
        for name, parameter in self.signature.parameters.items():
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            value = self.bound.get(name, parameter.default)
            words = (*name.lower().split("_"), self.subject)
            if _is_array(value):
                self._check_array(name, np.asarray(value), words)
                words = (*words, *KINDS)
            for wrong in [] if self.is_layer else _wrong_values(parameter, value):
                call = f"{name}={shown(wrong)}"
                if isinstance(wrong, float) and np.isnan(wrong) and _is_tensor(parameter):
                    self._try(call, words, {name: wrong}, self._hides)
                else:
                    self._refuse(call, words, {name: wrong})
        self._check_examples()
        if self.faults:
            name = getattr(self.function, "__qualname__", type(self.function).__name__)
            lines = "\n".join(self.faults)
            raise AssertionError(
                f"{name} handles {len(self.faults)} of {self.count} calls incorrectly:\n{lines}"
            )
        return self.count

    def _call(self, changed: dict):
        self.count += 1
        bound = inspect.BoundArguments(self.signature, self.bound | changed)  # type: ignore[arg-type]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hides overflow warnings, for example
            if not self.is_layer:
                return self.function(*bound.args, **bound.kwargs)
            inputs, *options = bound.arguments.items()
            return self.function(inputs[1], **dict(options))

    def _refuse(self, call: str, words: tuple[str, ...], changed: dict) -> None:
        try:
            self._call(changed)
        except Exception as error:
            self._note(call, words, error)
        else:
            self.faults.append(f"{call}: accepted")

    def _try(self, call: str, words: tuple[str, ...], changed: dict, wrong=None) -> None:
        """Tries a call, which may raise a clear error; if not, its result must not be `wrong`."""
        try:
            result = self._call(changed)
        except Exception as error:
            self._note(call, words, error)
            return
        if wrong and wrong(result):
            self.faults.append(f"{call}: accepted")

    def _note(self, call, words, error) -> None:
        if not _is_clear(error, words, ends=("",)):
            self.faults.append(f"{call}: {type(error).__name__}: {error}")

    def _check_array(self, name: str, array: np.ndarray, words: tuple[str, ...]) -> None:
        shapes = (*words, "shape", "examples", "axes", *KINDS)
        masked = np.ma.masked_array(array, np.arange(array.size).reshape(array.shape) == 0)
        if not self.is_layer:
            self._refuse(f"{name}=masked", words, {name: masked})
        if array.ndim and not self.is_layer:
            deep = np.stack([array, array], axis=1)
            self._try(f"{name}=with an extra axis", shapes, {name: deep})
            self._try(f"{name}=no examples", shapes, {name: array[:0]}, self._hides)
        if array.dtype.kind == "f":
            spoiled = array.copy()
            spoiled.flat[:1] = np.nan
            self._try(f"{name}=with NaN", shapes, {name: spoiled}, self._hides)
            for number in HUGE_OR_TINY:
                extreme = np.full(array.shape, number)
                self._try(f"{name}=all {number:g}", shapes, {name: extreme})
        for form, value in _same_layouts(array):
            self._same(f"{name}={form}", {name: value})
        for form, value in [] if self.is_layer else _same_numbers(array):
            self._try(f"{name}={form}", (*words, "dtype", *KINDS), {name: value}, self._differs)

    def _same(self, call: str, changed: dict) -> None:
        try:
            result = self._call(changed)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            self.faults.append(f"{call}: rejected, although valid: {text}")
            return
        if self._differs(result):
            self.faults.append(f"{call}: different result")

    def _differs(self, result) -> bool:
        return self.repeats and not _equal(self.result, result)

    def _hides(self, result) -> bool:
        """Returns whether the result for an empty array, or for NaN, looks valid."""
        if any(callable(value) for value in self.bound.values()):
            return False  # a function that is passed in may ignore some of its input
        numbers = _numbers(result)
        return bool(numbers) and all(each.size and np.isfinite(each).all() for each in numbers)

    def _check_examples(self) -> None:
        """Tries arrays with a single example, and with equal, reordered, and fewer examples."""
        arrays = {
            name: np.asarray(value) for name, value in self.bound.items() if _is_array(value)
        }
        count = max((len(array) for array in arrays.values() if array.ndim), default=0)
        arrays = {n: array for n, array in arrays.items() if array.ndim and len(array) == count}
        if count < 2:
            return
        words = ("shape", "examples", "rows", *(word for n in arrays for word in n.split("_")))
        alike = {name: np.repeat(array[:1], count, axis=0) for name, array in arrays.items()}
        self._try("one example", words, {name: array[:1] for name, array in arrays.items()})
        self._try("identical examples", words, alike)
        for name, array in arrays.items() if len(arrays) > 1 else ():
            longer = {name: np.concatenate([array, array[:1]])}
            if "same shape" in self.docstring:
                self._refuse(f"{name}=one example more", words, longer)
            else:
                self._try(f"{name}=one example more", words, longer)
        by_chance = "seed" in self.signature.parameters
        if by_chance or not self.repeats or "per example" not in self.docstring:
            return
        order = np.arange(count)[::-1]
        for call, chosen in (("reversed examples", order), ("half", order[: count // 2])):
            changed = {name: array[chosen] for name, array in arrays.items()}
            self._try(call, words, changed, partial(self._mixes, chosen))

    def _mixes(self, chosen, result) -> bool:
        """Returns whether the result for an example depends on other examples or their order."""
        pairs = zip(_numbers(self.result), _numbers(result), strict=True)
        return not all(
            _equal(all_of_them[chosen], some)
            for all_of_them, some in pairs
            if all_of_them.ndim and len(all_of_them) > chosen.max()
        )


def _is_array(value) -> bool:
    return isinstance(value, np.ndarray | tf.Tensor) and value.dtype != object


def _wrong_values(parameter: inspect.Parameter, value) -> list:
    """Returns invalid values for an argument of this value's type."""
    nothing = [] if _accepts_none(parameter) else [None]
    if _is_array(value):
        return [wrong for wrong in NO_TEXTS_OR_OBJECTS if wrong is not None] + nothing
    annotation = str(parameter.annotation)
    if "Any" in annotation:
        return []
    if type(value) in WRONG:
        kind = float if NUMBERS.search(annotation) and value is not None else type(value)
        wrong = list(WRONG[kind])
        if parameter.name == "seed":
            wrong.append(2**31)
        return wrong if value is None else wrong + nothing
    if isinstance(value, keras.Layer) or callable(value):
        return [object(), 3.5, np.ones([3, 2]), *nothing]
    return nothing


def _is_tensor(parameter: inspect.Parameter) -> bool:
    """Returns whether a parameter may be a tensor. NaN in a tensor shows up in the result."""
    return parameter.annotation is parameter.empty or "Tensor" in str(parameter.annotation)


def _accepts_none(parameter: inspect.Parameter) -> bool:
    text = str(parameter.annotation)
    unknown = parameter.annotation is parameter.empty
    words = ("None", "Optional", "Any")
    return unknown or parameter.default is None or any(word in text for word in words)


def _same_layouts(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if not array.ndim:
        return
    spread = np.repeat(array, 2, axis=-1)[..., ::2]
    frozen = array.copy()
    frozen.flags.writeable = False
    yield "not contiguous", spread
    yield "read-only", frozen
    yield "in Fortran order", np.asfortranarray(array)
    if array.dtype.itemsize > 1:
        yield "big-endian", array.astype(array.dtype.newbyteorder(">"))


def _same_numbers(array: np.ndarray) -> Iterator[tuple[str, Any]]:
    yield "as a list", array.tolist()
    if array.dtype.kind not in "fiu":
        return
    for dtype in ("float64", "float32") if array.dtype.kind == "f" else ("int32", "int64"):
        yield f"as {dtype}", array.astype(dtype)


def _numbers(result) -> list[np.ndarray]:
    """Returns the arrays and numbers in a result, in order."""
    parts = [np.asarray(part) for part in tf.nest.flatten(result) if _is_number(part)]
    return [part for part in parts if part.dtype.kind in "iuf"]


def _is_number(part) -> bool:
    return isinstance(part, np.ndarray | np.generic | tf.Tensor | tf.Variable | int | float)


def _equal(one, other) -> bool:
    """Returns whether two results contain the same numbers, up to rounding."""
    parts, others = _numbers(one), _numbers(other)
    return len(parts) == len(others) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True)
        for a, b in zip(parts, others, strict=True)
    )


# Flows ---------------------------------------------------------------------------------------


def _random_example(shape):
    """Returns an example away from 0 and 1, where logits are infinite; None if shape is None."""
    if shape is None:
        return None
    x = np.random.default_rng(0).uniform(0.2, 0.8, (1, *shape)).astype("float32")
    return tf.constant(x)


@contextlib.contextmanager
def _changed_weights(flow):
    """Adds random numbers to the trainable weights inside a block, and then restores the weights.

    The numbers are smaller for weights whose products are summed. Numbers added to vectors are
    positive, because log scales of opposite signs would cancel each other's errors.
    """
    rng = np.random.default_rng(1)
    before = [weight.numpy() for weight in flow.trainable_variables]
    try:
        for weight, value in zip(flow.trainable_variables, before, strict=True):
            most = MOST_CHANGE / math.sqrt(max(1, math.prod(value.shape[:-1])))
            least = -most if value.ndim > 1 else most / 4
            weight.assign(value + rng.uniform(least, most, value.shape))
        yield
    finally:
        for weight, value in zip(flow.trainable_variables, before, strict=True):
            weight.assign(value)


def _check_inverse(layer, x, condition) -> None:
    y, _, _ = layer(x, condition=condition, training=False)
    found = layer.inverse(y, condition)
    error = np.abs(found - x).max()
    if error < 1e-2:
        return
    # The inverse of a contracting layer is imprecise, but applying the layer to it returns y.
    again, _, _ = layer(found, condition=condition, training=False)
    rounding = 1e-5 * (1 + np.abs(y).max())
    if not np.abs(again.numpy() - y.numpy()).max() < rounding:
        raise AssertionError(
            f"The inverse of the layer '{layer.name}' ({type(layer).__name__}) reproduces "
            f"random inputs with an error of up to {error:g}: expected inverse(call(x)) to "
            "equal x. Correct the inverse method."
        )


def _check_log_det(layer, x, condition) -> None:
    count = math.prod(x.shape)
    log_det = float(layer(x, condition=condition, training=False)[1][0])
    steps = STEP * np.eye(count, dtype="float32").reshape(count, *x.shape[1:])
    conditions = None if condition is None else tf.repeat(condition, count, axis=0)
    ends = layer(x + steps, condition=conditions, training=False)[0].numpy()
    starts = layer(x - steps, condition=conditions, training=False)[0].numpy()
    slopes = (ends - starts).reshape(count, count) / (2 * STEP)
    expected = np.linalg.slogdet(slopes)[1]
    if not abs(expected - log_det) < 0.05 * (1 + count):
        raise AssertionError(
            f"The log-determinant of the layer '{layer.name}' ({type(layer).__name__}) is "
            f"{log_det:.3g} for random numbers: expected {expected:.3g}, from finite "
            "differences of its outputs. Correct the call method."
        )
