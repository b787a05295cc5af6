"""`keras-gen train` and `keras-gen new`, and the recipes by name."""

import argparse
import importlib.util
import keyword
import os
import re
import runpy
import shutil
import sys
from pathlib import Path

from keras_gen.arguments import shown
from keras_gen.files.writing import partial_path, place
from keras_gen.messages import known_names
from keras_gen.quiet import start_tensorflow
from keras_gen.workshop.run.outline import answer

PROJECT = Path(__file__).parents[1] / "project"
NAME = "my_model"


def train(options: argparse.Namespace) -> int:
    """Runs a recipe in the same way as `python recipes/NAME.py`."""
    known = recipes()
    if options.recipe not in known:
        raise FileNotFoundError(
            f"there is no recipe named {shown(options.recipe)} in {place('recipes')}"
            f"{known_names(options.recipe, known)}"
        )
    path = known[options.recipe]
    sys.argv = [str(path), *options.flags]
    answer(path)
    start_tensorflow()
    runpy.run_path(str(path), run_name="__main__")
    return 0


def recipes() -> dict[str, Path]:
    """Returns a dict from the names of recipes to their files."""
    return {path.stem: path for path in sorted(place("recipes").glob("[!_]*.py"))}


def new(options) -> int:
    """Writes the project to a new folder. A failure does not leave a partial project.

    Raises:
        ValueError: If the name is not a valid module name, or if a module of this name is
            installed.
        FileExistsError: If the folder exists.
        NotADirectoryError: If the folder's parent is a file.
    """
    name = options.name
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} is not a valid module name: expected lowercase letters, digits, and "
            f"underscores, as in {NAME}, but not a Python keyword."
        )
    if importlib.util.find_spec(name):
        raise ValueError(f"{name!r} is the name of an installed module: choose another name.")
    folder = options.folder or Path(name)
    if os.path.lexists(folder):
        raise FileExistsError(f"{folder} already exists: choose another name, or pass --folder.")
    folder = folder.absolute()
    for parent in folder.parents:
        if parent.exists() and not parent.is_dir():
            raise NotADirectoryError(f"{parent} is a file: choose a --folder outside it.")
    temporary = partial_path(folder)
    try:
        temporary.mkdir(parents=True)
        for file in sorted(PROJECT.glob("*.*")):
            written = temporary / renamed(file.name, name)
            written.write_text(renamed(file.read_text("utf-8"), name), "utf-8")
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    print(
        f"wrote {options.folder or name}: its README.md explains how to train and test the model"
    )
    return 0


def renamed(text: str, name: str) -> str:
    """Returns the text of a project file, in which the new model's names replace the template's."""
    title = "".join(part.capitalize() for part in name.split("_"))
    return text.replace(NAME, name).replace("MyModel", title)
