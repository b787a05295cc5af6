"""Reads a recipe's flags from its file; handles --help and errors before slow imports."""

import ast
import contextlib
import dataclasses
import sys
import types
from collections.abc import Sequence
from pathlib import Path

from keras_gen.workshop.run.flags import RunSettings, ShortStepSettings, check

# Packages whose import takes almost no time.
QUICK = {*sys.stdlib_module_names, "simple_parsing"}
DEFINITIONS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.ClassDef, ast.FunctionDef)


@dataclasses.dataclass(frozen=True, eq=False)
class Outline:
    """The docstring, the dataclass, and the presets of a recipe, which define its command line."""

    description: str
    settings: type[RunSettings]
    presets: dict[str, dict]


def read_outline(path: Path) -> Outline | None:
    """Returns the outline of a recipe, or None if the file is not a recipe.

    A recipe ends with a call to `run_recipe`, and its settings and presets do not require slow
    imports. Definitions that use packages outside of `QUICK` are not executed.

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
    vars(module).update(RunSettings=RunSettings, ShortStepSettings=ShortStepSettings)
    # The module is registered, because dataclasses and the code that reads the flags' help texts
    # look up the source in `sys.modules`.
    sys.modules[module.__name__] = module
    for statement in filter(_is_quick, tree.body):
        with contextlib.suppress(NameError):  # the definition uses a name that was not imported
            exec(compile(ast.Module([statement], []), str(path), "exec"), vars(module))
    if not {settings, presets} <= vars(module).keys():
        return None
    description = ast.get_docstring(tree) or ""
    return Outline(description, vars(module)[settings], vars(module)[presets])


def answer(path: Path, argv: Sequence[str] | None = None) -> None:
    """If help is requested or a flag is invalid, prints help or an error and ends the process.

    Args:
        path: File of a recipe. If it is another program, the function does nothing.
        argv: Command-line flags. If None, uses the flags of the process.
    """
    outline = read_outline(path)
    if outline is not None:
        check(outline.settings, outline.presets, outline.description, argv)


def answer_program() -> None:
    """Calls `answer` if the running program is a recipe that imports this module."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    if _importer() != "__main__" or file is None or not Path(file).is_file():
        return  # the program is a module, is a notebook, or is in an archive
    try:
        answer(Path(file))
    except (OSError, SyntaxError, ValueError):
        # The file is not Python code, such as a launcher on another operating system. `run_recipe`
        # explains in one sentence why the file passed to --config cannot be used.
        return


def _importer() -> str:
    """Returns the name of the nearest caller outside this library and the import system."""
    frame = sys._getframe()
    own = ("keras_gen.", "importlib.", "_frozen_importlib")
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(own):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))


def _is_quick(statement: ast.stmt) -> bool:
    """Returns whether a statement is a definition, or an import from a package in `QUICK`."""
    if isinstance(statement, ast.Import):
        return all(alias.name in QUICK for alias in statement.names)
    if isinstance(statement, ast.ImportFrom):
        return statement.module in QUICK
    return isinstance(statement, DEFINITIONS)


def _arguments_of_run_recipe(body: list[ast.stmt]) -> list[str] | None:
    """Returns the names of the arguments if the file's last statement calls `run_recipe`."""
    calls = [node for node in ast.walk(body[-1]) if isinstance(node, ast.Call)] if body else []
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == "run_recipe":
            names = [node.id for node in call.args if isinstance(node, ast.Name)]
            return names if len(names) == 3 else None
    return None
