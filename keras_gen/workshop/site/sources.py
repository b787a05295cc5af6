"""The public names of the library and their code, which Griffe reads as text."""

import ast
import functools
from pathlib import Path
from typing import Any

import griffe

PACKAGE = "keras_gen"
# Packages that are not part of the library: the command line and this site.
NO_LIBRARY = ("workshop.cli", "workshop.site")


@functools.cache
def _modules(root: Path) -> dict[str, griffe.Module]:
    """Returns all modules of the library by name; each package precedes its modules."""
    found: dict[str, griffe.Module] = {}
    waiting: list[Any] = [griffe.load(root / PACKAGE)]
    while waiting:
        module = waiting.pop()
        found[module.path] = module
        inner = _defined(module, griffe.Module)
        waiting += sorted(inner, key=lambda each: each.name, reverse=True)
    return found


def _defined(module: griffe.Module, kinds: Any) -> list[Any]:
    """Returns a module's definitions of the given types, without imported names."""
    return [member for member in module.members.values() if isinstance(member, kinds)]


def models(root: Path) -> dict[str, list[str]]:
    """Returns the public model classes by family, as listed in `keras_gen/__init__.py`."""
    families = ast.literal_eval(str(_modules(root)[PACKAGE]["_MODELS"].value))
    return {family: list(names) for family, names in families.items()}


def public(root: Path) -> dict[str, dict[str, griffe.Object]]:
    """Returns the definitions of every package's public names, by package and name.

    Only packages directly in `keras_gen` count. The public names of a package are the names that
    its `__init__.py` defines or imports from the library. If there are none, the package's public
    names are the public names of its modules. Each name is listed only in the first package that
    contains it.
    """
    found: dict[str, dict[str, griffe.Object]] = {}
    seen = set()
    packages = [module for module in _modules(root).values() if module.is_init_module]
    for package in sorted(packages, key=lambda package: (package.path.count("."), package.path)):
        room = package.path.removeprefix(PACKAGE).lstrip(".")
        if not room or room in NO_LIBRARY:
            continue
        for definition in _of_room(root, package):
            if definition.path not in seen:
                seen.add(definition.path)
                found.setdefault(room, {})[definition.name] = definition
    return found


def _of_room(root: Path, package: griffe.Module) -> list[griffe.Object]:
    """Returns the public definitions of a package."""
    names = sorted(package.members.keys() | package.imports.keys())
    shown = [find(root, package.path, name) for name in names if name[0] != "_"]
    found = [definition for definition in shown if definition]
    if not found:
        modules = [each for each in _defined(package, griffe.Module) if not each.is_init_module]
        kinds = griffe.Class | griffe.Function
        inner = [each for module in modules for each in _defined(module, kinds)]
        found = [definition for definition in inner if definition.name[0] != "_"]
    return sorted(found, key=lambda definition: definition.name.lower())


def find(root: Path, module: str, name: str) -> griffe.Object | None:
    """Finds the definition of a name; None if the name is a module or from another library."""
    there = _modules(root).get(module)
    if there is None:
        return None
    if name in there.imports:
        source, _, own = there.imports[name].rpartition(".")
        # A package may import one of its own modules.
        return None if source == module else find(root, source, own)
    found = there.members.get(name)
    return (
        found if isinstance(found, griffe.Class | griffe.Function | griffe.Attribute) else None
    )


def classes(root: Path) -> dict[str, griffe.Object]:
    """Returns all classes of the library by name, whether public or not."""
    modules = _modules(root).values()
    return {each.name: each for module in modules for each in _defined(module, griffe.Class)}


def path_of(node: griffe.Object) -> str:
    """Returns the file of a definition, relative to the repository's root."""
    return node.relative_package_filepath.as_posix()


def docstring_of(node: griffe.Object) -> str:
    """Returns the docstring of a definition, or an empty string for a constant."""
    return node.docstring.value if node.docstring and not node.is_attribute else ""


def summary_of(node: griffe.Object) -> str:
    """Returns the first line of a definition's docstring."""
    return docstring_of(node).partition("\n")[0]


def method_of(node: griffe.Object, name: str) -> griffe.Object | griffe.Alias:
    """Returns a method that a class defines, with the method's decorators."""
    if name not in node.members:
        raise ValueError(f"{path_of(node)}: {node.name} defines no method {name!r}.")
    return node.members[name]


def described(root: Path, module: str) -> str:
    """Returns the docstring of a module or package."""
    return docstring_of(_modules(root)[module])
