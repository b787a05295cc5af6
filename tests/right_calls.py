"""Right calls of all that is public, recorded while the examples of docstrings run."""

import contextlib
import doctest
import functools
import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import keras

from keras_gen.core import GenerativeModel

ROOMS = (
    "losses",
    "losses.adversarial",
    "losses.likelihoods",
    "losses.penalties",
    "layers",
    "metrics",
    "data",
    "core.schedules",
    "diffusion",
    "networks",
    "robustness",
)
MOST_STEPS = 2  # of trainings inside a function
# Sizes in place of those of an example whose many calls would take seconds.
SMALLER: dict[str, dict] = {
    "data.offline_voices": dict(samples=1024),
    "metrics.importance_weighted_nll": dict(samples=60),
    "metrics.latent_grid": dict(side=12),
}


class RightCall(NamedTuple):
    """A call that an example makes.

    Attributes:
        name: Name with the room, such as "losses.Hinge.generator".
        function: What is called: a function, class, layer, or method bound to its object.
        arguments: Its arguments.
    """

    name: str
    function: Any
    arguments: inspect.BoundArguments


def public() -> dict[str, Any]:
    """All functions and classes of the rooms that are not models, by their names with the room."""
    found = {}
    for room in ROOMS:
        module = importlib.import_module(f"keras_gen.{room}")
        for name, value in vars(module).items():
            defined = getattr(value, "__module__", "")
            own = defined.startswith(f"keras_gen.{room.partition('.')[0]}.")
            if "." in room:  # what it imports is another room's
                own = defined == module.__name__
            if own and callable(value) and not name.startswith("_") and not _is_base(value):
                found[f"{room}.{name}"] = value
    return found


def _is_base(value) -> bool:
    """Whether a class is a model, an error, a record, or what others inherit from."""
    if not inspect.isclass(value):
        return False
    bases = (GenerativeModel, Exception, tuple)
    return issubclass(value, bases) or not example(value)


def example(value) -> str:
    """The code of a docstring's example, or nothing."""
    text = inspect.getdoc(value) if value.__doc__ else ""
    if ">>>" in (text or ""):
        return "".join(part.source for part in doctest.DocTestParser().get_examples(text))
    blocks = re.findall(r"```python\n(.*?)```|Example: `([^`]*)`", text or "", re.DOTALL)
    return "\n".join(block or line for block, line in blocks)


def recorded(name: str, value, names: dict) -> list[RightCall]:
    """Runs the example of a function or class: the first call of it, and of each method.

    Args:
        name: The name, as `public` has it.
        value: The function or class.
        names: What further names in the example stand for.
    """
    calls: dict[str, RightCall] = {}
    room, _, short = name.rpartition(".")
    module = importlib.import_module(f"keras_gen.{room}")
    record = _Recorder(name, value, calls)
    inside: list[str] = []
    space = {**vars(module), **names, short: record, "__name__": "example"}
    with contextlib.ExitStack() as stack:
        if inspect.isclass(value):
            for method in _methods(value):
                plain = inspect.getattr_static(value, method)
                spy = _spy(f"{name}.{method}", plain, calls, inside)
                stack.enter_context(mock.patch.object(value, method, spy))
        exec(compile(example(value), name, "exec"), space)
    return list(calls.values())


class _Recorder:
    """Stands for a function or class in its example."""

    def __init__(self, name: str, value: Callable, calls: dict):
        self._name, self._value, self._calls = name, value, calls
        functools.update_wrapper(self, value, updated=())

    def __call__(self, *args, **kwargs):
        signature = inspect.signature(self._value)
        for name, parameter in signature.parameters.items():
            trains = self._name.startswith("metrics.") and name in ("steps", "epochs")
            if trains and isinstance(parameter.default, int):
                kwargs[name] = min(kwargs.get(name, parameter.default), MOST_STEPS)
        arguments = signature.bind(*args, **kwargs)
        arguments.arguments |= SMALLER.get(self._name, {})
        self._calls.setdefault(self._name, RightCall(self._name, self._value, arguments))
        return self._value(*arguments.args, **arguments.kwargs)

    def __getattr__(self, attribute):
        return getattr(self._value, attribute)

    def __mro_entries__(self, bases):
        return (self._value,)


def _methods(cls: type) -> list[str]:
    """Methods of our own that users call; of a layer, the call alone."""
    if issubclass(cls, keras.Layer):
        return ["__call__"]
    if cls.__module__.startswith("keras_gen.diffusion."):
        return []  # which are given tensors by models
    return [
        name
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if name == "__call__"
        or (not name.startswith("_") and method.__module__.startswith("keras_gen."))
    ]


def _spy(label: str, plain: Callable, calls: dict, inside: list[str]) -> Callable:
    """A method that notes its first call, unless another method makes it."""

    @functools.wraps(plain)
    def called(self, *args, **kwargs):
        if inside:
            return plain(self, *args, **kwargs)
        layer = isinstance(self, keras.Layer) and label.endswith("__call__")
        function = self if layer else functools.partial(plain, self)
        signature = inspect.signature(self.call if layer else function)
        calls.setdefault(label, RightCall(label, function, signature.bind(*args, **kwargs)))
        inside.append(label)
        try:
            return plain(self, *args, **kwargs)
        finally:
            inside.pop()

    return called
