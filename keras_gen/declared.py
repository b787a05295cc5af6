"""Constructor arguments that a class declares as annotated fields.

```python
class Smoothing(Declared):
    width: Count = 3
    window: Named[Window] = made_by(windows.get, default="hann")
```

The annotation describes the allowed values; an `Annotated` type includes the check. The constructor
checks every argument, stores it under its name, and calls `set_up` for any additional setup.
Required arguments come first, starting with networks, and optional arguments follow. Within each
group, the arguments of base classes come first. An argument that a subclass declares again keeps
its inherited position, unless it is declared with `later`. If a subclass declares an argument as
`fixed`, its constructor does not accept this argument.
"""

import copy
import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeVar,
    dataclass_transform,
)

import keras
import numpy as np

from keras_gen.arguments import (
    MOST_STEPS,
    checked_integer,
    checked_list,
    checked_number,
    checked_positive,
    checked_size,
    shown,
)
from keras_gen.checked_arguments import checked_by_type
from keras_gen.messages import nearest

T = TypeVar("T")
Check = Callable[[str, Any], Any]  # maps the name and the value to the value to store
REQUIRED = dataclasses.MISSING

Count = Annotated[int, checked_size]
"""An integer from 1 to 2**20."""
PositiveInteger = Annotated[int, functools.partial(checked_integer, minimum=1)]
"""An integer of at least 1."""
Steps = Annotated[int, functools.partial(checked_integer, minimum=1, maximum=MOST_STEPS)]
"""An integer from 1 to 10,000, such as the number of steps in a loop that runs within one call."""
Examples = Annotated[int, functools.partial(checked_integer, minimum=1, maximum=2**26)]
"""An integer from 1 to 67,108,864, such as the size of a training set."""
CountFrom0 = Annotated[int, functools.partial(checked_size, minimum=0)]
"""An integer from 0 to 2**20."""
Positive = Annotated[float, checked_positive]
"""A finite number above 0."""
NonNegative = Annotated[float, functools.partial(checked_number, minimum=0)]
"""A finite number of at least 0."""
Fraction = Annotated[float, functools.partial(checked_number, minimum=0, maximum=1)]
"""A number from 0 to 1."""


class Named(Generic[T]):
    """Annotation for an attribute of type `T` that can also be set by name; see `made_by`."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: type) -> T: ...
        def __set__(self, instance: object, value: T | str | Mapping[str, Any]) -> None: ...


def argument(
    *,
    check: Check | None = None,
    default: Any = REQUIRED,
    kw_only: bool = False,
    later: bool = False,
) -> Any:
    """Declares an argument with its own check.

    Args:
        check: Function that maps the argument's name and value to the value to store. If None, the
            annotation's check is used.
        default: Default value.
        kw_only: Whether an argument with a default can be passed only by name. Also pass True for
            an argument without a default that follows an argument with a default, because type
            checkers require this setting.
        later: Whether to move an argument that a base class also declares. The argument moves from
            its inherited position to its position among the subclass's own arguments.
    """
    metadata: dict[str, Any] = {"later": later}
    if check is not None:
        metadata["check"] = check
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


def made_by(get: Callable[[Any], Any], *, default: Any = REQUIRED, **options: Any) -> Any:
    """Declares an argument that `get` creates from a name, a saved config, or an object.

    For the options, see `argument`.
    """
    return argument(check=lambda name, value: get(value), default=default, **options)


def fixed(value: Any, *, init: Literal[False] = False) -> Any:
    """Fixes the value of a base class's argument, so that the subclass no longer accepts it."""
    return dataclasses.field(default=value, init=init)


def network(
    shapes: str = "", *, default: Any = REQUIRED, kw_only: bool = False, later: bool = False
) -> Any:
    """Declares a built network by its inputs and outputs, such as `"x -> z z"`.

    Args:
        shapes: String that consists of the names of inputs, an arrow, and the names of outputs.
            Tensors with the same name have the same shape in all networks of the class. `logits`
            and names such as `class_logits` are outputs of any shape without an activation; `...`
            stands for any number of additional tensors of any shape.
        default: Default value; None for an optional network.
        kw_only: See `argument`.
        later: See `argument`.
    """
    metadata = {"check": built, "shapes": shapes, "later": later}
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


def networks(*, default: Any = REQUIRED, kw_only: bool = False, later: bool = False) -> Any:
    """Declares a list of built networks."""

    def check(name, value):
        return [built(name, each) for each in checked_list(name, value)]

    metadata = {"check": check, "shapes": "", "later": later}
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


