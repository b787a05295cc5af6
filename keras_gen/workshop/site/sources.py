"""The public names of the library and their code, read as text by Griffe."""

import ast
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import griffe

PACKAGE = "keras_gen"
# Rooms that serve the command line and this site.
NO_LIBRARY = {"workshop.cli", "workshop.site"}


@dataclasses.dataclass(frozen=True)
class Definition:
    """A public class, function or constant, and where it is defined.

    Attributes:
        node: What Griffe reads.
        path: Its file, from the repository's root.
    """

    node: griffe.Object
    path: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    @property
    def module(self) -> str:
        """Its module in dots, `keras_gen.vae.vae`."""
        return self.node.module.path

    @property
    def docstring(self) -> str:
        """Its documentation; empty for a constant."""
        return "" if self.node.is_attribute else _docstring(self.node)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.docstring.partition("\n")[0]

    @property
    def bases(self) -> list[str]:
        """Names of the classes that it derives from."""
        return [str(base) for base in getattr(self.node, "bases", ())]

    def code(self, name: str) -> str:
        """The lines of a method of its own, with its decorators and without the indent."""
        return self._method(name).source

    def line_number(self, name: str) -> int:
        """The line of the file in which a method of its own begins, with its decorators."""
        return self._method(name).lineno or 0

    def _method(self, name: str) -> griffe.Object | griffe.Alias:
        if name not in self.node.members:
            raise ValueError(f"{self.path}: {self.name} has no method {name!r} of its own.")
        return self.node.members[name]


@functools.cache
def _modules(root: Path) -> dict[str, griffe.Module]:
    """All modules of the library by name, packages before what is in them."""

    def walk(module: griffe.Module) -> Iterator[griffe.Module]:
        yield module
        for member in sorted(module.members.values(), key=lambda member: member.name):
            if isinstance(member, griffe.Module):
                yield from walk(member)

    library = griffe.load(root / PACKAGE)
    assert isinstance(library, griffe.Module)
    return {module.path: module for module in walk(library)}


def models(root: Path) -> dict[str, list[str]]:
    """The public model classes by family, as `keras_gen/__init__.py` lists them."""
    listed = _modules(root)[PACKAGE].members["_MODELS"]
    families = ast.literal_eval(str(listed.value))  # type: ignore[union-attr]
    return {family: list(names) for family, names in families.items()}


def public(root: Path) -> dict[str, dict[str, Definition]]:
    """The public names of every room, `vae` -> `VAE` -> its definition.

    A room is a package below `keras_gen`. Its public names are those that its `__init__.py` imports
    from the library or defines, and where that has none, those of its modules. A name stands in the
    first room that has it.
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
    """The public definitions of a package, by name."""
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
    """What a module defines for users, and what it imports from the library for them."""
    kinds = griffe.Class | griffe.Function
    if imported:
        kinds |= griffe.Attribute
    names = {name for name, member in module.members.items() if isinstance(member, kinds)}
    if imported:
        names |= module.imports.keys()
    found = [find(root, module.path, name) for name in sorted(names) if name[0] != "_"]
    return [definition for definition in found if definition]


def find(root: Path, module: str, name: str) -> Definition | None:
    """Where a name of a module is defined; None if it is a module, or of another library."""
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
    """All classes of the library by name, public or not."""
    return {
        name: definition
        for module in _modules(root).values()
        for name, member in module.members.items()
        if isinstance(member, griffe.Class) and (definition := find(root, module.path, name))
    }


def described(root: Path, module: str) -> str:
    """The docstring of a module or package."""
    return _docstring(_modules(root)[module])


def _docstring(node: griffe.Object) -> str:
    return node.docstring.value if node.docstring else ""


def imported(path: Path) -> list[str]:
    """All names that a file imports from the library, in its order."""
    return [
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE)
        for alias in node.names
    ]
