"""The command `new`: a project of a model of one's own, with a recipe and tests."""

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
    """Writes the project into a new folder, all of it or nothing.

    Raises:
        ValueError: If the name can be no module's, or is that of an installed one.
        FileExistsError: If there is such a folder.
        NotADirectoryError: If the folder would be below a file.
    """
    name = options.name
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} cannot name a module: expected small letters, digits and underscores, such "
            f"as {NAME}."
        )
    if importlib.util.find_spec(name):
        raise ValueError(f"{name!r} is the name of an installed module: choose another.")
    folder = options.folder or Path(name)
    if os.path.lexists(folder):
        raise FileExistsError(f"{folder} exists already: choose another name, or a --folder.")
    folder = folder.absolute()
    for parent in folder.parents:
        if parent.exists() and not parent.is_dir():
            raise NotADirectoryError(
                f"{parent} is a file: choose a --folder that is not below it."
            )
    temporary = partial_path(folder)
    try:
        temporary.mkdir(parents=True)
        for file in sorted(PROJECT.glob("*.*")):
            written = temporary / renamed(file.name, name)
            written.write_text(renamed(file.read_text("utf-8"), name), "utf-8")
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    print(f"wrote {options.folder or name}: its README.md says how to train and test the model")
    return 0


def renamed(text: str, name: str) -> str:
    """A text of the project with the names of the new model."""
    title = "".join(part.capitalize() for part in name.split("_"))
    return text.replace(NAME, name).replace("MyModel", title)
