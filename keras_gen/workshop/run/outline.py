"""Reads a recipe's flags from its file, and handles --help and bad flags before slow imports."""

import ast
import dataclasses
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_gen.workshop.run.flags import RunSettings, check


@dataclasses.dataclass(frozen=True, eq=False)
class Outline:
    """The parts of a recipe that define its command line: docstring, dataclass, and presets."""

    description: str
    settings: type[RunSettings]
    presets: dict[str, dict]


def read_outline(path: Path) -> Outline | None:
    """Returns the outline of a recipe, or None if the file does not end with a `run_recipe` call.

    Only the statements that the recipe's settings and presets need are executed.

    Args:
        path: Python file.

    Raises:
        OSError: If the file cannot be read.
        SyntaxError: If the file is not valid Python.

    Example:
        >>> read_outline(Path("recipes/vae_mnist.py")).presets["smoke"]["latent_dim"]
        8
    """
    tree = ast.parse(path.read_bytes(), str(path))
    arguments = _arguments_of_run_recipe(tree.body)
    if arguments is None:
        return None
    _, settings, presets = arguments
    module = types.ModuleType(f"keras_gen_outline_{path.stem}")
    module.__file__ = str(path)
    # Dataclasses and the help of flags look here for the source.
    sys.modules[module.__name__] = module
    needed = ast.Module(_needed(tree.body, [settings, presets]), [])
    exec(compile(needed, str(path), "exec"), vars(module))
    description = ast.get_docstring(tree) or ""
    return Outline(description, vars(module)[settings], vars(module)[presets])


def answer(path: Path, argv: Sequence[str] | None = None) -> None:
    """Prints a recipe's help or refuses an invalid flag, and ends the process; else does nothing.

    Args:
        path: File of a recipe. Other programs are ignored.
        argv: Command-line flags. If None, the flags of the process.
    """
    outline = read_outline(path)
    if outline is not None:
        check(outline.settings, outline.presets, outline.description, argv)


def answer_program() -> None:
    """Calls `answer` if the running program is a recipe that imports this module."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    if _importer() != "__main__" or file is None or not Path(file).is_file():
        return  # a module, a notebook, or a program in an archive
    try:
        answer(Path(file))
    except (OSError, SyntaxError, ValueError):
        # Not a Python file, such as a launcher on another operating system. `run_recipe`
        # explains
        # in one sentence why the file given by --config cannot be used.
        return


def _importer() -> str:
    """Name of the nearest caller outside this library and Python's import system."""
    frame = sys._getframe()
    own = ("keras_gen.", "importlib.", "_frozen_importlib")
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(own):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))


def _arguments_of_run_recipe(body: list[ast.stmt]) -> list[str] | None:
    """The names of the arguments in the call that is the file's last statement."""
    calls = [node for node in ast.walk(body[-1]) if isinstance(node, ast.Call)] if body else []
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == "run_recipe":
            names = [node.id for node in call.args if isinstance(node, ast.Name)]
            return names if len(names) == 3 else None
    return None


def _needed(body: list[ast.stmt], names: list[str]) -> list[ast.stmt]:
    """The statements that bind the names, and the names these depend on, in file order."""
    asked = set(names)
    found: set[str] = set()
    while asked - found:
        name = (asked - found).pop()
        found.add(name)
        for node in body:
            if name in _bound(node):
                asked |= _read(node)
    return [kept for node in body if (kept := _only(node, found)) is not None]


def _read(node: ast.stmt) -> set[str]:
    """The names that a statement reads, such as types and defaults, but not names of fields."""
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (_name(alias) for alias in node.names)
    elif isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _only(node: ast.stmt, names: set[str]) -> ast.stmt | None:
    """A statement that binds one of the names; an import is reduced to these names."""
    if names.isdisjoint(_bound(node)):
        return None
    if isinstance(node, ast.ImportFrom):
        kept = [alias for alias in node.names if _name(alias) in names]
        shorter: Any = ast.ImportFrom(node.module, kept, node.level)
        return ast.copy_location(shorter, node)
    return node


def _name(alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]
