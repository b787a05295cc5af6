"""Checks for whoever writes a model class: what cannot be right is refused in one sentence."""

import inspect
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
from keras_gen.serving.warmup import default_inputs

LONGEST = 400  # characters of a sentence that can be read at once

# No argument can be one of these; a NaN is a float to Python.
ODD = [object(), float("nan"), [None, "a"]]
NO_NUMBERS = [*ODD, "many", True]
# By the type of the value that an argument has.
WRONG: dict[type, list] = {
    bool: [*ODD, "yes", 2.5],
    int: [*NO_NUMBERS, 2.5, -1],
    float: NO_NUMBERS,
    str: [*ODD, 3, True],
    list: [*ODD, True],
    tuple: [*ODD, True],
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
NO_COUNTS = [None, "8", 2.5, True, 0, np.ones(3)]


class Try(NamedTuple):
    """A call that is tried.

    Attributes:
        call: What is called, in words, such as `seed='many'`.
        run: Function without arguments that calls it.
        words: The answer has to hold one of them: the name of the argument, or of its kind.
    """

    call: str
    run: Callable[[], Any]
    words: tuple[str, ...]


def check_model(model: GenerativeModel, leave_out: Collection[str] = ()) -> int:
    """Checks that a model refuses what cannot be right, each in one sentence that names it.

    It makes the model again with one argument changed at a time: counts that are texts, NaN where a
    number belongs, networks that are None or of another size. It calls the capabilities, `sample`
    and `fit` without what they need, with names that they do not know, and with what is no array.
    Numbers of numpy have to be taken. Nothing is trained; a small model takes about a second.

    Args:
        model: A `GenerativeModel`.
        leave_out: Constructor arguments that are not changed, such as an integer that may be
            negative.

    Returns:
        How many calls were tried.

    Raises:
        AssertionError: If a call that cannot be right was taken, or answered with anything but a
            TypeError or ValueError of one sentence; a line for each.

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
        raise AssertionError(f"{name} answers {len(faults)} of {count} calls badly:\n{lines}")
    return count


# Answers -------------------------------------------------------------------------------------


def _unclear(each: Try) -> str | None:
    """What is wrong with the answer to a call that cannot be right, if anything is."""
    try:
        each.run()
    except Exception as error:
        text = str(error)
        one_sentence = "\n" not in text and len(text) < LONGEST and text.endswith((".", "?"))
        named = any(word in text.lower() for word in each.words)
        if isinstance(error, TypeError | ValueError) and one_sentence and named:
            return None
        return f"{each.call}: {type(error).__name__}: {text}"
    return f"{each.call}: taken"


def _refused(each: Try) -> str | None:
    """The answer to a call that is right, if it was refused."""
    try:
        each.run()
    except (TypeError, ValueError) as error:
        return f"{each.call}: refused, though right: {error}"
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
    """The answer has to hold one of these words, and values that an argument cannot have."""
    words = (name, *name.split("_"))
    wrong = list(WRONG.get(type(value), NO_NUMBERS))
    if name == "seed":
        wrong.remove(-1)
    if isinstance(value, keras.Model):
        words = ("",)  # of networks that do not fit each other a sentence may name any
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
    """Whether a class or a base of it says so in a signature."""
    for base in cls.__mro__:
        parameter = inspect.signature(base.__init__).parameters.get(name)  # type: ignore[misc]
        if parameter and (parameter.default is None or "None" in str(parameter.annotation)):
            return True
    return False


def _numbers_of_numpy(model: GenerativeModel, leave_out) -> Iterator[Try]:
    """Calls that are right."""
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
            yield Try(f"sample({name}={shown(wrong)})", run, (f"{name} must",))
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
    if not right.ndim:  # one for all examples
        return [*NO_ARRAYS, np.ones([2]), float("nan")]
    wrong = [*NO_ARRAYS, np.stack([right, right], axis=1)]
    texts = right.dtype.kind in "OUS"
    return wrong if texts else [*wrong, np.array(["a"]), np.full(right.shape, np.nan)]


def _words(name: str, edge: Edge) -> tuple[str, ...]:
    # Counts and rows are other forms of texts and of tables, and prompts are texts.
    spoken = edge.name.replace("_", " ")
    return (name, edge.name, spoken, type(edge).__name__.lower(), "counts", "rows", "texts")


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
        "(a dataset of no batch)": (batches.take(0),),
        "(parts too many)": many,
        "(a dataset of parts too many)": (tf.data.Dataset.from_tensors(many),),
    }
    for call, data in no_data.items():
        words = ("no data", "type", "batch", "array")
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