def built(name: str, value: Any) -> keras.Model:
    """Returns a network if it is built; otherwise raises an error.

    Raises:
        TypeError: If the value is not a network.
        ValueError: If the network is not built.
    """
    if not isinstance(value, keras.Layer):
        raise TypeError(
            f"{name} is {shown(value)}: expected a built keras.Model. To build the usual "
            "networks, "
            "use for_images, for_vectors, or a similar class method."
        )
    if not value.built:
        raise ValueError(
            f"The network '{value.name}' has no weights yet: expected a built network. Build "
            "it with a keras.Input."
        )
    return value


def fields_of(cls: type) -> dict[str, dataclasses.Field]:
    """Returns the arguments that a class and its bases declare, in the constructor's order."""
    found: dict[str, dataclasses.Field] = {}
    for each in reversed(cls.__mro__):
        own = vars(each).get("__dataclass_fields__", {})
        for name in _own(each):
            if own[name].metadata.get("later"):
                found.pop(name, None)
            found[name] = own[name]
    fields = [field for field in found.values() if field.init]

    def order(field):
        if field.default is not REQUIRED:
            return 2
        return 0 if "shapes" in field.metadata else 1

    return {field.name: field for field in sorted(fields, key=order)}


def named_parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Returns the named parameters of a class's constructor, without `self`."""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = parameters_of(cls.__init__)  # type: ignore[misc]
    return {each.name: each for each in parameters if each.kind not in several}


def parameters_of(method: Callable) -> list[inspect.Parameter]:
    """Returns the parameters of a constructor or another method, without `self` or `cls`."""
    return [*inspect.signature(method).parameters.values()][1:]


