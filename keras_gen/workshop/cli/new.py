"""`keras-gen new`: creates a project for a new model, with a recipe and tests."""

import importlib.util
import keyword
import os
import re
import shutil
from pathlib import Path

from keras_gen.files.writing import partial_path

PROJECT = Path(__file__).parents[1] / "project"
NAME = "my_model"


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
