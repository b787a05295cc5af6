"""The public names of the library and their code, read as text."""

import ast
import dataclasses
import functools
import textwrap
from pathlib import Path

PACKAGE = "keras_gen"
# Rooms that serve the command line and this site.
NO_LIBRARY = {"workshop.cli", "workshop.site"}
Node = ast.ClassDef | ast.FunctionDef | ast.Assign | ast.AnnAssign


@dataclasses.dataclass(frozen=True)
class Definition:
    """A public class, function or constant, and where it is defined.

    Attributes:
        name: Its name.
        module: Its module in dots, `keras_gen.vae.vae`.
        path: Its file, from the repository's root.
        node: What Python reads.
        docstring: Its documentation; empty for a constant.
        text: The whole file.
    """

    name: str
    module: str
    path: str
    node: Node
    docstring: str
    text: str

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.docstring.partition("\n")[0]

    @property
    def bases(self) -> list[str]:
        """Names of the classes that it derives from."""
        return [ast.unparse(base) for base in getattr(self.node, "bases", [])]

    def method(self, name: str) -> ast.FunctionDef | None:
        """The method of this name that the class itself has."""
        for node in getattr(self.node, "body", []):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        return None

    def code(self, name: str) -> str:
        """The lines of a method of its own, without the indent."""
        node = self.method(name)
        if node is None:
            raise ValueError(f"{self.path}: {self.name} has no method {name!r} of its own.")
        lines = self.text.splitlines()[self.line_number(name) - 1 : node.end_lineno]
        return textwrap.dedent("\n".join(lines))

    def line_number(self, name: str) -> int:
        """The line of the file in which a method of its own begins, with its decorators."""
        node = self.method(name)
        decorators = [each.lineno for each in node.decorator_list] if node else []
        return min([node.lineno, *decorators]) if node else 0


def models(root: Path) -> dict[str, list[str]]:
    """The public model classes by family, as `keras_gen/__init__.py` lists them."""
    tree = ast.parse((root / PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_MODELS":
            return {
                family: list(names) for family, names in ast.literal_eval(node.value).items()
            }
    raise ValueError(f"{root / PACKAGE / '__init__.py'} lists no models: expected _MODELS.")


def public(root: Path) -> dict[str, dict[str, Definition]]:
    """The public names of every room, `vae` -> `VAE` -> its definition.

    A room is a package below `keras_gen`. Its public names are those that its `__init__.py` imports
    from the library or defines, and where that has none, those of its modules. A name stands in the
    first room that has it.
    """
    found: dict[str, dict[str, Definition]] = {}
    seen = set()
    for file in sorted((root / PACKAGE).rglob("__init__.py"), key=lambda f: (len(f.parts), f)):
        room = ".".join(file.parent.relative_to(root / PACKAGE).parts)
        if not room or room in NO_LIBRARY:
            continue
        for definition in _of_room(root, file.parent):
            if (definition.module, definition.name) not in seen:
                seen.add((definition.module, definition.name))
                found.setdefault(room, {})[definition.name] = definition
    return found


def _of_room(root: Path, folder: Path) -> list[Definition]:
    """The public definitions of a package, by name."""
    room = ".".join(folder.relative_to(root).parts)
    found = [find(root, room, name) for name in _names(root, room)]
    if not found:
        modules = [f"{room}.{file.stem}" for file in folder.glob("[!_]*.py")]
        found = [find(root, module, name) for module in modules for name in _own(root, module)]
    return sorted(filter(None, found), key=lambda definition: definition.name.lower())


def find(root: Path, module: str, name: str) -> Definition | None:
    """Where a name of a module is defined; None if it is a module, or of another library."""
    path = _file(root, module)
    if path is None:
        return None
    text, tree = _read(path)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    itself = node.module == module  # a package imports one of its modules
                    return None if itself else find(root, node.module or "", alias.name)
        if isinstance(node, Node) and name in _defined(node):
            docstring = ""
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                docstring = ast.get_docstring(node) or ""
            relative = path.relative_to(root).as_posix()
            return Definition(name, module, relative, node, docstring, text)
    return None


def classes(root: Path) -> dict[str, Definition]:
    """All classes of the library by name, public or not."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for node in _read(path)[1].body:
            if isinstance(node, ast.ClassDef):
                definition = find(root, module, node.name)
                if definition:
                    found[node.name] = definition
    return found


def described(root: Path, module: str) -> str:
    """The docstring of a module or package."""
    path = _file(root, module)
    return (ast.get_docstring(_read(path)[1]) or "") if path else ""


def imported(path: Path) -> list[str]:
    """All names that a file imports from the library, in its order."""
    _, tree = _read(path)
    return [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE)
        for alias in node.names
    ]


def _own(root: Path, module: str) -> list[str]:
    """The names of the public classes and functions that a module defines."""
    path = _file(root, module)
    body = _read(path)[1].body if path else []
    kinds = ast.ClassDef | ast.FunctionDef
    return [n.name for n in body if isinstance(n, kinds) and not n.name.startswith("_")]


def _names(root: Path, module: str) -> list[str]:
    """The public names of a package, in alphabetical order."""
    path = _file(root, module)
    names = set()
    for node in _read(path)[1].body if path else ():
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            names |= {alias.asname or alias.name for alias in node.names}
        if isinstance(node, Node):
            names |= set(_defined(node))
    return sorted(name for name in names if not name.startswith("_"))


def _defined(node: Node) -> list[str]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    return [node.name]


def _file(root: Path, module: str) -> Path | None:
    place = root.joinpath(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


@functools.cache
def _read(path: Path) -> tuple[str, ast.Module]:
    text = path.read_text(encoding="utf-8")
    return text, ast.parse(text)