def names_by_place(cls: type) -> list[str]:
    """Returns the names of positional arguments; `*args` stands for the next base's arguments."""
    names: list[str] = []
    for each in cls.__mro__:
        if "__init__" in vars(each):
            parameters = parameters_of(vars(each)["__init__"])
            several = [p for p in parameters if p.kind is p.VAR_POSITIONAL]
            names += [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
            if not several:
                break
    return names


def accepts(cls: type, name: str) -> bool:
    """Returns whether a class's constructor accepts an argument by name."""
    parameters = parameters_of(cls.__init__)  # type: ignore[misc]
    return any(each.name == name or each.kind is each.VAR_KEYWORD for each in parameters)


def required_networks(cls: type) -> dict[str, str]:
    """Returns a dict that maps the names of required networks to their `shapes`; see `network`."""
    fields = fields_of(cls).items()
    required = {name: field for name, field in fields if field.default is REQUIRED}
    return {n: f.metadata["shapes"] for n, f in required.items() if "shapes" in f.metadata}


def _own(cls: type) -> list[str]:
    """Returns the names of the fields that a class itself declares."""
    if "__dataclass_fields__" not in vars(cls):
        return []
    fields = {field.name for field in dataclasses.fields(cls)}
    return [name for name in inspect.get_annotations(cls) if name in fields]


def declare(
    cls: type,
    frozen: bool = False,
    last: Mapping[str, Any] = types.MappingProxyType({}),
    finish: Callable[[Any], None] | None = None,
    reserved: Collection[str] = (),
) -> None:
    """Adds a constructor to a class that declares fields, unless the class defines one.

    Args:
        cls: Class whose annotated attributes are fields, except for `ClassVar`.
        frozen: Whether attributes are read-only, and whether objects with equal attributes compare
            as equal.
        last: Dict that maps the constructor arguments of the common base of all classes with fields
            to the arguments' defaults.
        finish: Function called with an object after its arguments have been checked, to complete
            its setup. If None, `set_up` is called.
        reserved: Names that no argument may have, in addition to the methods and properties of
            bases.

    Raises:
        TypeError: If `cls` declares fields although a base class that inherits fields defines its
            own constructor, if a base's constructor would never run, if a name is reserved, if a
            default has the wrong type, or if an attribute without an annotation has the name of an
            argument.
        ValueError: If a default is out of range.
    """
    _refuse_unreached(cls, Declared if frozen else keras.Layer)
    annotations = inspect.get_annotations(cls, eval_str=True)
    for name in fields_of(cls).keys() & vars(cls).keys() - annotations.keys():
        raise TypeError(
            f"{cls.__name__}.{name} is {shown(vars(cls)[name])}, but {name} is an argument of its "
            "base class: annotate the argument as the base class does. To fix its value, also "
            "assign fixed(...)."
        )
    inherited = {*getattr(cls, "__dataclass_fields__", ())}
    dataclasses.dataclass(init=False, eq=False, repr=frozen, frozen=frozen)(cls)
    for name in _own(cls):
        there = [getattr(base, name, None) for base in cls.__bases__]
        taken = any(inspect.isroutine(one) or inspect.isdatadescriptor(one) for one in there)
        if name in ("self", "kwargs", *reserved) or (taken and name not in inherited):
            raise TypeError(
                f"{cls.__name__} declares {name}, a name that its base class uses: choose "
                "another name."
            )
        field = vars(cls)["__dataclass_fields__"][name]
        field.type = annotations[name]
        if field.default_factory is not REQUIRED:
            # The default is shown in the signature; every object gets its own copy.
            field.default = field.default_factory()
        given = field.default is not REQUIRED and field.default is not None
        if given and "check" not in field.metadata:
            checked_by_type(name, field.type, field.default)
        if field.init and name in vars(cls):
            delattr(cls, name)  # every object gets its own copy
    declaring = [each for each in cls.__mro__ if _own(each)]
    if "__init__" in vars(cls) or not (declaring or frozen):
        return
    base = next(each for each in cls.__mro__[1:] if "__init__" in vars(each))
    written = not hasattr(vars(base)["__init__"], "fields")
    if written and declaring and cls.__mro__.index(base) < cls.__mro__.index(declaring[-1]):
        if _own(cls):
            raise TypeError(
                f"{cls.__name__} declares {', '.join(_own(cls))}, but its base class "
                f"{base.__name__} defines __init__: also declare the arguments of the base class."
            )
        return
    constructor = _constructor(cls, declaring[-1] if declaring else cls, frozen, last, finish)
    type.__setattr__(cls, "__init__", constructor)


def _refuse_unreached(cls: type, last: type) -> None:
    """Raises a TypeError if a base after `last` has a constructor, which would never be called."""
    for base in cls.__mro__[cls.__mro__.index(last) :]:
        own = "__init__" in vars(base) and not getattr(base, "_is_protocol", False)
        if own and not issubclass(last, base):
            raise TypeError(
                f"{cls.__name__} has the base class {base.__name__} last, so the base class's "
                f"__init__ would never run: expected {base.__name__} first. Write class "
                f"{cls.__name__}({base.__name__}, ...)."
            )


def _constructor(cls, first, frozen, last, finish):
    """Returns the constructor of a class; `first` is the common base of all classes with fields."""
    fields = fields_of(cls)
    signature = _signature(fields, frozen, last)
    put = object.__setattr__ if frozen else setattr

    def __init__(self, *args, **kwargs):  # noqa: N807
        values, others = _bound(cls, signature, args, kwargs)
        if not frozen:
            super(first, self).__init__(**{name: values[name] for name in last}, **others)
        for name, field in fields.items():
            value = values[name]
            if value is field.default and field.default_factory is not REQUIRED:
                value = field.default_factory()
            put(self, name, checked(field, value))
        if finish is None:
            self.set_up()
        else:
            finish(self)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    __init__.__module__ = cls.__module__
    __init__.__signature__ = signature
    __init__.fields = fields
    return __init__


def checked(field: dataclasses.Field, value: Any) -> Any:
    """Returns the value to store for an argument."""
    if value is None and field.default is not None and not _may_be_none(field.type):
        raise TypeError(f"{field.name} is None: expected a value.")
    check = field.metadata.get("check")
    if value is not None and check is not None:
        return check(field.name, value)
    return value if check else checked_by_type(field.name, field.type, value)


def _may_be_none(kind) -> bool:
    return kind in (None, Any) or any(
        map(_may_be_none, map(_without_none, typing.get_args(kind)))
    )


def _without_none(kind):
    return None if kind is type(None) else kind


def _signature(fields, frozen, last) -> inspect.Signature:
    usual = inspect.Parameter.POSITIONAL_OR_KEYWORD
    named = inspect.Parameter.KEYWORD_ONLY

    def parameter(field):
        optional = field.default is not REQUIRED
        default = field.default if optional else inspect.Parameter.empty
        kind = named if field.kw_only and optional else usual
        return inspect.Parameter(
            field.name, kind, default=default, annotation=_plain(field.type)
        )

    parameters = [inspect.Parameter("self", usual), *map(parameter, fields.values())]
    for name, default in last.items():
        annotation = type(default)
        parameters.append(inspect.Parameter(name, usual, default=default, annotation=annotation))
    parameters.sort(key=lambda each: each.kind)
    if not frozen:
        parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters)


