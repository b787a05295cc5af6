"""`keras-gen train`, and where the recipes are."""

import argparse
import importlib.metadata
import runpy
import sys
from pathlib import Path

from keras_gen.quiet import start_tensorflow
from keras_gen.sentences import nearest

CHECKOUT = Path(__file__).resolve().parents[2]


def train(options: argparse.Namespace) -> int:
    """Runs a recipe, as `python recipes/NAME.py` does."""
    known = recipes()
    if options.recipe not in known:
        raise FileNotFoundError(
            f"there is no recipe {options.recipe!r} in {place('recipes')}, which holds: "
            f"{', '.join(known) or 'none'}{nearest(options.recipe, known)}"
        )
    path = str(known[options.recipe])
    start_tensorflow()
    sys.argv = [path, *options.flags]
    runpy.run_path(path, run_name="__main__")
    return 0


def recipes() -> dict[str, Path]:
    """The recipes by name."""
    return {path.stem: path for path in sorted(place("recipes").glob("[!_]*.py"))}


def place(name: str) -> Path:
    """The folder `name` in the working directory, next to the package, or as installed."""
    for path in (Path(name), CHECKOUT / name):
        if path.is_dir():
            return path
    return _installed(name) or Path(name)


def _installed(name: str) -> Path | None:
    """Where the installer has put the folder `share/keras_gen/<name>`, wherever it puts such."""
    for file in importlib.metadata.files("keras-gen") or []:
        if f"share/keras_gen/{name}/" in file.as_posix():
            parents = Path(str(file.locate())).resolve().parents
            return next(path for path in parents if path.match(f"share/keras_gen/{name}"))
    return None
