"""The public names of the library and their code, which Griffe reads as text."""

import ast
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import griffe

PACKAGE = "keras_gen"
# Packages for the command line and this site.
NO_LIBRARY = {"workshop.cli", "workshop.site"}


@dataclasses.dataclass(frozen=True)
class Definition:
    """A public class, function, or constant, and its location.

    Attributes:
        node: Griffe's object.
        path: Path of the file, relative to the repository's root.
    """

    node: griffe.Object
    path: str

    @property
    def name(self) -> str:
        """The name."""
        return self.node.name

    @property
    def module(self) -> str:
        """The dotted name of the module, such as `keras_gen.vae.vae`."""
        return self.node.module.path

    @property
    def docstring(self) -> str:
        """The docstring; empty for a constant."""
        return "" if self.node.is_attribute else _docstring(self.node)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.docstring.partition("\n")[0]

    @property
    def bases(self) -> list[str]:
        """Names of the base classes."""
        return [str(base) for base in getattr(self.node, "bases", ())]

    def code(self, name: str) -> str:
        """Returns the lines of a method defined in the class, with decorators, unindented."""
        return self._method(name).source

    def line_number(self, name: str) -> int:
        """Returns the number of the first line, or decorator, of a method defined in the class."""
        return self._method(name).lineno or 0

    def _method(self, name: str) -> griffe.Object | griffe.Alias:
        if name not in self.node.members:
            raise ValueError(f"{self.path}: {self.name} defines no method {name!r}.")
        return self.node.members[name]


@functools.cache
def _modules(root: Path) -> dict[str, griffe.Module]:
    """Returns all modules of the library by name, packages before their modules."""

    def walk(module: griffe.Module) -> Iterator[griffe.Module]:
        yield module
        for member in sorted(module.members.values(), key=lambda member: member.name):
            if isinstance(member, griffe.Module):
                yield from walk(member)

    library = griffe.load(root / PACKAGE)
    assert isinstance(library, griffe.Module)
    return {module.path: module for module in walk(library)}


def models(root: Path) -> dict[str, list[str]]:
    """Returns the public model classes by family, as listed in `keras_gen/__init__.py`."""
    listed = _modules(root)[PACKAGE].members["_MODELS"]
    families = ast.literal_eval(str(listed.value))  # type: ignore[union-attr]
    return {family: list(names) for family, names in families.items()}


def public(root: Path) -> dict[str, dict[str, Definition]]:
    """Returns the definitions of every package's public names, by package and name.

    Only packages directly in `keras_gen` count. The public names of a package are the names that
    its `__init__.py` defines or imports from the library; if there are none, they are the public
    names of its modules. Each name is listed only in the first package that contains it.
    """
    found: dict[str, dict[str, Definition]] = {}
    seen = set()
    packages = [module for module in _modules(root).values() if module.is_init_module]
    for package in sorted(packages, key=lambda package: (package.path.count("."), package.path)):
        room = package.path.removeprefix(PACKAGE).lstrip(".")
        if not room or room in NO_LIBRARY:
            continue
        for definition in _of_room(root, package):
            if definition.node.path not in seen:
                seen.add(definition.node.path)
                found.setdefault(room, {})[definition.name] = definition
    return found


def _of_room(root: Path, package: griffe.Module) -> list[Definition]:
    """Returns the public definitions of a package by name."""
    found = _public(root, package)
    if not found:
        found = [
            definition
            for module in package.members.values()
            if isinstance(module, griffe.Module) and not module.is_init_module
            for definition in _public(root, module, imported=False)
        ]
    return sorted(found, key=lambda definition: definition.name.lower())


def _public(root: Path, module: griffe.Module, imported: bool = True) -> list[Definition]:
    """Returns the names that a module defines, or imports from the library, for its users."""
    kinds = griffe.Class | griffe.Function
    if imported:
        kinds |= griffe.Attribute
    names = {name for name, member in module.members.items() if isinstance(member, kinds)}
    if imported:
        names |= module.imports.keys()
    found = [find(root, module.path, name) for name in sorted(names) if name[0] != "_"]
    return [definition for definition in found if definition]


def find(root: Path, module: str, name: str) -> Definition | None:
    """Finds the definition of a name, or None if it is a module or from another library."""
    there = _modules(root).get(module)
    if there is None:
        return None
    if name in there.imports:
        source, _, own = there.imports[name].rpartition(".")
        # A package may import one of its modules.
        return None if source == module else find(root, source, own)
    found = there.members.get(name)
    if not isinstance(found, griffe.Class | griffe.Function | griffe.Attribute):
        return None
    return Definition(found, Path(str(found.filepath)).relative_to(root).as_posix())


def classes(root: Path) -> dict[str, Definition]:
    """Returns all classes of the library by name, public or not."""
    return {
        name: definition
        for module in _modules(root).values()
        for name, member in module.members.items()
        if isinstance(member, griffe.Class) and (definition := find(root, module.path, name))
    }


def described(root: Path, module: str) -> str:
    """Returns the docstring of a module or package."""
    return _docstring(_modules(root)[module])


def _docstring(node: griffe.Object) -> str:
    return node.docstring.value if node.docstring else ""


def imported(path: Path) -> list[str]:
    """Returns all names that a file imports from the library, in order."""
    return [
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE)
        for alias in node.names
    ]
