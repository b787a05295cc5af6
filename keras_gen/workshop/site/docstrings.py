"""Docstrings and constructors as they are shown on the pages of the site."""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable

import griffe

from keras_gen.declared import parameters_of
from keras_gen.workshop.site.sources import PACKAGE


class Examples(griffe.Extension):
    """Shows the Python sessions of `Example:` sections (lines that begin with `>>>`) as code."""

    def on_object(self, *, obj: griffe.Object, **kwargs) -> None:
        """Renames `Example:` in an object's docstring, because only the plural name marks code."""
        if obj.docstring:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^Example:(?=\n +>>>)", "Examples:", text, flags=re.M)


class Declarations(griffe.Extension):
    """Shows a class's methods, and the constructor that it derives from its declared fields.

    The methods include functions that are defined in other modules and assigned in the class, as in
    `sample = sample`.
    """

    def on_class_members(self, *, cls: griffe.Class, **kwargs) -> None:
        """Adds the members of a class that are defined only at run time."""
        outside = not cls.path.startswith(f"{PACKAGE}.") or f"{PACKAGE}.workshop" in cls.path
        if outside or not cls.bases or not cls.docstring:
            return
        known = getattr(importlib.import_module(cls.module.path), cls.name)
        for name, value in vars(known).items():
            function = getattr(value, "__func__", value)
            if inspect.isfunction(function) and name in cls.attributes and function.__doc__:
                cls.set_member(name, _method(name, function))
        constructor = vars(known).get("__init__")
        if "__init__" in cls.members or not hasattr(constructor, "fields"):
            return
        parameters = map(_parameter, constructor.__signature__.parameters.values())
        made = griffe.Function("__init__", parameters=griffe.Parameters(*parameters))
        cls.set_member("__init__", made)
        for field in dataclasses.fields(known):
            cls.members.pop(field.name, None)  # the field is either a parameter or fixed


def _method(name: str, function: Callable) -> griffe.Function:
    parameters = map(_parameter, parameters_of(function))
    text = griffe.Docstring(inspect.getdoc(function) or "")
    return griffe.Function(name, parameters=griffe.Parameters(*parameters), docstring=text)


def _parameter(each: inspect.Parameter) -> griffe.Parameter:
    annotation = default = None
    if each.annotation is not each.empty:
        annotation = each.annotation
        if not isinstance(annotation, str):
            annotation = inspect.formatannotation(annotation)
        annotation = re.sub(r"[\w.]+\.(?=\w)", "", annotation)
        annotation = re.sub(r"\bModel\b", "keras.Model", annotation)
    if each.default is not each.empty:
        default = repr(each.default)
    kind = griffe.ParameterKind[each.kind.name.lower()]
    return griffe.Parameter(each.name, annotation=annotation, kind=kind, default=default)