def _plain(kind) -> Any:
    """Returns an annotation as shown in the signature, without its checks."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return parts[0]
    if origin is Named:
        return parts[0] | str
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(lambda a, b: a | b, map(_plain, parts))
    return kind


def _bound(cls, signature: inspect.Signature, args, kwargs) -> tuple[dict, dict]:
    """Returns the arguments' values, including defaults, and a dict of additional arguments."""
    _, *parameters = signature.parameters.values()
    names = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    unknown = [name for name in kwargs if name not in names]
    for name in unknown:
        field = cls.__dataclass_fields__.get(name)
        if field is not None:  # the argument is `fixed`
            raise TypeError(
                f"{cls.__name__} does not accept {name}, which is always "
                f"{shown(field.default)}: leave it out."
            )
        likely = nearest(name, names)
        if likely != "." or len(names) == len(parameters):
            expected = f": expected {', '.join(names) or 'no arguments'}."
            raise TypeError(f"{cls.__name__} got {name}{expected if likely == '.' else likely}")
    needed = [each.name for each in parameters if each.default is each.empty][: len(names)]
    missing = [name for name in needed[len(args) :] if name in names and name not in kwargs]
    if missing:
        raise TypeError(
            f"{cls.__name__} lacks {', '.join(missing)}: add {missing[0]}=... to the arguments."
        )
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"{cls.__name__}: {error}. Expected the arguments {', '.join(names)}."
        ) from None
    bound.apply_defaults()
    values = dict(bound.arguments)
    return values, values.pop("kwargs", {})


@dataclass_transform(
    frozen_default=True, field_specifiers=(argument, fixed, made_by, network, networks)
)
class Declared:
    """Base class for immutable objects with declared arguments. Objects are compared by value."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        declare(cls, frozen=True)

    def __eq__(self, other):
        return (
            _comparable(self) == _comparable(other)
            if type(other) is type(self)
            else NotImplemented
        )

    def __hash__(self):
        return hash(_comparable(self))

    def set_up(self) -> None:
        """Checks combinations of arguments. Define derived attributes as properties."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return _saved(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]):
        """Returns an object created from the arguments that `get_config` returned."""
        return cls(**{name: _loaded(value) for name, value in config.items()})


@dataclass_transform(field_specifiers=(argument, fixed, made_by, network, networks))
class DeclaredLayer(keras.layers.Layer):
    """Base class for layers with declared arguments, which `get_config` returns.

    `options` contains arguments for the base layer, such as `autocast`, which have the same values
    in all layers of the class.
    """

    options: ClassVar[dict[str, Any]] = {}

    if TYPE_CHECKING:  # every layer accepts these keyword arguments
        name: str = argument(default="", kw_only=True)
        dtype: Any = argument(default=None, kw_only=True)
        trainable: bool = argument(default=True, kw_only=True)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        declare(cls, reserved=("name", "dtype", *dir(DeclaredLayer)))

    def __init__(self, **kwargs):
        super().__init__(**kwargs | self.options)

    def set_up(self) -> None:
        """Checks combinations of arguments, and creates weights that need no input shape."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config = super().get_config() | _saved(self)
        return {name: value for name, value in config.items() if accepts(type(self), name)}

    @classmethod
    def from_config(cls, config: dict[str, Any]):
        """Returns a layer created from the arguments that `get_config` returned."""
        return cls(**{name: _loaded(value) for name, value in config.items()})


def _comparable(value) -> Any:
    """Returns a value that can be compared and hashed, with arrays replaced by their numbers."""
    if isinstance(value, Declared):
        arguments = (getattr(value, name) for name in fields_of(type(value)))
        return (type(value), *map(_comparable, arguments))
    if isinstance(value, Mapping):
        return frozenset((key, _comparable(each)) for key, each in value.items())
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        return (array.shape, *array.ravel().tolist()) if array.ndim else array.item()
    return tuple(map(_comparable, value)) if isinstance(value, list | tuple) else value


def _saved(self) -> dict[str, Any]:
    """Returns the arguments of an object in the format in which Keras saves them."""
    values = {name: getattr(self, name) for name in fields_of(type(self))}
    serialize = keras.saving.serialize_keras_object
    saved = {n: v for n, v in values.items() if hasattr(v, "get_config") or callable(v)}
    return values | {name: serialize(value) for name, value in saved.items()}


def _loaded(value) -> Any:
    saved = isinstance(value, Mapping) and "class_name" in value
    # Keras empties the dict that it reads.
    return keras.saving.deserialize_keras_object(copy.deepcopy(value)) if saved else value
