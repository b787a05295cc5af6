"""`keras-gen train`, and the recipes by name."""

import argparse
import runpy
import sys
from pathlib import Path

from keras_gen.arguments import shown
from keras_gen.files.writing import place
from keras_gen.messages import known_names
from keras_gen.quiet import start_tensorflow
from keras_gen.workshop.run.outline import answer


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
